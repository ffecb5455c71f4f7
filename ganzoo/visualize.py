"""Pictures of images: grids, interpolations, animations. NumPy and Pillow, no TensorFlow.

Images are uint8, or float in [-1, 1]: (N, H, W, C) with C = 1, 3 or 4, grey ones (N, H, W) too;
(H, W, C) and (H, W) are one image. Floats (N, 2) are points in the plane. A picture is uint8
(H, W, C).
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ganzoo.errors import closest
from ganzoo.grids import are_points, enlarge, grid, to_uint8
from ganzoo.latent.interpolation import interpolate, interpolation_frames, interpolation_grid
from ganzoo.latent.lines import lerp, slerp
from ganzoo.metrics.modes import Mixture
from ganzoo.scatter import scatter

__all__ = [
    "animate",
    "grid",
    "interpolate",
    "interpolation_frames",
    "interpolation_grid",
    "lerp",
    "preview",
    "save",
    "save_points",
    "scatter",
    "slerp",
    "to_uint8",
]

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
    if are_points(images):
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
    if are_points(images):
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
    frames = enlarge(to_uint8(frames), scale)
    _check_size(frames[0], path, largest)
    first, *rest = (_pillow(frame) for frame in frames)
    options = {"save_all": True, "append_images": rest, "loop": 0, **options}
    duration = round(1000 / fps)  # milliseconds
    return _write(path, lambda file: first.save(file, format=name, duration=duration, **options))


def _picture(images: Any, columns: int | None, padding: int, scale: int | None) -> np.ndarray:
    images = to_uint8(images)
    if len(images) == 1:
        return enlarge(images, scale)[0]
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
