"""Every metric by name: what it needs, and how it comes from real and generated images."""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ganzoo.errors import unknown
from ganzoo.metrics import classes, copies, frechet, inception_score, kernel, ms_ssim, neighbours
from ganzoo.metrics.extraction import Features
from ganzoo.metrics.features.inception_weights import FID_SHA256
from ganzoo.metrics.references import Reference


@dataclass(frozen=True, eq=False)
class Pair:
    """Real images beside those that are judged; metrics of one kind share their work.

    Args:
        real: The reference.
        pixels: The judged images, uint8 (N, H, W, C).
        extracted: Their features, None where no metric needs any.
        seed: Seed of what is drawn at random: subsets, pairs.
    """

    real: Reference
    pixels: np.ndarray
    extracted: Features | None
    seed: int

    @property
    def features(self) -> np.ndarray:
        return self.extracted.features

    @cached_property
    def frechet(self) -> float:
        real, dimension = self.real.extracted.features, self.features.shape[1]
        low_rank = min(len(real), len(self.features)) <= dimension
        return frechet.frechet_distance(real if low_rank else self.real.moments, self.features)

    @cached_property
    def kernel(self) -> tuple[float, float]:
        size = min(1000, len(self.real), len(self.features))
        real = self.real.extracted.features
        return kernel.kernel_distance(real, self.features, subset_size=size, seed=self.seed)

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


@dataclass(frozen=True)
class Metric:
    """How one metric is computed.

    Args:
        compute: From a pair to the value, or to value and standard deviation.
        needs: `"features"`, `"logits"` or `"pixels"`.
        only: The kind of extractor that gives it its name: `"inception"`, `"classifier"`,
            `"efficientnet"`; empty where any does.
        least: Images that it takes at least, real and generated.
        floor: Whether held-out real images can be scored in place of generated ones.
    """

    compute: Callable[[Pair], Any]
    needs: str = "features"
    only: str = ""
    least: int = 2
    floor: bool = True


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
}


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


def of_pixels(names: Iterable[str]) -> bool:
    """Whether these are metrics, one or more, that all need no features."""
    names = list(names)
    return bool(names) and all(n in CATALOGUE and CATALOGUE[n].needs == "pixels" for n in names)


def _check_name(name: str, metric: Metric, extractor: Any) -> None:
    if metric.needs == "pixels":
        return
    if extractor is None:
        raise ValueError(f"{name} needs a feature extractor: give extractor=.")
    if metric.only and kind(extractor) != metric.only:
        others = {"fid": "frechet_distance", "kid": "kernel_distance"}
        instead = others.get(name, "frechet_distance" if name.startswith("f") else "precision")
        network = {
            "inception": "the 2015 Inception network",
            "classifier": "a published classifier",
        }
        raise ValueError(
            f"{name} is the name of a score on {network.get(metric.only, 'EfficientNet-Lite0')}. "
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
    real, fake = len(pair.real), len(pair.pixels)
    for name, metric in metrics.items():
        if min(real, fake) < metric.least:
            raise ValueError(
                f"{name} takes at least {metric.least} real and as many generated images. "
                f"Received: {real} real, {fake} generated."
            )
    dimension = None if pair.extracted is None else pair.features.shape[1]
    distances = [name for name, m in metrics.items() if name.startswith("f")]
    if dimension and distances and min(real, fake) < dimension:
        warnings.warn(
            f"{distances[0]} of {real} real and {fake} generated images, fewer than the "
            f"{dimension} features: its bias is large, compare it at equal numbers only.",
            stacklevel=4,
        )
