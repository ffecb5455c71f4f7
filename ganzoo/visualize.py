"""Pictures of images: grids, interpolations, animations. NumPy and Pillow, no TensorFlow.

Images are uint8, or float in [-1, 1]: (N, H, W, C) with C = 1, 3 or 4, grey ones (N, H, W) too;
(H, W, C) and (H, W) are one image. Floats (N, 2) are points in the plane. A picture is uint8
(H, W, C).
"""

import math
import os
from collections.abc import Callable, Iterable
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ganzoo.errors import closest
from ganzoo.metrics.modes import Mixture
from ganzoo.scatter import limits_of, scatter
from ganzoo.slerp import slerp

CELL = 32
"""Pixels that a cell's shorter side has at least, where the scale is chosen automatically."""

# Suffix -> Pillow's format, most pixels a side, options.
_PICTURES = {
    ".png": ("PNG", 2**31 - 1, {"optimize": True}),
    ".webp": ("WEBP", 16383, {"lossless": True}),
    ".jpg": ("JPEG", 65535, {"quality": 95}),
    ".jpeg": ("JPEG", 65535, {"quality": 95}),
}
_ANIMATIONS = {
    ".gif": ("GIF", 65535, {}),
    ".webp": ("WEBP", 16383, {"lossless": True}),
}
_SUFFIXES = [*_PICTURES, ".gif", ".npz"]


def to_uint8(images: Any) -> np.ndarray:
    """Converts images to uint8 (N, H, W, C), C = 1, 3 or 4.

    Args:
        images: uint8, or float in [-1, 1], which are rounded: -1 becomes 0 and 1 becomes 255.

    Raises:
        ValueError: If the shape is that of no images or that of points, the dtype is another one,
            or floats are out of [-1, 1] or not finite.
    """
    images = np.asarray(images)
    if _are_points(images):
        raise ValueError(f"Expected images. Received: points {images.shape}; see `scatter`.")
    shape = images.shape
    if images.ndim == 2 or (images.ndim == 3 and shape[-1] in (1, 3, 4)):
        images = images[np.newaxis]
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if images.ndim != 4 or images.shape[-1] not in (1, 3, 4) or images.size == 0:
        raise ValueError(
            "Expected images (N, H, W, C) or (N, H, W), or one (H, W, C) or (H, W), with C = 1, 3 "
            f"or 4 and none of them 0. Received: shape {shape}."
        )
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind != "f" and images.dtype.name != "bfloat16":
        raise ValueError(f"Expected uint8 images, or float in [-1, 1]. Received: {images.dtype}.")
    images = images.astype(np.float32)
    low, high = float(images.min()), float(images.max())
    if not (-1.001 <= low and high <= 1.001):  # NaN fails too
        raise ValueError(f"Expected float images in [-1, 1]. Received: from {low:g} to {high:g}.")
    return np.clip(np.rint((images + 1.0) * 127.5), 0, 255).astype(np.uint8)


def grid(
    images: Any,
    *,
    columns: int | None = None,
    padding: int = 2,
    scale: int | None = 1,
    background: int = 255,
) -> np.ndarray:
    """Lays images out in rows, the first at the top left, into one picture.

    Args:
        images: N images; see the module.
        columns: Images a row, by default as many as make the grid about square.
        padding: Pixels between images and around them.
        scale: Whole factor by which images are enlarged, each pixel becoming a square; None
            chooses the smallest that makes their shorter side 32 pixels or more.
        background: Grey value of the padding and of empty cells, 0 to 255.

    Returns:
        uint8 (height, width, C), where height is rows * (scale * H + padding) + padding and width
        likewise.

    Raises:
        ValueError: If the images or an option is wrong.
    """
    images = to_uint8(images)
    count, height, width, channels = images.shape
    if columns is None:
        columns = math.ceil(math.sqrt(count))
    columns = min(count, _whole("columns", columns, 1))
    rows = math.ceil(count / columns)
    padding = _whole("padding", padding, 0)
    images = _enlarge(images, scale)
    height, width = images.shape[1:3]
    shape = (rows * (height + padding) + padding, columns * (width + padding) + padding, channels)
    picture = np.full(shape, _whole("background", background, 0, 255), np.uint8)
    for i, image in enumerate(images):
        top = padding + (i // columns) * (height + padding)
        left = padding + (i % columns) * (width + padding)
        picture[top : top + height, left : left + width] = image
    return picture


def preview(
    images: Any, *, columns: int | None = None, padding: int = 2, scale: int | None = None
) -> Image.Image:
    """Returns what a notebook shows when it is a cell's last line.

    Args:
        images: One image, shown as it is, several, shown as a grid, or points; see the module.
        columns: As for `grid`.
        padding: As for `grid`.
        scale: As for `grid`, chosen automatically by default.

    Raises:
        ValueError: If the images or an option is wrong.
    """
    if _are_points(images):
        return _pillow(scatter(images))
    return _pillow(_picture(images, columns, padding, scale))


def save(
    images: Any,
    path: str | os.PathLike,
    *,
    columns: int | None = None,
    padding: int = 2,
    scale: int | None = None,
    fps: float = 12,
) -> Path:
    """Writes images to a file; its suffix says how.

    `.png`, `.webp` (lossless) and `.jpg` hold a grid, or one image as it is; `.gif` holds an
    animation, an image a frame; `.npz` holds the uint8 images under the key `images`, unscaled.
    The file appears whole or not at all; missing folders are made. Points: see `save_points`.

    Args:
        images: Images, one picture that `grid` made, or points; see the module.
        path: Where to write.
        columns: As for `grid`.
        padding: As for `grid`.
        scale: As for `grid`, chosen automatically by default.
        fps: Frames a second of a `.gif`.

    Returns:
        The path.

    Raises:
        ValueError: If the images, an option or the suffix is wrong, or the picture is larger than
            the format can hold.
        OSError: If the file cannot be written.
    """
    path = Path(path)
    if _are_points(images):
        return save_points(images, path)
    suffix = path.suffix.lower()
    if suffix == ".gif":
        return animate(to_uint8(images), path, fps=fps, scale=scale)
    if suffix == ".npz":
        images = to_uint8(images)
        return _write(path, lambda file: np.savez_compressed(file, images=images))
    if suffix not in _PICTURES:
        raise _unknown_suffix(path, _SUFFIXES)
    name, largest, options = _PICTURES[suffix]
    picture = _picture(images, columns, padding, scale)
    _check_size(picture, path, largest)
    if name == "JPEG" and picture.shape[-1] == 4:
        raise ValueError(f"Expected .png or .webp for images with transparency. Received: {path}.")
    return _write(path, lambda file: _pillow(picture).save(file, format=name, **options))


def save_points(
    points: Any, path: str | os.PathLike, *, mixture: Mixture | None = None, size: int = 512
) -> Path:
    """Writes points to a file: a picture of them, or `.npz`, float32 under the key `points`.

    Args:
        points: (N, 2); (N, D) for `.npz`.
        path: Where to write, as for `save`.
        mixture: Whose modes the picture marks, see `scatter`.
        size: Pixels a side of the picture.

    Returns:
        The path.

    Raises:
        ValueError: If these are no such points, or the suffix is wrong.
        OSError: If the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() == ".npz":
        points = np.asarray(points, np.float32)
        return _write(path, lambda file: np.savez_compressed(file, points=points))
    if path.suffix.lower() not in _PICTURES:
        raise _unknown_suffix(path, [*_PICTURES, ".npz"])
    return save(scatter(points, mixture=mixture, size=size), path, scale=1)


def animate(
    frames: Iterable, path: str | os.PathLike, *, fps: float = 12, scale: int | None = None
) -> Path:
    """Writes an endless animation, `.gif` (256 colours a frame) or `.webp` (lossless).

    Args:
        frames: Images or pictures of one shape, in order; see the module.
        path: Where to write; the file appears whole or not at all, missing folders are made.
        fps: Frames a second, above 0 and at most 50, the most that browsers show of a `.gif`.
        scale: As for `grid`, chosen automatically by default.

    Returns:
        The path.

    Raises:
        ValueError: If the frames, an option or the suffix is wrong, or frames are larger than the
            format can hold.
        OSError: If the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in _ANIMATIONS:
        raise _unknown_suffix(path, _ANIMATIONS)
    if not 0 < fps <= 50:
        raise ValueError(f"Expected 0 < fps <= 50. Received: fps={fps}.")
    name, largest, options = _ANIMATIONS[path.suffix.lower()]
    frames = frames if hasattr(frames, "__array__") else list(frames)
    if len({np.shape(frame) for frame in frames}) != 1:
        raise ValueError(
            "Expected one frame or more, all of one shape. Received: shapes "
            f"{sorted({np.shape(frame) for frame in frames})}."
        )
    frames = _enlarge(to_uint8(frames), scale)
    _check_size(frames[0], path, largest)
    first, *rest = (_pillow(frame) for frame in frames)
    options = {"save_all": True, "append_images": rest, "loop": 0, **options}
    duration = round(1000 / fps)  # milliseconds
    return _write(path, lambda file: first.save(file, format=name, duration=duration, **options))


def interpolate(gan: Any, n: int = 8, steps: int = 8, *, seed: int = 0) -> np.ndarray:
    """Generates images on the arcs between pairs of latents drawn from N(0, 1).

    Args:
        gan: A GAN: anything with `latent_dim` and `generate(latents=)`.
        n: Number of pairs.
        steps: Images a pair, both ends included, 2 or more.
        seed: Seed of the latents.

    Returns:
        uint8 images (n * steps, H, W, C), pair after pair: `grid(..., columns=steps)` has a pair
        in each row. Of a GAN of points, points (n * steps, D).

    Raises:
        ValueError: If `n` or `steps` is too small.
    """
    n, steps = _whole("n", n, 1), _whole("steps", steps, 2)
    ends = np.random.default_rng(seed).standard_normal((2, n, gan.latent_dim), np.float32)
    latents = slerp(ends[0], ends[1], np.linspace(0, 1, steps))  # (steps, n, latent_dim)
    return gan.generate(latents=latents.swapaxes(0, 1).reshape(n * steps, gan.latent_dim))


def interpolation_grid(
    gan: Any,
    n: int = 8,
    steps: int = 8,
    *,
    seed: int = 0,
    padding: int = 2,
    scale: int | None = 1,
) -> np.ndarray:
    """Returns a picture of `interpolate`, a pair in each row; arguments as there and for `grid`."""
    images = interpolate(gan, n, steps, seed=seed)
    return grid(images, columns=steps, padding=padding, scale=scale)


def interpolation_frames(
    gan: Any,
    n: int = 16,
    stops: int = 4,
    steps: int = 12,
    *,
    seed: int = 0,
    padding: int = 2,
    scale: int | None = None,
    mixture: Mixture | None = None,
) -> np.ndarray:
    """Returns pictures for `animate`: a grid of images that walk through latents and back.

    Args:
        gan: As for `interpolate`.
        n: Images in the grid.
        stops: Latents that each passes, 2 or more; from the last it goes back to the first.
        steps: Frames from one stop to the next.
        seed: Seed of the latents.
        padding: As for `grid`.
        scale: As for `grid`, chosen automatically by default.
        mixture: As for `scatter`, where the GAN makes points.

    Returns:
        uint8 pictures (stops * steps, height, width, C), without a jump from the last to the first.

    Raises:
        ValueError: If a number is too small.
    """
    n, stops, steps = _whole("n", n, 1), _whole("stops", stops, 2), _whole("steps", steps, 1)
    shape = (stops, n, gan.latent_dim)
    ends = np.random.default_rng(seed).standard_normal(shape, np.float32)
    part = np.linspace(0, 1, steps, endpoint=False)
    latents = slerp(ends, np.roll(ends, -1, axis=0), part)  # (steps, stops, n, latent_dim)
    latents = latents.swapaxes(0, 1).reshape(-1, gan.latent_dim)
    images = gan.generate(latents=latents)
    images = images.reshape(stops * steps, n, *images.shape[1:])
    if images.ndim == 3:
        limits = limits_of(images.reshape(-1, images.shape[-1]), mixture)
        return np.stack([scatter(row, mixture=mixture, limits=limits) for row in images])
    return np.stack([grid(row, padding=padding, scale=scale) for row in images])


def _are_points(images: Any) -> bool:
    images = np.asarray(images)
    return images.ndim == 2 and images.shape[1] == 2 and images.dtype.kind == "f"


def _whole(name: str, value: Any, least: int, most: float = math.inf) -> int:
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or not least <= value <= most:
        limit = " or more" if most == math.inf else f" to {most}"
        raise ValueError(f"Expected {name}, {least}{limit}. Received: {name}={value!r}.")
    return int(value)


def _enlarge(images: np.ndarray, scale: int | None) -> np.ndarray:
    if scale is None:
        scale = math.ceil(CELL / min(images.shape[1:3]))
    scale = _whole("scale", scale, 1)
    return images if scale == 1 else images.repeat(scale, axis=1).repeat(scale, axis=2)


def _picture(images: Any, columns: int | None, padding: int, scale: int | None) -> np.ndarray:
    images = to_uint8(images)
    if len(images) == 1:
        return _enlarge(images, scale)[0]
    return grid(images, columns=columns, padding=padding, scale=scale)


def _pillow(picture: np.ndarray) -> Image.Image:
    return Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)


def _check_size(picture: np.ndarray, path: Path, largest: int) -> None:
    height, width = picture.shape[:2]
    if max(height, width) > largest:
        raise ValueError(
            f"Expected at most {largest} pixels a side for {path.suffix}. Received: {width} x "
            f"{height}; .png holds more, fewer images or a smaller scale need less."
        )


def _unknown_suffix(path: Path, choices: Iterable[str]) -> ValueError:
    choices = list(choices)
    return ValueError(
        f"Expected a file name that ends in {', '.join(choices)}. Received: {str(path)!r}"
        f"{closest(path.suffix.lower(), choices) or '.'}"
    )


def _write(path: Path, write: Callable[[Any], Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(unfinished, "wb") as file:
            write(file)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path
