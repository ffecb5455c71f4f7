"""Images side by side in one picture; NumPy alone.

Images are as `ganzoo.visualize` takes them.
"""

import math
from numbers import Integral
from typing import Any

import numpy as np

CELL = 32
"""Pixels that a cell's shorter side has at least, where the scale is chosen automatically."""


def to_uint8(images: Any) -> np.ndarray:
    """Converts images to uint8 (N, H, W, C), C = 1, 3 or 4.

    Args:
        images: uint8, or float in [-1, 1], which are rounded: -1 becomes 0 and 1 becomes 255.

    Raises:
        ValueError: If the shape is that of no images or that of points, the dtype is another one,
            or floats are out of [-1, 1] or not finite.
    """
    images = np.asarray(images)
    if are_points(images):
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
    columns = min(count, whole("columns", columns, 1))
    rows = math.ceil(count / columns)
    padding = whole("padding", padding, 0)
    images = enlarge(images, scale)
    height, width = images.shape[1:3]
    shape = (rows * (height + padding) + padding, columns * (width + padding) + padding, channels)
    picture = np.full(shape, whole("background", background, 0, 255), np.uint8)
    for i, image in enumerate(images):
        top = padding + (i // columns) * (height + padding)
        left = padding + (i % columns) * (width + padding)
        picture[top : top + height, left : left + width] = image
    return picture


def are_points(images: Any) -> bool:
    """Whether these are points in the plane, floats (N, 2)."""
    images = np.asarray(images)
    return images.ndim == 2 and images.shape[1] == 2 and images.dtype.kind == "f"


def whole(name: str, value: Any, least: int, most: float = math.inf) -> int:
    """Returns a whole number from `least` to `most`; raises ValueError for anything else."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or not least <= value <= most:
        limit = " or more" if most == math.inf else f" to {most}"
        raise ValueError(f"Expected {name}, {least}{limit}. Received: {name}={value!r}.")
    return int(value)


def enlarge(images: np.ndarray, scale: int | None) -> np.ndarray:
    """Returns images (N, H, W, C) enlarged by a whole factor, None as for `grid`."""
    if scale is None:
        scale = math.ceil(CELL / min(images.shape[1:3]))
    scale = whole("scale", scale, 1)
    return images if scale == 1 else images.repeat(scale, axis=1).repeat(scale, axis=2)
