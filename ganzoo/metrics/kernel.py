"""The kernel distance between two sets of features (Binkowski 2018): on Inception's, the KID."""

from typing import Any

import numpy as np

from ganzoo.metrics import checks


def kernel_distance(
    real: Any, fake: Any, *, subsets: int = 100, subset_size: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Returns the unbiased squared maximum mean discrepancy under k(x, y) = (x.y / d + 1)^3.

    Every subset is drawn without replacement from each set, by the generator that torch-fidelity
    uses, so that equal seeds give equal subsets. Equation 4 of the paper is the estimate.

    Args:
        real: Features (N, d), N >= subset_size.
        fake: Features (M, d), M >= subset_size.
        subsets: Estimates that are averaged.
        subset_size: Images of each set in one estimate, at least 2.
        seed: Of the subsets.

    Returns:
        Mean and standard deviation (ddof 0) of the estimates. Being unbiased they may be negative.

    Raises:
        TypeError, ValueError: As for `ganzoo.metrics.checks.features`; ValueError too if d differs.
    """
    checks.whole("subsets", subsets)
    checks.whole("subset_size", subset_size, low=2)
    real, fake = _enough(real, fake, subset_size)
    draw = np.random.RandomState(checks.whole("seed", seed, low=0)).choice
    estimates = []
    for _ in range(subsets):
        x = real[draw(len(real), subset_size, replace=False)].astype(np.float64)
        y = fake[draw(len(fake), subset_size, replace=False)].astype(np.float64)
        estimates.append(_within(x) + _within(y) - 2 * _kernel(x, y).mean())
    return float(np.mean(estimates)), float(np.std(estimates))


def _enough(real: Any, fake: Any, subset_size: int) -> tuple[np.ndarray, np.ndarray]:
    real, fake = checks.pair(real, fake)
    for name, features in (("real", real), ("fake", fake)):
        if len(features) < subset_size:
            raise ValueError(
                f"{name}: expected at least {subset_size} images, as many as subset_size says. "
                f"Received: {len(features)}; use more images, or a smaller subset_size."
            )
    return real, fake


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Returns the kernel of every row of x with every row of y."""
    base = x @ y.T
    base /= x.shape[1]
    base += 1
    return base * base * base  # `** 3` takes ten times as long


def _within(x: np.ndarray) -> float:
    """Returns the mean of the kernel over pairs of different rows."""
    kernel, count = _kernel(x, x), len(x)
    return (kernel.sum() - np.trace(kernel)) / (count * (count - 1))
