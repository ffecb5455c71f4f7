"""Scores class by class, and whether images are of the class that was asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganzoo.metrics import checks
from ganzoo.metrics.frechet import Moments, frechet_distance
from ganzoo.metrics.ms_ssim import diversity

PAIRS = 2_000
"""Pairs of each class whose similarity is taken."""


@dataclass(frozen=True, eq=False)
class ByClass:
    """A score, and what it is of each class alone.

    Args:
        value: Of all classes.
        classes: Of each, by label, in ascending order.
    """

    value: float
    classes: dict[int, float]


def label_accuracy(logits: Any, labels: Any) -> ByClass:
    """Returns the share of images whose likeliest class is the one that was asked for.

    Args:
        logits: A classifier's, (N, classes).
        labels: What was asked for, whole numbers (N,), 0 to classes - 1.

    Raises:
        TypeError, ValueError: If these are no such arrays.
    """
    logits = checks.features("logits", logits, at_least=1, varied=False)
    labels = _labels("labels", labels, len(logits))
    if labels.max() >= logits.shape[1]:
        raise ValueError(
            f"labels: expected classes of this classifier, 0 to {logits.shape[1] - 1}. "
            f"Received: {labels.max()}."
        )
    right = logits.argmax(axis=1) == labels
    return ByClass(float(right.mean()), _each(labels, lambda rows, _: float(right[rows].mean())))


def intra_frechet(real: Any, real_labels: Any, fake: Any, labels: Any) -> ByClass:
    """Returns the mean over the classes of the Fréchet distance within each.

    On the pool3 features of the 2015 Inception network it is the intra-FID of Miyato & Koyama
    2018, section 5. It sees what the distance of all images does not: a class whose images are
    another's, as long as all classes together are well filled.

    Args:
        real: Features (N, d).
        real_labels: Their classes, (N,).
        fake: Features (M, d).
        labels: The classes that were asked for, (M,). The mean is over those.

    Raises:
        TypeError, ValueError: As for `frechet_distance`; ValueError too if a class has less than
            two real or two generated images.
    """
    real, fake = checks.pair(real, fake)
    real_labels = _labels("real_labels", real_labels, len(real))
    labels = _labels("labels", labels, len(fake))

    def distance(rows: np.ndarray, label: int) -> float:
        same = real_labels == label
        _enough(int(same.sum()), label, "real")
        _enough(int(rows.sum()), label, "generated")
        return frechet_distance(real[same], _varied(fake[rows]))

    return _mean(_each(labels, distance))


def intra_ms_ssim(images: Any, labels: Any, *, pairs: int = PAIRS, seed: int = 0) -> ByClass:
    """Returns the mean over the classes of the similarity of pairs of images of one class.

    It shows classes that have collapsed (Odena 2017, section 4.2, where it is taken class by
    class); see `ganzoo.metrics.ms_ssim.diversity`. It is read beside that of real images.

    Args:
        images: uint8 (N, H, W, C).
        labels: Their classes, (N,).
        pairs: Pairs of each class.
        seed: Of the pairs.

    Raises:
        TypeError, ValueError: As for `diversity`; ValueError too if a class has one image alone.
    """
    images = checks.images("images", images, at_least=2)
    labels = _labels("labels", labels, len(images))

    def similarity(rows: np.ndarray, label: int) -> float:
        _enough(int(rows.sum()), label, "of them")
        return diversity(images[rows], pairs=pairs, seed=seed)

    return _mean(_each(labels, similarity))


def like(labels: Any, count: int, *, seed: int = 0) -> np.ndarray:
    """Returns labels int64 (count,) as frequent as given ones, in an order drawn by the seed.

    Whole copies of the given ones, and of what is left a draw without replacement. Sorted ones
    would make each contiguous part of the images a class of its own, which scores of parts judge.
    """
    labels = np.asarray(labels, np.int64)
    rng = np.random.default_rng((seed, len(labels)))
    copies = [rng.permutation(labels) for _ in range(-(-count // len(labels)))]
    return rng.permutation(np.concatenate(copies)[:count])


def _each(labels: np.ndarray, score: Callable[[np.ndarray, int], float]) -> dict[int, float]:
    """Scores each class, from a mask of its rows (N,) and its label."""
    return {int(label): score(labels == label, int(label)) for label in np.unique(labels)}


def _varied(features: np.ndarray) -> np.ndarray | Moments:
    """Features of a class, or, of one that has collapsed to one image, their moments.

    As features of all images such ones are refused: there a network has failed.
    """
    if np.ptp(features, axis=0).any():
        return features
    mean = features[0].astype(np.float64)
    return Moments(mean, np.zeros((len(mean), len(mean))), len(features))


def _mean(classes: dict[int, float]) -> ByClass:
    return ByClass(float(np.mean([*classes.values()])), classes)


def _enough(count: int, label: int, what: str) -> None:
    if count < 2:
        raise ValueError(
            f"Expected at least 2 images of each class, to compare them within it; more images "
            f"have more of each. Received: {count} {what} of class {label}."
        )


def _labels(name: str, labels: Any, count: int) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"{name}: expected whole numbers. Received: dtype {labels.dtype}.")
    if labels.shape != (count,) or not count:
        raise ValueError(
            f"{name}: expected a label for each of {count} images. Received: shape {labels.shape}."
        )
    if labels.min() < 0:
        raise ValueError(f"{name}: expected labels >= 0. Received: {labels.min()}.")
    return labels
