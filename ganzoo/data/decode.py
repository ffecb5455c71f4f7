"""One image file to one uint8 array: orientation, crop, colour, antialiased size."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, UnidentifiedImageError

# What a changed decoder must raise, so that caches of the old one are not used again.
VERSION = 1

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Decoder:
    """Turns encoded files, or decoded arrays, into uint8 (H, W, C).

    Args:
        image_size: Side of the square result, or None to keep the size.
        channels: 1 (grey, ITU-R 601 luma) or 3 (RGB).
        crop: Side of a centre crop taken before resizing. An image with a side shorter than that
            is cropped to its largest centre square instead. None crops to the largest centre
            square where `image_size` is given, and not at all where it is not.
        antialias: Whether a changed size mixes pixels; else the nearest one stands, as in masks.
    """

    image_size: int | None
    channels: int
    crop: int | None
    antialias: bool = True

    def decode(self, data: bytes) -> np.ndarray:
        """Returns the first frame of an encoded image, upright, as uint8 (H, W, C).

        16-bit grey is scaled to 8 bits, CMYK and palettes become RGB, and what is transparent is
        laid over white.

        Raises:
            Exception: of whatever kind Pillow raises, for a file that is no sound image.
        """
        with _opened(data) as image:
            image.load()
            return self.finish(upright(image))

    def array(self, pixels: np.ndarray) -> np.ndarray:
        """Returns uint8 `pixels` (H, W, 1, 3 or 4) as uint8 (`image_size`, `image_size`, C)."""
        return self.finish(Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels))

    def finish(self, image: Image.Image) -> np.ndarray:
        """Crops, converts and resizes an upright Pillow image to uint8 (H, W, C)."""
        image = self._cropped(image)
        image = _flat(image, "L" if self.channels == 1 else "RGB")
        if self.image_size is not None and image.size != (self.image_size, self.image_size):
            # Pillow widens the filter's support when shrinking, which is what antialiases.
            how = Image.Resampling.BICUBIC if self.antialias else Image.Resampling.NEAREST
            image = image.resize((self.image_size, self.image_size), how)
        pixels = np.asarray(image)
        return pixels[..., np.newaxis] if self.channels == 1 else pixels

    def _cropped(self, image: Image.Image) -> Image.Image:
        if self.crop is None and self.image_size is None:
            return image
        width, height = image.size
        side = min(width, height)
        side = side if self.crop is None else min(side, self.crop)
        if (width, height) == (side, side):
            return image
        left, top = (width - side) // 2, (height - side) // 2
        return image.crop((left, top, left + side, top + side))


def upright(image: Image.Image) -> Image.Image:
    """Returns `image` turned as its EXIF orientation says."""
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # Damaged metadata around sound pixels: Pillow raises many kinds.
        orientation = 1
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def is_grey(data: bytes) -> bool:
    """Returns whether an encoded image is stored as grey; reads its header only.

    Raises:
        Exception: of whatever kind Pillow raises, for a file that is no image.
    """
    with _opened(data) as image:
        if image.mode in ("P", "PA"):
            palette = np.asarray(image.getpalette("RGB")).reshape(-1, 3)
            return bool((palette == palette[:, :1]).all())
        return image.mode in ("1", "L", "LA", "La", "F") or image.mode.startswith("I")


def _opened(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data))
    except UnidentifiedImageError:  # Its message is an address in memory.
        raise ValueError("not an image of a known format") from None


def _flat(image: Image.Image, mode: str) -> Image.Image:
    """Converts to 8-bit `mode`, "L" or "RGB", with transparent parts over white."""
    if image.mode == "F":
        raise ValueError("floating-point pixels have no known range")
    if image.mode.startswith("I"):
        image = _eight_bits(image)
    if image.has_transparency_data:
        colours = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, colours)
    return image if image.mode == mode else image.convert(mode)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scales 16-bit grey by 255/65535, rounded; Pillow's own conversion would clip at 255."""
    values = np.asarray(image)
    if values.min() < 0 or values.max() > 65535:
        raise ValueError("32-bit pixels have no known range")
    return Image.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8))
