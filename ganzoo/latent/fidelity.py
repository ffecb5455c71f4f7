"""How near one image is to another, in decibels."""

from typing import Any

import numpy as np


def psnr(images: Any, others: Any, where: Any = None) -> np.ndarray:
    """Returns the peak signal-to-noise ratio of pairs of images, 10 log10(255^2 / MSE).

    Args:
        images: uint8 (N, H, W, C).
        others: uint8 (N, H, W, C).
        where: Pixels that count, bool (N, H, W); by default all.

    Returns:
        Decibels, float64 (N,): infinite where two images are equal, NaN where no pixel counts.

    Raises:
        ValueError: If the shapes differ, or images are not uint8.
    """
    images, others = np.asarray(images), np.asarray(others)
    fit = images.shape == others.shape and images.ndim == 4
    if not fit or {images.dtype.name, others.dtype.name} != {"uint8"}:
        raise ValueError(
            "Expected uint8 images (N, H, W, C) of one shape. Received: "
            f"{images.dtype} {images.shape} and {others.dtype} {others.shape}."
        )
    squares = (images.astype(np.float64) - others) ** 2
    counted = np.ones(images.shape[:3], bool) if where is None else np.asarray(where, bool)
    if counted.shape != images.shape[:3]:
        raise ValueError(f"Expected where={images.shape[:3]}. Received: {counted.shape}.")
    number = counted.sum(axis=(1, 2)) * images.shape[3]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (squares * counted[..., np.newaxis]).sum(axis=(1, 2, 3)) / number
        return 10 * np.log10(255.0**2 / mean)
