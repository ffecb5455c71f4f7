"""Nearest neighbours, and the four scores that rest on the balls which they span.

Around each point of a set lies a ball that reaches to its k-th neighbour in the same set, itself
not counted. Precision and recall are those of Kynkäänniemi 2019 (equations 1 and 2), density and
coverage those of Naeem 2020 (equations 2 and 3).

Distances are computed in blocks of rows, so memory grows with N, not N^2. They are Euclidean, from
products in float64, and rounded to float32 where both sets are float32: points that are as far from
each other in exact arithmetic then tie, whatever way the products were summed.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from ganzoo.metrics import checks

_BLOCK_BYTES = 1 << 27  # of a block of distances, and of one of features, in float64
_NOUGHT = 2e-14  # of |x|^2 + |y|^2: a squared distance below this is rounding error


@dataclasses.dataclass(frozen=True)
class Scores:
    """What `prdc` returns: shares in [0, 1], but for `density`, which has no upper bound."""

    precision: float
    recall: float
    density: float
    coverage: float


def precision_recall(
    real: Any, fake: Any, *, k: int = 3, inclusive: bool = True
) -> tuple[float, float]:
    """Returns the share of fake points in real balls and of real points in fake balls.

    Args:
        real: Features (N, d), N > k.
        fake: Features (M, d), M > k.
        k: Neighbour that a ball reaches to.
        inclusive: Whether a point exactly on a ball's surface is inside, as the paper has it. Naeem
            2020 and the package prdc leave it out, which only matters where distances tie.

    Returns:
        Precision and recall, in [0, 1].

    Raises:
        TypeError, ValueError: As for `ganzoo.metrics.checks.features`; ValueError too if d differs.
    """
    checks.whole("k", k)
    scores = prdc(real, fake, precision_k=k, density_k=k, inclusive=inclusive)
    return scores.precision, scores.recall


def density_coverage(real: Any, fake: Any, *, k: int = 5) -> tuple[float, float]:
    """Returns density and coverage; a point on a ball's surface is outside.

    Density is how many real balls a fake point lies in on average, over k; coverage is the share of
    real points with a fake point in their ball.

    Args:
        real: Features (N, d), N > k.
        fake: Features (M, d), M > k.
        k: Neighbour that a ball reaches to.

    Returns:
        Density, about 1 for equal distributions, and coverage, in [0, 1].

    Raises:
        TypeError, ValueError: As for `ganzoo.metrics.checks.features`; ValueError too if d differs.
    """
    real, fake = checks.pair(real, fake, at_least=1 + checks.whole("k", k))
    radii = nearest(real, k=k)[0][:, -1:]
    inside, covered = 0, 0
    for rows, distances in _blocks(real, fake):
        within = distances < radii[rows]
        inside += int(np.count_nonzero(within))
        covered += int(np.count_nonzero(within.any(axis=1)))
    return 1 / k * (inside / len(fake)), covered / len(real)


def prdc(
    real: Any, fake: Any, *, precision_k: int = 3, density_k: int = 5, inclusive: bool = True
) -> Scores:
    """Returns all four scores, for little more than the price of two.

    Args:
        real: Features (N, d), N > both k.
        fake: Features (M, d), M > both k.
        precision_k: As `k` of `precision_recall`.
        density_k: As `k` of `density_coverage`.
        inclusive: As for `precision_recall`.

    Raises:
        TypeError, ValueError: As for `ganzoo.metrics.checks.features`; ValueError too if d differs.
    """
    most = max(checks.whole("precision_k", precision_k), checks.whole("density_k", density_k))
    real, fake = checks.pair(real, fake, at_least=1 + most)
    to_real = nearest(real, k=most)[0]
    precision_radii, density_radii = to_real[:, [precision_k - 1]], to_real[:, [density_k - 1]]
    fake_radii = nearest(fake, k=precision_k)[0][:, -1]
    contains = np.less_equal if inclusive else np.less
    precise = np.zeros(len(fake), bool)
    recalled, inside, covered = 0, 0, 0
    for rows, distances in _blocks(real, fake):
        precise |= contains(distances, precision_radii[rows]).any(axis=0)
        recalled += int(np.count_nonzero(contains(distances, fake_radii).any(axis=1)))
        within = distances < density_radii[rows]
        inside += int(np.count_nonzero(within))
        covered += int(np.count_nonzero(within.any(axis=1)))
    return Scores(
        precision=int(np.count_nonzero(precise)) / len(fake),
        recall=recalled / len(real),
        density=1 / density_k * (inside / len(fake)),
        coverage=covered / len(real),
    )


def nearest(points: Any, others: Any = None, *, k: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Returns the k nearest neighbours of every point.

    Args:
        points: Features (N, d), N >= 1.
        others: Features (M, d), M >= k, among which neighbours are looked for; by default `points`,
            N > k, each point itself left out.
        k: Neighbours of each point.

    Returns:
        Distances, float (N, k), in ascending order, and the rows of `others` that are so far, int
        (N, k). Which ones of equally distant rows are taken is not stated, but for k = 1: the
        first.

    Raises:
        TypeError, ValueError: As for `ganzoo.metrics.checks.features`; ValueError too if d differs.
    """
    checks.whole("k", k)
    itself = others is None
    points = checks.features("points", points, at_least=k + 1 if itself else 1, varied=False)
    if itself:
        others = points
    else:
        others = checks.features("others", others, at_least=k, varied=False)
        checks.same_dimension(points.shape[1], others.shape[1], names=("points", "others"))
    return search(points, others, k=k, itself=itself)


def search(
    points: np.ndarray, others: np.ndarray, *, k: int, itself: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Does what `nearest` does, without its checks; takes uint8 too, such as pixels."""
    found = []
    for rows, distances in _blocks(points, others):
        if itself:
            own = np.arange(len(points))[rows]
            distances[own - rows.start, own] = np.inf
        found.append(_smallest(distances, k))
    return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))


def _smallest(distances: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the k smallest of each row, in ascending order, and their columns."""
    if k == 1:
        columns = distances.argmin(axis=1)[:, np.newaxis]
    elif k < distances.shape[1]:
        columns = np.argpartition(distances, k - 1, axis=1)[:, :k]
    else:
        columns = np.broadcast_to(np.arange(k), distances.shape)
    values = np.take_along_axis(distances, columns, axis=1)
    order = np.lexsort((columns, values))  # by value, then by column
    return tuple(np.take_along_axis(a, order, axis=1) for a in (values, columns))


def _blocks(points: np.ndarray, others: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yields rows of `points` and their distances (rows, M) to all of `others`."""
    exact = np.float32 if max(points.itemsize, others.itemsize) <= 4 else np.float64
    width = others.shape[1]
    height = max(1, _BLOCK_BYTES // (8 * max(len(others), width)))
    parts = _parts(len(others), max(1, _BLOCK_BYTES // (8 * width)))
    squares = np.concatenate([_squares(others[part]) for part in parts])
    for rows in _parts(len(points), height):
        block = points[rows].astype(np.float64)
        distances = np.empty((len(block), len(others)))
        for part in parts:
            np.matmul(block, others[part].astype(np.float64).T, out=distances[:, part])
        distances *= -2
        scale = _squares(block)[:, np.newaxis] + squares
        distances += scale
        scale *= _NOUGHT
        distances[distances < scale] = 0
        distances = distances.astype(exact, copy=False)
        yield rows, np.sqrt(distances, out=distances)


def _parts(count: int, size: int) -> list[slice]:
    return [slice(i, min(i + size, count)) for i in range(0, count, size)]


def _squares(rows: np.ndarray) -> np.ndarray:
    """Returns the squared length of every row, float64."""
    rows = rows.astype(np.float64)
    return np.einsum("ij,ij->i", rows, rows)
