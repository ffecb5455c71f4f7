"""Poisson blending: what lies in a hole, brought to the colours around it."""

import numpy as np
from scipy import sparse
from scipy.sparse import linalg


def poisson(known: np.ndarray, guide: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Fills the hole of an image with the gradients of another (Pérez, Gangnet & Blake 2003).

    The result is the image that equals `known` where the mask is True and whose differences
    between neighbouring pixels are nearest to those of `guide` elsewhere, in the sum of their
    squares, as Yeh 2017 blends. A guide of zeros fills the hole smoothly.

    Args:
        known: Image (H, W, C); what it holds in the hole does not matter.
        guide: Image (H, W, C).
        mask: bool (H, W), True where a pixel is known.

    Returns:
        float64 (H, W, C), not limited to the range of either.

    Raises:
        ValueError: If the shapes do not fit, or no pixel is known.
    """
    known, guide = np.asarray(known, np.float64), np.asarray(guide, np.float64)
    mask = np.asarray(mask, bool)
    if known.shape != guide.shape or known.ndim != 3 or mask.shape != known.shape[:2]:
        raise ValueError(
            "Expected images (H, W, C) of one shape and a mask (H, W). Received: "
            f"{known.shape}, {guide.shape}, {mask.shape}."
        )
    if not mask.any():
        raise ValueError("Expected a mask with at least one known pixel. Received: none.")
    result = known.copy()
    if mask.all():
        return result
    differences = _differences(mask.shape)  # (pairs, H * W)
    hole, rest = np.flatnonzero(~mask), np.flatnonzero(mask)
    inner, outer = differences[:, hole], differences[:, rest]
    flat, wanted = known.reshape(mask.size, -1), differences @ guide.reshape(mask.size, -1)
    right = inner.T @ (wanted - outer @ flat[rest])
    solve = linalg.factorized((inner.T @ inner).tocsc())
    filled = np.stack([solve(np.ascontiguousarray(column)) for column in right.T], axis=1)
    result.reshape(mask.size, -1)[hole] = filled
    return result


def _differences(size: tuple[int, int]) -> sparse.csc_array:
    """Returns the matrix from an image's pixels to the differences of all neighbouring pairs."""
    number = np.arange(size[0] * size[1]).reshape(size)
    first = np.concatenate([number[:-1].ravel(), number[:, :-1].ravel()])
    second = np.concatenate([number[1:].ravel(), number[:, 1:].ravel()])
    pair = np.arange(len(first))
    values = np.concatenate([np.ones(len(first)), -np.ones(len(first))])
    places = (np.concatenate([pair, pair]), np.concatenate([second, first]))
    return sparse.csc_array((values, places), shape=(len(first), number.size))
