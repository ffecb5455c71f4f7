"""Stacked MNIST: three random digits as the channels of one image, 1000 modes (Metz 2017, 3.3.1).

128,000 images train a GAN; 26,000 samples are counted (Srivastava 2017, section 4.2).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ganzoo.metrics import checks

MODES = 1000
"""Triples of ten digits."""


def stack(
    images: Any, labels: Any, *, count: int = 128_000, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Draws three grey images for each stacked one, with replacement.

    Args:
        images: uint8 digits (N, H, W, 1) or (N, H, W).
        labels: Whole numbers (N,), 0 to 9.
        count: Stacked images to make.
        seed: Of the draw.

    Returns:
        uint8 images (count, H, W, 3), and int64 labels (count,), 0 to 999: the digit of the first
        channel is the hundreds.

    Raises:
        TypeError, ValueError: If these are no grey uint8 images, or the labels do not fit them.
    """
    images = np.asarray(images)
    images = checks.images("images", images[..., np.newaxis] if images.ndim == 3 else images)
    if images.shape[-1] != 1:
        raise ValueError(f"images: expected 1 channel. Received: shape {images.shape}.")
    labels = _digits("labels", labels, len(images))
    chosen = np.random.default_rng(seed).integers(0, len(images), (checks.whole("count", count), 3))
    stacked = np.empty((count, *images.shape[1:3], 3), np.uint8)
    for channel in range(3):
        stacked[..., channel] = images[chosen[:, channel], ..., 0]
    return stacked, _triples(labels[chosen])


def stacked_modes(images: Any, classify: Callable[[np.ndarray], np.ndarray]) -> tuple[int, float]:
    """Returns how many of the 1000 triples occur, and how uneven they are.

    Args:
        images: uint8 (N, H, W, 3).
        classify: Maps one channel of all images, uint8 (N, H, W, 1), to digits, whole numbers (N,).

    Returns:
        Distinct triples, 1 to 1000, and KL(triples || uniform) in nats, 0 to log 1000. The expected
        KL of n uniform triples is about 999 / 2n, not 0; MNIST's own digits, which are not equally
        frequent, give .0236 for n = 26,000.

    Raises:
        TypeError, ValueError: If these are no such images, or `classify` returns anything else.
    """
    images = checks.images("images", images)
    if images.shape[-1] != 3:
        raise ValueError(f"images: expected 3 channels. Received: shape {images.shape}.")
    digits = [
        _digits("classify", classify(np.ascontiguousarray(images[..., [channel]])), len(images))
        for channel in range(3)
    ]
    counts = np.bincount(_triples(np.stack(digits, axis=1)), minlength=MODES)
    shares = counts[counts > 0] / len(images)
    return len(shares), float(np.log(MODES) + np.sum(shares * np.log(shares)))


def _triples(digits: np.ndarray) -> np.ndarray:
    """Returns (N, 3) digits as numbers 0 to 999."""
    return digits @ np.array([100, 10, 1])


def _digits(name: str, labels: Any, count: int) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"{name}: expected whole numbers. Received: dtype {labels.dtype}.")
    if labels.shape != (count,):
        raise ValueError(
            f"{name}: expected one digit for each image, shape ({count},). "
            f"Received: shape {labels.shape}."
        )
    if labels.min() < 0 or labels.max() > 9:
        raise ValueError(
            f"{name}: expected digits, 0 to 9. Received: {labels.min()} to {labels.max()}."
        )
    return labels.astype(np.int64)
