"""Multi-scale structural similarity (Wang 2003), which measures how alike samples are.

The mean over random pairs of samples is low for diverse ones (Odena 2017, section 4.2). It is read
beside that of real images, whose diversity is the goal.
"""

import functools
import math
from typing import Any

import numpy as np

from ganzoo.metrics import checks

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponent of each scale, the finest first (Wang 2003, section 3.2)."""

_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_VALUES = 1 << 20  # of one image of each pair in a block


def ms_ssim(first: Any, second: Any) -> np.ndarray:
    """Returns the similarity of each pair of images, from 0 to 1, which equal images have.

    Five scales, each half the size of the one before (the mean of 2 x 2 pixels; an odd edge is
    doubled first), give the mean contrast-structure term, the coarsest the luminance term too; the
    result is the product of their powers, the mean over the channels. A negative mean counts as 0.
    Where an image has 176 pixels or more a side this is `tf.image.ssim_multiscale`.

    Smaller images are scored too, as by the code of Karras 2018. The Gaussian window, 11 pixels and
    sigma 1.5, shrinks as a whole to n = min(11, H, W) pixels and sigma 1.5 n / 11. An image of 28
    pixels has scales of 28, 14, 7, 4 and 2 pixels and windows of 11, 11, 7, 4 and 2. A scale of one
    pixel has no contrast, so its contrast-structure term is 1. Such values compare only with those
    of images of the same size.

    Args:
        first: uint8 images (N, H, W, C).
        second: As many of the same shape; image i is compared with image i of `first`.

    Returns:
        float64 (N,).

    Raises:
        TypeError: If the dtype is not uint8.
        ValueError: If an array is empty or the shapes differ.
    """
    first, second = checks.images("first", first), checks.images("second", second)
    if first.shape != second.shape:
        raise ValueError(
            "first and second: expected images of one shape. "
            f"Received: {first.shape} and {second.shape}."
        )
    count = max(1, _VALUES // math.prod(first.shape[1:]))
    blocks = [slice(i, i + count) for i in range(0, len(first), count)]
    return np.concatenate([_similarity(first[block], second[block]) for block in blocks])


def diversity(images: Any, *, pairs: int = 10_000, seed: int = 0) -> float:
    """Returns the mean similarity of random pairs of different images.

    Args:
        images: uint8 (N, H, W, C), N >= 2.
        pairs: Pairs to draw, each on its own; if there are no more than that, each is taken once.
            10,000 is what Karras 2018 takes.
        seed: Of the pairs.

    Returns:
        From 0 (all different) to 1 (all the same).

    Raises:
        TypeError, ValueError: As for `ms_ssim`; ValueError too for one image alone.
    """
    images = checks.images("images", images, at_least=2)
    first, second = _pairs(len(images), checks.whole("pairs", pairs), seed)
    count = max(1, _VALUES // math.prod(images.shape[1:]))
    blocks = [slice(i, i + count) for i in range(0, len(first), count)]
    return float(
        np.mean(np.concatenate([ms_ssim(images[first[b]], images[second[b]]) for b in blocks]))
    )


def _pairs(count: int, pairs: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the numbers of the images of each pair, never twice the same in one."""
    if count * (count - 1) // 2 <= pairs:
        return np.triu_indices(count, 1)
    rng = np.random.default_rng(seed)
    first = rng.integers(0, count, pairs)
    return first, (first + rng.integers(1, count, pairs)) % count


def _similarity(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns the similarity of pairs of uint8 images (N, H, W, C), float64 (N,)."""
    x, y = (np.moveaxis(a.astype(np.float64), -1, 1) for a in (first, second))  # (N, C, H, W)
    result = 1.0
    for scale, weight in enumerate(WEIGHTS):
        if scale:
            x, y = _halved(x), _halved(y)
        luminance, contrast = _terms(x, y)
        term = luminance * contrast if scale == len(WEIGHTS) - 1 else contrast
        result = result * np.maximum(term.mean(axis=(2, 3)), 0) ** weight
    return result.mean(axis=1)


def _terms(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns luminance and contrast-structure at every place of the window (Wang 2004, 6 and 9).

    They are float64 (N, C, H', W'), with C3 = C2 / 2.
    """
    height, width = x.shape[2:]
    size = min(_WINDOW, height, width)
    down, across = _windows(height, size), _windows(width, size).T
    mean_x, mean_y = down @ x @ across, down @ y @ across
    product, squares = mean_x * mean_y, mean_x * mean_x + mean_y * mean_y
    luminance = (2 * product + _C1) / (squares + _C1)
    covariance = down @ (x * y) @ across - product
    variances = down @ (x * x + y * y) @ across - squares
    return luminance, (2 * covariance + _C2) / (variances + _C2)


@functools.cache
def _windows(length: int, size: int) -> np.ndarray:
    """Returns (length - size + 1, length): the Gaussian window at each place where it fits."""
    sigma = _SIGMA * size / _WINDOW
    window = np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / sigma) ** 2)
    matrix = np.zeros((length - size + 1, length))
    for place, row in enumerate(matrix):
        row[place : place + size] = window / window.sum()
    return matrix


def _halved(images: np.ndarray) -> np.ndarray:
    """Returns images (N, C, H, W) at half the size, rounded up."""
    odd = [(0, side % 2) for side in images.shape[2:]]
    images = np.pad(images, [(0, 0), (0, 0), *odd], mode="symmetric")
    count, channels, height, width = images.shape
    return images.reshape(count, channels, height // 2, 2, width // 2, 2).mean(axis=(3, 5))
