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
_NOUGHT = 4e-14  # of |x|^2: a squared distance below this is rounding error


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
    radii = _radii(real, k)[0][:, np.newaxis]
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
    precision_radii, density_radii = (
        radii[:, np.newaxis] for radii in _radii(real, precision_k, density_k)
    )
    (fake_radii,) = _radii(fake, precision_k)
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
    found = [
        _smallest(distances, k)
        for _, distances in _blocks(points, others, itself=np.inf if itself else None)
    ]
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


def _radii(points: np.ndarray, *ks: int) -> tuple[np.ndarray, ...]:
    """Returns the distances (N,) of every point to its k-th neighbour, for each k."""
    most = max(ks)
    nearest = [  # most + 1 with the point itself, the first, at distance 0
        np.partition(distances, most, axis=1)[:, : most + 1].copy()
        for _, distances in _blocks(points, points, itself=0)
    ]
    ordered = np.sort(np.concatenate(nearest), axis=1)
    return tuple(ordered[:, k] for k in ks)


def _blocks(
    points: np.ndarray, others: np.ndarray, *, itself: float | None = None
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yields rows of `points` and their distances (rows, M) to all of `others`.

    The array is used again for the next rows. With `itself`, both sets are the same, and the
    distance of a point to itself is that.
    """
    exact = np.float32 if max(points.itemsize, others.itemsize) <= 4 else np.float64
    width = others.shape[1]
    height = min(len(points), max(1, _BLOCK_BYTES // (8 * max(len(others), width))))
    parts = _parts(len(others), max(1, _BLOCK_BYTES // (8 * width)))
    squares = np.concatenate([_squares(others[part].astype(np.float64)) for part in parts])
    products, results = (np.empty((height, len(others)), kind) for kind in (np.float64, exact))
    for rows in _parts(len(points), height):
        block = points[rows].astype(np.float64)
        own = _squares(block)[:, np.newaxis]
        block *= -2
        product, result = products[: len(block)], results[: len(block)]
        for part in parts:
            np.matmul(block, others[part].astype(np.float64).T, out=product[:, part])
        product += own
        product += squares
        product[product < _NOUGHT * own] = 0
        np.copyto(result, product, casting="same_kind")  # rounds before the root, as prdc does
        np.sqrt(result, out=result)
        if itself is not None:
            result[np.arange(len(block)), np.arange(rows.start, rows.stop)] = itself
        yield rows, result


def _parts(count: int, size: int) -> list[slice]:
    return [slice(i, min(i + size, count)) for i in range(0, count, size)]


def _squares(rows: np.ndarray) -> np.ndarray:
    """Returns the squared length of every row."""
    return np.einsum("ij,ij->i", rows, rows)
