"""Masks of missing pixels, and how much each pixel beside them counts."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import ndimage

from ganzoo.errors import unknown
from ganzoo.grids import whole

MISSING = 0.8  # share of pixels that a random mask leaves out, as in the paper


def _center(height: int, width: int, random: np.random.Generator) -> np.ndarray:
    mask = np.ones((height, width), bool)
    top, left = height // 4, width // 4
    mask[top : top + height // 2, left : left + width // 2] = False
    return mask


def _random(height: int, width: int, random: np.random.Generator) -> np.ndarray:
    mask = random.random((height, width)) >= MISSING
    mask[random.integers(height), random.integers(width)] = True  # one is known at least
    return mask


def _half(height: int, width: int, random: np.random.Generator) -> np.ndarray:
    mask = np.zeros((height, width), bool)
    known = [np.s_[: height // 2], np.s_[height - height // 2 :], np.s_[:, : width // 2]]
    mask[[*known, np.s_[:, width - width // 2 :]][random.integers(4)]] = True
    return mask


KINDS: dict[str, Callable[..., np.ndarray]] = {
    "center": _center,
    "random": _random,
    "half": _half,
}


def masks(kind: str, n: int, size: tuple[int, int], *, seed: int = 0) -> np.ndarray:
    """Returns masks (n, H, W), True where a pixel is known, of the kinds that Yeh 2017 tries.

    Args:
        kind: `"center"`, a square hole of half the side in the middle; `"random"`, 80% of the
            pixels missing, others in each image; `"half"`, a half missing, drawn of the four.
        n: How many.
        size: (H, W) of the images, 2 or more each.
        seed: Seed of the draw.

    Raises:
        ValueError: If there is no such kind, or a number is too small.
    """
    if kind not in KINDS:
        raise unknown("mask", kind, KINDS)
    height, width = (whole("size", side, 2) for side in size)
    random = np.random.default_rng(seed)
    return np.stack([KINDS[kind](height, width, random) for _ in range(whole("n", n, 1))])


def weights(known: Any, window: int | None) -> np.ndarray:
    """Returns how much pixels count in the context loss of Yeh 2017, float32 (n, H, W).

    A known pixel has the share of missing pixels in the window around it, what of the window lies
    within the image; a missing one has 0.

    Args:
        known: Masks, bool (n, H, W).
        window: Side of the window, odd; None lets all known pixels count 1.

    Raises:
        ValueError: If the side is even or too small.
    """
    known = np.asarray(known, bool)
    if window is None:
        return known.astype(np.float32)
    if whole("window", window, 3) % 2 == 0:
        raise ValueError(f"Expected an odd window. Received: window={window}.")
    ones = np.ones((1, window, window))
    missing, inside = (
        ndimage.convolve(one, ones, mode="constant")
        for one in ((~known).astype(np.float64), np.ones(known.shape))
    )
    return (known * missing / inside).astype(np.float32)
