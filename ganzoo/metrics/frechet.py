"""The Fréchet distance between two sets of features (Heusel 2017, equation 6; Dowson 1982).

On the pool3 features of the 2015 Inception network it is the FID, on those of any other network it
has another name.
"""

import contextlib
import dataclasses
from typing import Any

import numpy as np

from ganzoo.metrics import checks

_ROWS = 4096  # at a time, in float64


@dataclasses.dataclass(frozen=True, eq=False)
class Moments:
    """Mean and covariance of a set of features.

    Args:
        mean: float64 (d,).
        covariance: float64 (d, d), divided by count - 1.
        count: Images that they were taken over, at least 2.

    Raises:
        ValueError: If the shapes do not fit, a value is not finite, the covariance is not
            symmetric or has a negative variance, or count is less than 2.
    """

    mean: np.ndarray
    covariance: np.ndarray
    count: int

    def __post_init__(self):
        checks.whole("count", self.count, low=2)
        mean, covariance = (np.asarray(a, np.float64) for a in (self.mean, self.covariance))
        if mean.ndim != 1 or not mean.size or covariance.shape != 2 * mean.shape:
            raise ValueError(
                "Moments: expected a mean (d,) and a covariance (d, d). "
                f"Received: shapes {mean.shape} and {covariance.shape}."
            )
        if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
            raise ValueError("Moments: expected finite numbers. Received: NaN or infinite values.")
        variances = np.diagonal(covariance)
        if not np.allclose(covariance, covariance.T, rtol=0, atol=1e-6 * np.abs(variances).max()):
            raise ValueError("Moments: expected a symmetric covariance. Received: another matrix.")
        if variances.min() < 0:
            raise ValueError(f"Moments: expected variances >= 0. Received: {variances.min():g}.")
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "covariance", covariance)

    @property
    def dimension(self) -> int:
        """Features of an image, d."""
        return len(self.mean)


def moments(features: Any) -> Moments:
    """Returns mean and covariance of features, summed in float64, in blocks.

    Args:
        features: Numbers (N, d), N >= 2.

    Raises:
        TypeError, ValueError: As for `ganzoo.metrics.checks.features`.
    """
    return _moments(checks.features("features", features))


def frechet_distance(first: Any, second: Any) -> float:
    """Returns |m1 - m2|^2 + Tr(S1 + S2 - 2 (S1 S2)^(1/2)), at least 0.

    With factors F1, F2, S = F' F, the last trace is the sum of the singular values of F1 F2', so no
    root of a matrix that is not symmetric is taken. For N <= d features a factor is the centred
    features themselves, divided by sqrt(N - 1): exact, while eigenvalues of S that should be 0 are
    rounding errors, whose roots add up. For more features, and for `Moments`, it is the Cholesky
    factor of S; where S is singular, its first eigenvectors, count - 1 at most, times the roots of
    their eigenvalues.

    Args:
        first: `Moments`, or features (N, d), N >= 2.
        second: The same of the other set; which is which makes no difference.

    Raises:
        TypeError, ValueError: As for `ganzoo.metrics.checks.features`; ValueError too if d differs.
    """
    (mean1, factor1), (mean2, factor2) = (
        _factored(name, one) for name, one in (("first", first), ("second", second))
    )
    checks.same_dimension(len(mean1), len(mean2), names=("first", "second"))
    shift = mean1 - mean2
    traces = np.sum(factor1 * factor1) + np.sum(factor2 * factor2)
    root = np.linalg.svd(factor1 @ factor2.T, compute_uv=False).sum()
    return max(0.0, float(shift @ shift + traces - 2 * root))


def _moments(features: np.ndarray) -> Moments:
    count, dimension = features.shape
    blocks = [features[i : i + _ROWS] for i in range(0, count, _ROWS)]
    mean = sum(block.sum(axis=0, dtype=np.float64) for block in blocks) / count
    squares = np.zeros((dimension, dimension))
    for block in blocks:
        centred = block - mean  # float64
        squares += centred.T @ centred
    return Moments(mean, squares / (count - 1), count)


def _factored(name: str, one: Any) -> tuple[np.ndarray, np.ndarray]:
    """Returns the mean (d,) and a factor (r, d) of the covariance."""
    if not isinstance(one, Moments):
        one = checks.features(name, one)
        count, dimension = one.shape
        if count <= dimension:
            one = one.astype(np.float64)
            mean = one.mean(axis=0)
            return mean, (one - mean) / np.sqrt(count - 1)
        one = _moments(one)
    return one.mean, _factor(one)


def _factor(one: Moments) -> np.ndarray:
    """Returns F (r, d), S = F' F, where r is at most the rank that count allows."""
    if one.count > one.dimension:
        with contextlib.suppress(np.linalg.LinAlgError):  # singular: a feature that is always 0
            return np.linalg.cholesky(one.covariance).T
    values, vectors = np.linalg.eigh(one.covariance)  # ascending
    rank = min(one.count - 1, one.dimension)
    roots = np.sqrt(np.maximum(values[-rank:], 0))
    return roots[:, np.newaxis] * vectors[:, -rank:].T
