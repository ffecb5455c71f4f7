"""The ways from one latent to another: the straight line and the arc."""

from typing import Any

import numpy as np


def lerp(start: Any, end: Any, t: Any) -> np.ndarray:
    """Walks from one latent to another on the straight line between them.

    Args:
        start: Latents (..., D).
        end: Latents of the same shape.
        t: How far to go, 0 is `start` and 1 is `end`; a number, or an array of any shape.

    Returns:
        Latents of shape `t.shape + start.shape`, float32, or float64 if either is.

    Raises:
        ValueError: If the shapes differ.
    """
    start, end, t, dtype = _checked(start, end, t)
    return ((1 - t) * start + t * end).astype(dtype)


def slerp(start: Any, end: Any, t: Any) -> np.ndarray:
    """Walks from one latent to another on the arc between them (Shoemake 1985).

    The weights are sin((1 - t) w) / sin(w) and sin(t w) / sin(w), w being the angle between the
    two: points between normal latents then have the length that normal latents have, which those
    on the straight line lack (White 2016, arXiv:1609.04468). Where the arc is not defined, since
    the two are parallel, opposite or zero, it is the straight line.

    Args:
        start: Latents (..., D).
        end: Latents of the same shape.
        t: How far to go, 0 is `start` and 1 is `end`; a number, or an array of any shape.

    Returns:
        Latents of shape `t.shape + start.shape`, float32, or float64 if either is.

    Raises:
        ValueError: If the shapes differ.
    """
    start, end, t, dtype = _checked(start, end, t)
    a, b = _unit(start), _unit(end)
    # this form is exact for small angles too, where arccos of the dot product is not
    angle = 2 * np.arctan2(_length(a - b), _length(a + b))  # (..., 1)
    bent = (np.sin(angle) > 1e-6) & (_length(start) > 0) & (_length(end) > 0)
    sine = np.where(bent, np.sin(angle), 1)
    from_start = np.where(bent, np.sin((1 - t) * angle) / sine, 1 - t)
    from_end = np.where(bent, np.sin(t * angle) / sine, t)
    return (from_start * start + from_end * end).astype(dtype)


def _checked(start: Any, end: Any, t: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, Any]:
    """Returns both latents and `t` in float64, `t` in front of them, and the result's dtype."""
    start, end, t = np.asarray(start), np.asarray(end), np.asarray(t, np.float64)
    if start.shape != end.shape or start.ndim == 0:
        raise ValueError(f"Expected latents of one shape. Received: {start.shape}, {end.shape}.")
    dtype = np.result_type(start, end, np.float32)
    t = t.reshape(t.shape + (1,) * start.ndim)
    return start.astype(np.float64), end.astype(np.float64), t, dtype


def _length(vectors: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vectors, axis=-1, keepdims=True)


def _unit(vectors: np.ndarray) -> np.ndarray:
    length = _length(vectors)
    return vectors / np.where(length > 0, length, 1)
