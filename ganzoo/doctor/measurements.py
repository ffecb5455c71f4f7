"""What the doctor measures of samples and logits, in NumPy.

Samples are rows (N, D), images flattened. Distances between sets of samples are of what they look
like along some fixed lines: of the quantiles there, which are small enough to be remembered.
"""

import dataclasses
from typing import Any

import numpy as np

QUANTILES = 16
LINES = 8
ROUNDS = 10
CELLS = 25
CELL = 0.2
"""Rows within this share of the data's mean distance belong together."""
NEAR = 0.05
"""A sample is a copy of another if it is nearer to it than this share of what is usual in data."""


def auc(real_logits: Any, fake_logits: Any) -> float:
    """Returns how often a real example's logit is above a generated one's, ties counting half.

    The area under the ROC curve (Hanley & McNeil 1982): 0.5 where logits tell nothing, 1 where
    they tell all examples apart. It does not depend on the loss, as the accuracy at 0 does.

    Args:
        real_logits: Of real examples, N >= 1 numbers.
        fake_logits: Of generated ones, M >= 1 numbers.
    """
    real, fake = np.ravel(real_logits)[:, None], np.ravel(fake_logits)[None, :]
    return float(np.mean((real > fake) + 0.5 * (real == fake)))


def accuracy(real_logits: Any, fake_logits: Any) -> float:
    """Returns the share of examples that the sign of their logit names rightly, both kinds alike.

    A logit of 0 is a guess and counts half.
    """
    real, fake = np.ravel(real_logits), np.ravel(fake_logits)
    right = (np.mean((np.sign(real) + 1) / 2), np.mean((1 - np.sign(fake)) / 2))
    return float(np.mean(right))


def pairwise(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns the Euclidean distances (N, M) of rows (N, D) and (M, D), float64."""
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if first.shape[1] <= 4:
        return np.sqrt(np.sum(np.square(first[:, None] - second[None]), axis=2))
    squares = np.sum(first**2, axis=1)[:, None] + np.sum(second**2, axis=1)[None]
    return np.sqrt(np.maximum(squares - 2 * first @ second.T, 0.0))


def neighbours(samples: np.ndarray) -> tuple[float, np.ndarray]:
    """Returns the mean distance of two different rows of samples (N, D), and the nearest others'.

    Args:
        samples: Rows, N >= 2.

    Returns:
        The mean over all pairs, and each row's distance (N,) to the nearest other row.
    """
    distances, count = pairwise(samples, samples), len(samples)
    np.fill_diagonal(distances, 0.0)
    mean = float(distances.sum() / (count * (count - 1)))
    np.fill_diagonal(distances, np.inf)
    return mean, distances.min(axis=1)


def lines(dimension: int, *, seed: int = 0) -> np.ndarray:
    """Returns unit vectors (D, L): of a line, of even angles in the plane, else drawn ones."""
    if dimension == 1:
        return np.ones((1, 1))
    if dimension == 2:
        angles = np.pi * np.arange(LINES) / LINES
        return np.stack([np.cos(angles), np.sin(angles)])
    drawn = np.random.default_rng(seed).standard_normal((dimension, LINES))
    return drawn / np.linalg.norm(drawn, axis=0)


def quantiles(samples: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Returns what samples (N, D) look like along lines (D, L): quantiles (L, 16), float64.

    They are those of the middles of 16 equal shares, so that their mean absolute difference is
    about the Wasserstein-1 distance along a line.
    """
    levels = (np.arange(QUANTILES) + 0.5) / QUANTILES
    return np.quantile(np.asarray(samples, np.float64) @ directions, levels, axis=0).T


def apart(first: np.ndarray, second: np.ndarray) -> float:
    """Returns the mean distance of two sets' quantiles (L, 16): a sliced Wasserstein-1 distance."""
    return float(np.mean(np.abs(np.asarray(first) - np.asarray(second))))


def cells(samples: np.ndarray, count: int, *, least: float = 0.0, seed: int = 0) -> np.ndarray:
    """Returns the centres (K, D) of K clusters of samples, by k-means from far places on.

    Each beginning centre is the row farthest from those before (Gonzalez 1985), so that every one
    of some far modes has a centre; ten rounds of Lloyd's algorithm follow.

    Args:
        samples: Rows (N, D).
        count: K at most, at most N.
        least: No more centres once every row is nearer than this to one: within a mode there is
            nothing to leave out.
        seed: Of the first centre.
    """
    samples = np.asarray(samples, np.float64)
    chosen = [int(np.random.default_rng(seed).integers(len(samples)))]
    nearest = pairwise(samples, samples[chosen])[:, 0]
    while len(chosen) < count and nearest.max() > least:
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, pairwise(samples, samples[chosen[-1:]])[:, 0])
    centres = samples[chosen].copy()
    for _ in range(ROUNDS):
        owners = pairwise(samples, centres).argmin(axis=1)
        for cell in np.unique(owners):
            centres[cell] = samples[owners == cell].mean(axis=0)
    return centres


def shares(samples: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Returns which share (K,) of the samples is nearest to each of K centres."""
    owners = pairwise(samples, centres).argmin(axis=1)
    return np.bincount(owners, minlength=len(centres)) / len(samples)


def missing(real: np.ndarray, fake: np.ndarray, *, least: float = 0.2) -> float:
    """Returns the share of the data in cells that generated samples leave out, in [0, 1].

    A cell is left out where it has less than `least` of the generated samples that it should have.

    Args:
        real: Shares (K,) of the data in each cell.
        fake: Shares (K,) of generated samples.
        least: Share of a cell's due.
    """
    return float(np.sum(real[fake < least * real]))


@dataclasses.dataclass(frozen=True)
class Data:
    """What the doctor remembers of real samples.

    Args:
        samples: Rows (N, D), N >= 2.
        centres: Of known modes, (K, D); None to find cells among the samples.
    """

    samples: np.ndarray
    centres: np.ndarray | None = None

    def __post_init__(self) -> None:
        samples, centres = self.samples, self.centres
        spread, nearest = neighbours(samples)
        if centres is None:
            count = max(2, min(CELLS, len(samples) // 10))
            centres = cells(samples, count, least=CELL * spread)
        along = lines(samples.shape[1])
        looks = quantiles(samples, along)
        own = {
            "centres": centres,
            "lines": along,
            "shares": shares(samples, centres),
            "quantiles": looks,
            # 1 is as far as a single point in the middle of the data is from them
            "scale": max(float(np.mean(np.abs(looks - looks.mean(axis=1, keepdims=True)))), 1e-12),
            "spread": max(spread, 1e-12),
            "nearest": float(np.median(nearest)),
        }
        for name, value in own.items():
            object.__setattr__(self, name, value)

    def compared(self, fake: np.ndarray) -> dict[str, Any]:
        """Returns what there is to say of generated samples (M, D), finite ones, M >= 2.

        Returns:
            `diversity`, their mean distance from each other over that of the data; `duplicates`,
            the share that has a copy among them; `missing`, the share of the data whose cells they
            leave out; `distance` from the data, 1 being that of a point in their middle; and, to
            compare with other samples, `quantiles` (L, 16) in that unit and `shares` (K,).
        """
        found = shares(fake, self.centres)
        looks = quantiles(fake, self.lines)
        spread, nearest = neighbours(fake)
        return {
            "diversity": spread / self.spread,
            "duplicates": float(np.mean(nearest < NEAR * self.nearest)),
            "missing": missing(self.shares, found),
            "distance": apart(looks, self.quantiles) / self.scale,
            "quantiles": looks / self.scale,
            "shares": found,
        }
