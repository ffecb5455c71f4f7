"""Mixtures of Gaussians in the plane whose modes can be counted (VEEGAN, Srivastava 2017)."""

import dataclasses
from typing import Any

import numpy as np

from ganzoo.metrics import checks

NEAR = 3
"""A sample is of high quality within so many standard deviations of its nearest mode."""


@dataclasses.dataclass(frozen=True, eq=False)
class Mixture:
    """Equally likely round Gaussians.

    Args:
        centres: Their means, float (K, 2).
        sigma: Standard deviation of each, along either axis, > 0.
    """

    centres: np.ndarray
    sigma: float

    def sample(self, count: int, *, seed: int = 0) -> np.ndarray:
        """Returns points of the mixture, float32 (count, 2)."""
        rng = np.random.default_rng(seed)
        modes = rng.integers(0, len(self.centres), checks.whole("count", count))
        noise = rng.standard_normal((count, self.centres.shape[1]))
        return (self.centres[modes] + self.sigma * noise).astype(np.float32)


@dataclasses.dataclass(frozen=True)
class ModeCount:
    """What `count_modes` returns.

    Args:
        covered: Modes with at least one sample of high quality.
        total: Modes that there are.
        high_quality: Share of all samples that are of high quality, in [0, 1].
    """

    covered: int
    total: int
    high_quality: float


def ring(modes: int = 8, *, radius: float = 1.0, sigma: float = 0.01) -> Mixture:
    """Returns modes at equal angles on a circle about 0, the first at (radius, 0)."""
    angles = 2 * np.pi * np.arange(checks.whole("modes", modes)) / modes
    centres = radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return Mixture(centres, _positive("sigma", sigma))


def grid(side: int = 5, *, spacing: float = 2.0, sigma: float = 0.05) -> Mixture:
    """Returns side x side modes on a square grid about 0: {-4, -2, 0, 2, 4}^2 by default."""
    places = spacing * (np.arange(checks.whole("side", side)) - (side - 1) / 2)
    centres = np.stack(np.meshgrid(places, places, indexing="ij"), axis=-1).reshape(-1, 2)
    return Mixture(centres, _positive("sigma", sigma))


def count_modes(samples: Any, centres: Any, *, sigma: float) -> ModeCount:
    """Counts the modes that samples cover, and the samples near to one.

    The papers take 2,500 samples. Perfect ones score all modes and 1 - exp(-9/2), 98.89%.

    Args:
        samples: Points (N, 2), N >= 1. Those that are NaN or infinite are near to no mode.
        centres: Of the modes, (K, 2).
        sigma: Standard deviation of each mode, > 0.

    Raises:
        TypeError, ValueError: If `samples` are no points or none, or `centres` or `sigma` are
            wrong.
    """
    centres = checks.features("centres", centres, at_least=1, varied=False).astype(np.float64)
    sigma = _positive("sigma", sigma)
    samples = np.asarray(samples)
    count = len(samples) if samples.ndim else 0
    if samples.ndim == 2 and samples.dtype.kind == "f":  # a diverging GAN is scored, not refused
        samples = samples[np.isfinite(samples).all(axis=1)]
    if len(samples) or not count:
        samples = checks.features("samples", samples, at_least=1, varied=False).astype(np.float64)
    checks.same_dimension(samples.shape[1], centres.shape[1], names=("samples", "centres"))
    distances = np.linalg.norm(samples[:, np.newaxis] - centres, axis=2)  # (N, K)
    nearest = distances.argmin(axis=1)
    near = distances.min(axis=1) <= NEAR * sigma
    return ModeCount(
        covered=len(np.unique(nearest[near])),
        total=len(centres),
        high_quality=np.count_nonzero(near) / count,
    )


def _positive(name: str, value: float) -> float:
    if not (np.isscalar(value) and np.isfinite(value) and value > 0):
        raise ValueError(f"{name}: expected a number > 0. Received: {value!r}.")
    return float(value)
