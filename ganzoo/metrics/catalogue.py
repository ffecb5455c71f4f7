"""Every metric by name: what it needs, and how it comes from real and generated images."""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ganzoo.data.images import Images
from ganzoo.errors import unknown
from ganzoo.metrics import (
    classes,
    codes,
    copies,
    frechet,
    inception_score,
    kernel,
    ms_ssim,
    neighbours,
    per_class,
)
from ganzoo.metrics import modes as mode_counts
from ganzoo.metrics import stacked as stacked_digits
from ganzoo.metrics import texts as text_scores
from ganzoo.metrics.extraction import Features
from ganzoo.metrics.features.inception_weights import FID_SHA256
from ganzoo.metrics.generated import Samples
from ganzoo.metrics.names import POINT_METRICS, TEXT_METRICS
from ganzoo.metrics.references import Reference
from ganzoo.metrics.test_errors import test_errors


@dataclass(frozen=True, eq=False)
class Pair:
    """Real images beside those that are judged; metrics of one kind share their work.

    Args:
        real: The reference.
        judged: The images or points, with what they were asked for by.
        extracted: Their features, None where no metric needs any.
        seed: Seed of what is drawn at random: subsets, pairs.
        classify: From grey images (N, H, W, 1) to digits (N,); None where no metric needs them.
        test: Labelled images of the split `test`; None where no metric needs them.
    """

    real: Reference
    judged: Samples
    extracted: Features | None
    seed: int
    classify: Callable[[np.ndarray], np.ndarray] | None = None
    test: Images | None = None

    @property
    def pixels(self) -> np.ndarray:
        return self.judged.pixels

    @property
    def features(self) -> np.ndarray:
        return self.extracted.features

    @cached_property
    def frechet(self) -> float:
        real, dimension = self.real.extracted.features, self.features.shape[1]
        low_rank = min(len(real), len(self.features)) <= dimension
        return frechet.frechet_distance(real if low_rank else self.real.moments, self.features)

    @cached_property
    def kernel(self) -> tuple[float, float | None]:
        """Mean and deviation over subsets; no deviation where each would be the whole of both."""
        real, fake = self.real.extracted.features, self.features
        size = min(1000, len(real), len(fake))
        if size == len(real) == len(fake):
            mean, _ = kernel.kernel_distance(real, fake, subsets=1, subset_size=size)
            return mean, None
        return kernel.kernel_distance(real, fake, subset_size=size, seed=self.seed)

    @cached_property
    def neighbours(self) -> neighbours.Scores:
        return neighbours.prdc(self.real.extracted.features, self.features)

    @cached_property
    def copies(self) -> float:
        fake, train = (_shrunk(one) for one in (self.pixels, self.real.images.images))
        found = copies.copies(fake, train, expected=0.01, seed=self.seed)
        return found.count / found.total

    @cached_property
    def class_shares(self) -> np.ndarray:
        return classes.class_shares(self.extracted.logits)

    @cached_property
    def modes(self) -> mode_counts.ModeCount:
        mixture = self.real.images.mixture
        return mode_counts.count_modes(self.pixels, mixture.centres, sigma=mixture.sigma)

    @cached_property
    def texts(self) -> list[str]:
        return self.real.images.language.decode(self.pixels)

    @cached_property
    def known_texts(self) -> list[str]:
        return self.real.images.language.decode(self.real.images.images)

    @property
    def valid(self) -> Callable[[str], bool]:
        return self.real.images.language.valid

    @cached_property
    def intra_frechet(self) -> per_class.ByClass:
        real = self.real.extracted.features, self.real.labels
        return per_class.intra_frechet(*real, self.features, self.judged.labels)

    @cached_property
    def triples(self) -> tuple[int, float]:
        return stacked_digits.stacked_modes(self.pixels, self.classify)


@dataclass(frozen=True)
class Metric:
    """How one metric is computed.

    Args:
        compute: From a pair to the value, to value and standard deviation, or to a `ByClass`.
        needs: `"features"`, `"logits"` or `"pixels"` of images; `"digits"` of their channels;
            `"mixture"`, that points were drawn from; `"language"`, that texts are of; `"gan"`
            itself, and no images.
        only: The kind of extractor that gives it its name: `"inception"`, `"classifier"`,
            `"efficientnet"`; for digits, the extractor's name; empty where any does.
        least: Images that it takes at least, real and generated.
        floor: Whether held-out real images can be scored in place of generated ones.
        asks: What the GAN must be able to, one of `ABILITIES`; empty where any will do.
    """

    compute: Callable[[Pair], Any]
    needs: str = "features"
    only: str = ""
    least: int = 2
    floor: bool = True
    asks: str = ""


DIGITS_CLASSIFIER = "mnist_classifier"
_NO_NETWORK = ("pixels", "mixture", "language", "gan")
# What `ganzoo.metrics.generated.abilities` tells, and whose scores rest on it.
ABILITIES = {
    "labels": "images made for a label: of a conditional GAN, or a pair (images, labels)",
    "codes": "images made for a categorical code: of an InfoGAN that has one",
    "classify": "a GAN that tells the classes of images",
}

CATALOGUE = {
    "fid": Metric(lambda pair: pair.frechet, only="inception"),
    "kid": Metric(lambda pair: pair.kernel, only="inception"),
    "inception_score": Metric(
        lambda pair: inception_score.inception_score(pair.extracted.logits),
        needs="logits",
        only="inception",
        least=10,
    ),
    "fcd": Metric(lambda pair: pair.frechet, only="classifier"),
    "fd_efficientnet": Metric(lambda pair: pair.frechet, only="efficientnet"),
    "frechet_distance": Metric(lambda pair: pair.frechet),
    "kernel_distance": Metric(lambda pair: pair.kernel),
    "precision": Metric(lambda pair: pair.neighbours.precision, least=5),
    "recall": Metric(lambda pair: pair.neighbours.recall, least=5),
    "density": Metric(lambda pair: pair.neighbours.density, least=7),
    "coverage": Metric(lambda pair: pair.neighbours.coverage, least=7),
    "ms_ssim": Metric(lambda pair: ms_ssim.diversity(pair.pixels, seed=pair.seed), needs="pixels"),
    "sure": Metric(
        lambda pair: classes.sure(pair.extracted.logits), needs="logits", only="classifier"
    ),
    "rarest_class": Metric(
        lambda pair: float(pair.class_shares.min()), needs="logits", only="classifier"
    ),
    "commonest_class": Metric(
        lambda pair: float(pair.class_shares.max()), needs="logits", only="classifier"
    ),
    "copies": Metric(lambda pair: pair.copies, needs="pixels", floor=False),
    "label_accuracy": Metric(
        lambda pair: per_class.label_accuracy(pair.extracted.logits, pair.judged.labels),
        needs="logits",
        only="classifier",
        asks="labels",
    ),
    "intra_fcd": Metric(lambda pair: pair.intra_frechet, only="classifier", asks="labels"),
    "intra_ms_ssim": Metric(
        lambda pair: per_class.intra_ms_ssim(pair.pixels, pair.judged.labels, seed=pair.seed),
        needs="pixels",
        asks="labels",
    ),
    "code_agreement": Metric(
        lambda pair: codes.agreement(pair.judged.codes, pair.extracted.logits.argmax(axis=1)),
        needs="logits",
        only="classifier",
        floor=False,
        asks="codes",
    ),
    "test_errors": Metric(
        lambda pair: test_errors(pair.judged.gan, pair.test.images, pair.test.labels),
        needs="gan",
        floor=False,
        asks="classify",
    ),
    "modes": Metric(lambda pair: pair.modes.covered, needs="mixture", least=1),
    "high_quality": Metric(lambda pair: pair.modes.high_quality, needs="mixture", least=1),
    "validity": Metric(
        lambda pair: text_scores.validity(pair.texts, pair.valid), needs="language", least=1
    ),
    "distinct": Metric(
        lambda pair: text_scores.distinct(pair.texts, pair.valid), needs="language", least=1
    ),
    "novelty": Metric(
        lambda pair: text_scores.novelty(pair.texts, pair.known_texts, pair.valid),
        needs="language",
        least=1,
    ),
    "stacked_modes": Metric(
        lambda pair: pair.triples[0], needs="digits", only=DIGITS_CLASSIFIER, least=1
    ),
    "stacked_kl": Metric(
        lambda pair: pair.triples[1], needs="digits", only=DIGITS_CLASSIFIER, least=1
    ),
}
OF_DIGITS = tuple(name for name, metric in CATALOGUE.items() if metric.needs == "digits")


def _shrunk(images: np.ndarray, side: int = 32) -> np.ndarray:
    """Images of more than `side` pixels by means of blocks: a copy shows at that size too."""
    count, height, width, channels = images.shape
    block = min(height, width) // side
    if block < 2:
        return np.asarray(images)
    rows, columns = height // block, width // block
    small = np.empty((count, rows, columns, channels), np.uint8)
    for start in range(0, count, 1024):
        part = np.asarray(images[start : start + 1024, : rows * block, : columns * block])
        part = part.reshape(len(part), rows, block, columns, block, channels)
        small[start : start + 1024] = part.mean(axis=(2, 4)).round()
    return small


def chosen(names: Iterable[str], extractor: Any) -> dict[str, Metric]:
    """Returns the metrics of these names, in the catalogue's order.

    Args:
        names: Names of `ganzoo.metrics.names.METRICS`.
        extractor: The extractor they are to rest on, None if there is none.

    Raises:
        ValueError: If a name is unknown, or a metric's name is not due to this extractor: only
            the 2015 Inception network gives FID, KID and Inception scores.
    """
    names = [names] if isinstance(names, str) else list(names)
    for name in names:
        if name not in CATALOGUE:
            raise unknown("metric", name, CATALOGUE)
        _check_name(name, CATALOGUE[name], extractor)
    if not names:
        raise ValueError(f"Expected at least one metric of {', '.join(CATALOGUE)}.")
    return {name: metric for name, metric in CATALOGUE.items() if name in names}


def without_network(names: Iterable[str]) -> bool:
    """Whether these are metrics, one or more, that all need no extractor."""
    names = list(names)
    return bool(names) and all(n in CATALOGUE and CATALOGUE[n].needs in _NO_NETWORK for n in names)


def check_shape(names: Iterable[str], shape: tuple[int, ...]) -> None:
    """Raises `ValueError` where a metric is not for images (H, W, C) or points (D,) of this shape.

    Raises:
        ValueError: If it is of points and these are images, or the other way round, or of three
            channels and these have others.
    """
    points = len(shape) == 1
    for name in names:
        needs = CATALOGUE[name].needs if name in CATALOGUE else ""
        if needs and points != (needs in ("mixture", "language")):
            own, other = ("points", "images") if points else ("images", "points")
            theirs = f"{', '.join(POINT_METRICS)}, of texts {', '.join(TEXT_METRICS)}"
            instead = f"; of points there are {theirs}" if points else ""
            raise ValueError(
                f"{name} is a score of {other}. Received: {own} of shape {shape}{instead}."
            )
        if needs == "digits" and shape[-1] != 3:
            raise ValueError(f"{name} expects digits in 3 channels. Received: images of {shape}.")


def check_abilities(names: Iterable[str], abilities: Iterable[str], subject: str) -> None:
    """Raises `ValueError` where a metric asks for what a GAN or images cannot give.

    Args:
        names: Of metrics.
        abilities: Of `ABILITIES`.
        subject: What is to be scored, for the message.

    Raises:
        ValueError: If it is, for example, of labels, and the GAN is unconditional.
    """
    for name in names:
        asks = CATALOGUE[name].asks
        if asks and asks not in abilities:
            raise ValueError(f"{name} is a score of {ABILITIES[asks]}. Received: {subject}.")


def check_labels(metrics: dict[str, Metric], real: Images) -> None:
    """Raises `ValueError` where classes are to be compared and the real images have none."""
    of_labels = [name for name, metric in metrics.items() if metric.asks == "labels"]
    if of_labels and real.labels is None:
        raise ValueError(f"{of_labels[0]} needs real images with labels. Received: {real!r}.")


def check_mixture(metrics: dict[str, Metric], real: Images) -> None:
    """Raises `ValueError` where modes or valid texts are to be counted and nobody knows them."""
    of_texts = [name for name, metric in metrics.items() if metric.needs == "language"]
    if of_texts and real.language is None:
        raise ValueError(
            f"{of_texts[0]} is counted where the rules are known: expected the data set "
            f"'arithmetic' or 'dates'. Received: {real!r}."
        )
    counted = [name for name, metric in metrics.items() if metric.needs == "mixture"]
    if counted and real.mixture is None:
        raise ValueError(
            f"{counted[0]} is counted where the modes are known: expected the data set 'ring' or "
            f"'grid'. Received: {real!r}."
        )


def _check_name(name: str, metric: Metric, extractor: Any) -> None:
    if metric.needs in _NO_NETWORK:
        return
    if extractor is None:
        raise ValueError(f"{name} needs a feature extractor: give extractor=.")
    due = extractor.name if metric.needs == "digits" else kind(extractor)
    if metric.only and metric.only != due:
        others = {"fid": "frechet_distance", "kid": "kernel_distance"}
        instead = others.get(name, "frechet_distance" if name.startswith("f") else "precision")
        network = {
            "inception": "the 2015 Inception network",
            "classifier": "a published classifier",
            "efficientnet": "EfficientNet-Lite0",
        }
        raise ValueError(
            f"{name} is the name of a score on {network.get(metric.only, metric.only)}. "
            f"Received: extractor {extractor.name} {extractor.hash[:12]}; {instead!r} takes any."
        )


def kind(extractor: Any) -> str:
    """Returns which named scores an extractor may give, by what its weights are."""
    if extractor.hash == FID_SHA256:
        return "inception"
    if extractor.name.endswith("_classifier"):
        return "classifier"
    return "efficientnet" if extractor.name == "efficientnet_lite0" else ""


def check_counts(metrics: dict[str, Metric], pair: Pair) -> None:
    """Raises `ValueError` where a metric has too few images, and warns where papers go on.

    Raises:
        ValueError: If there are fewer real or generated images than a metric takes.
    """
    metrics = {name: metric for name, metric in metrics.items() if metric.needs != "gan"}
    if not metrics:
        return
    real, fake = len(pair.real), len(pair.pixels)
    for name, metric in metrics.items():
        if min(real, fake) < metric.least:
            raise ValueError(
                f"{name} takes at least {metric.least} real and as many generated images. "
                f"Received: {real} real, {fake} generated."
            )
    dimension = None if pair.extracted is None else pair.features.shape[1]
    distances = [name for name in metrics if name.startswith("f")]
    if dimension and distances and min(real, fake) < dimension:
        _warn_of_bias(distances[0], f"{real} real and {fake} generated images", dimension)
    elif "intra_fcd" in metrics:
        of_classes = (pair.real.labels, pair.judged.labels)
        least = [np.unique(labels, return_counts=True)[1].min() for labels in of_classes]
        if min(least) < dimension:
            told = f"classes of {least[0]} real and {least[1]} generated images"
            _warn_of_bias("intra_fcd", told, dimension)


def _warn_of_bias(name: str, images: str, dimension: int) -> None:
    warnings.warn(
        f"{name} of {images}, fewer than the {dimension} features: its bias is large, compare it "
        "at equal numbers only.",
        stacklevel=5,
    )
