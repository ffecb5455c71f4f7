"""Whether samples are copies of training images: how near each is to its nearest one.

A distance means nothing alone. It is read against how near images that nobody generated lie to the
training images: held-out ones, or the training images to each other.
"""

import dataclasses
from typing import Any

import numpy as np

from ganzoo.metrics import checks, neighbours


@dataclasses.dataclass(frozen=True, eq=False)
class Copies:
    """What `copies` returns.

    Args:
        count: Suspected copies: samples nearer to a training image than `threshold`.
        identical: Those of them that equal a training image.
        total: Samples.
        threshold: Distance; the quantile `expected` of those of real images.
        ratio: Median distance of the samples over that of real images; far below 1, samples sit
            closer to the training images than new ones do.
        distances: Of each sample to its nearest training image, float (total,).
        indices: Number of that image, int (total,).
        closest: Numbers of the samples that are nearest of all, in ascending order of distance.
    """

    count: int
    identical: int
    total: int
    threshold: float
    ratio: float
    distances: np.ndarray
    indices: np.ndarray
    closest: np.ndarray

    @property
    def pairs(self) -> np.ndarray:
        """The closest pairs, int (P, 2): number of the sample, number of the training image."""
        return np.stack([self.closest, self.indices[self.closest]], axis=1)


def copies(
    fake: Any,
    train: Any,
    *,
    held_out: Any = None,
    expected: float = 0.0,
    pairs: int = 10,
    seed: int = 0,
) -> Copies:
    """Looks for the nearest training image of every sample, and counts suspected copies.

    Distances are Euclidean, over pixels in grey levels or over features. Pixels find literal
    copies; features, also those that are shifted or recoloured.

    Args:
        fake: Samples: uint8 images (N, H, W, C), or features (N, d).
        train: Training images, all of them: uint8 (M, H, W, C), or features (M, d), M >= 2.
        held_out: Images of the same kind that were not trained on. By default training images
            stand in, as many as there are samples, each left out of its own search. Those that
            equal another training image count neither way.
        expected: Share of real images to lie below the threshold, at least 0 and below 1: of
            samples that copy nothing, about that share is suspected too. With 0 the threshold is
            the smallest distance of all; a few near-duplicates among the training images make it
            too small to find anything, and 0.01, say, is better.
        pairs: Closest pairs to list.
        seed: Of the training images that stand in.

    Raises:
        TypeError, ValueError: If an array is neither images nor features, the arrays do not fit
            each other, `expected` is out of range, or every real image equals a training image.
    """
    if not 0 <= expected < 1:
        raise ValueError(f"expected: expected a share >= 0 and < 1. Received: {expected!r}.")
    checks.whole("pairs", pairs)
    train_shape, train = _flat("train", train, at_least=2)
    fake = _like("fake", fake, train_shape)
    if held_out is None:
        chosen = np.random.default_rng(seed).permutation(len(train))[: len(fake)]
        itself_and_next, _ = neighbours.search(train[chosen], train, k=2)
        real = itself_and_next[:, 1]
    else:
        real = neighbours.search(_like("held_out", held_out, train_shape), train, k=1)[0][:, 0]
    real = real[real > 0]
    if not len(real):
        raise ValueError(
            f"{'train' if held_out is None else 'held_out'}: expected images that differ from the "
            "training images. Received: all equal one."
        )
    distances, indices = (found[:, 0] for found in neighbours.search(fake, train, k=1))
    threshold = float(np.quantile(real, expected))
    return Copies(
        count=int(np.count_nonzero(distances < threshold)),
        identical=int(np.count_nonzero(distances == 0)),
        total=len(fake),
        threshold=threshold,
        ratio=float(np.median(distances) / np.median(real)),
        distances=distances,
        indices=indices,
        closest=np.argsort(distances, kind="stable")[:pairs],
    )


def _flat(name: str, array: Any, *, at_least: int = 1) -> tuple[tuple[int, ...], np.ndarray]:
    """Returns the shape of one image, and the images or features as uint8 or float (N, d)."""
    array = np.asarray(array)
    if array.ndim == 4:
        array = checks.images(name, array, at_least=at_least)
        return array.shape[1:], array.reshape(len(array), -1)
    array = checks.features(name, array, at_least=at_least, varied=at_least > 1)
    return array.shape[1:], array


def _like(name: str, array: Any, shape: tuple[int, ...]) -> np.ndarray:
    found, array = _flat(name, array)
    if found != shape:
        raise ValueError(
            f"{name} and train: expected images, or features, of one shape. "
            f"Received: {found} and {shape}."
        )
    return array
