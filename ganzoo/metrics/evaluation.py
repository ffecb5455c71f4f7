"""Scores a GAN, or images made elsewhere, against real images: `evaluate`."""

import os
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from ganzoo import builders, registry
from ganzoo import data as data_room
from ganzoo.config import ZooConfig
from ganzoo.data.sources import fold
from ganzoo.data.stacked import NAME as STACKED_NAME
from ganzoo.gans import GAN
from ganzoo.metrics import catalogue, extraction, features
from ganzoo.metrics.catalogue import Metric, Pair
from ganzoo.metrics.names import POINT_METRICS
from ganzoo.metrics.references import Reference, draw, opened_images, reference
from ganzoo.metrics.scores import Evaluation, Score

IMAGES = 10_000
# How many samples papers count modes of.
POINTS = 2_500
STACKED = 26_000

_ANY = ("precision", "recall", "density", "coverage", "ms_ssim", "copies")
# What is measured where neither the caller nor a config says it, by kind of extractor.
DEFAULTS = {
    "inception": ("fid", "kid", *_ANY),
    "classifier": ("fcd", *_ANY, "sure", "rarest_class", "commonest_class"),
    "efficientnet": ("fd_efficientnet", *_ANY),
    "": ("frechet_distance", *_ANY),
    "digits": catalogue.OF_DIGITS,
    "points": POINT_METRICS,
}


def evaluate(
    gan: GAN | str | np.ndarray,
    data: Any = None,
    *,
    metrics: Iterable[str] | None = None,
    images: int | None = None,
    extractor: Any = None,
    floor: bool = True,
    seed: int = 0,
    split: str | None = None,
    data_dir: str | os.PathLike | None = None,
    weights: str | os.PathLike | None = "pretrained",
    ema: bool = True,
    batch_size: int = extraction.BATCH_SIZE,
    cache: bool = True,
    progress: bool = True,
) -> Evaluation:
    """Measures how good generated images are.

    As many real images as generated ones are drawn by the seed; where the data set has fewer, all
    of them, or half of them if the other half has to give the floor.

    Args:
        gan: A GAN, the name of an entry, or images (N, H, W, C) or points (N, D) that were made
            elsewhere.
        data: The real images: a source as `ganzoo.data.open_source` takes it or a data set of
            `ganzoo.data.load`; by default the entry's.
        metrics: Names of `ganzoo.metrics.names.METRICS`; by default the entry's, else those that
            fit the data and the extractor.
        images: Number of images to generate; by default the entry's, else 10,000, or as many as
            papers count modes of: 2,500 points, 26,000 stacked digits.
        extractor: A name of `ganzoo.metrics.names.EXTRACTORS`, or an extractor; by default the
            entry's, else the classifier of digits for stacked ones and the 2015 Inception network
            for other colour images. Points need none.
        floor: Whether to score held-out real images too, from the split `test` where there is
            one: what perfect samples would get.
        seed: Seed of the latents and of the choice of real images.
        split: Split of the real images; by default the entry's, else `train`.
        data_dir: Folder that is searched for the data set first.
        weights: For a name: see `ganzoo.load`.
        ema: Whether the moving average of the generator is scored.
        batch_size: Images at a time.
        cache: Whether features of real images are kept on disk, see `ganzoo.metrics.reference`.
        progress: Whether to show progress bars.

    Returns:
        The scores by metric; printed, a table.

    Raises:
        ValueError: If a name is unknown or not due to the extractor, or images do not fit or are
            too few.
    """
    config = _config_of(gan)
    if isinstance(gan, str):
        gan = builders.load(gan, weights=weights)
    evaluator = Evaluator(
        data,
        config=config,
        metrics=metrics,
        images=images if isinstance(gan, GAN) else len(gan),
        image_shape=gan.image_shape if isinstance(gan, GAN) else gan.shape[1:],
        extractor=extractor,
        floor=floor,
        seed=seed,
        split=split,
        data_dir=data_dir,
        batch_size=batch_size,
        cache=cache,
        progress=progress,
        strategy=gan.distribute_strategy if isinstance(gan, GAN) else None,
    )
    return evaluator.score(gan, ema=ema)


class Evaluator:
    """Real images, an extractor and metrics, made ready once to score GANs again and again.

    Args:
        data: See `evaluate`.
        config: The entry whose data, metrics, extractor and number of images are the defaults.
        image_shape: (H, W, C) of the images that will be scored, (D,) of points.
        metrics: See `evaluate`, as for all that follow.
        images: Number of images to generate.
        extractor: Name or extractor.
        floor: Whether to score held-out real images too.
        seed: Seed of latents and choices.
        split: Split of the real images.
        data_dir: Folder that is searched first.
        batch_size: Images at a time.
        cache: Whether features are kept on disk.
        progress: Whether to show progress bars.
        strategy: Where the extractor runs, a `tf.distribute.Strategy`; by default the current one.

    Raises:
        ValueError: See `evaluate`.
    """

    def __init__(
        self,
        data: Any = None,
        *,
        image_shape: tuple[int, ...],
        config: ZooConfig | None = None,
        metrics: Iterable[str] | None = None,
        images: int | None = None,
        extractor: Any = None,
        floor: bool = True,
        seed: int = 0,
        split: str | None = None,
        data_dir: str | os.PathLike | None = None,
        batch_size: int = extraction.BATCH_SIZE,
        cache: bool = True,
        progress: bool = True,
        strategy: tf.distribute.Strategy | None = None,
    ):
        wanted = config.evaluation if config else None
        self.seed, self.batch_size, self.progress = seed, batch_size, progress
        self.strategy = strategy or tf.distribute.get_strategy()
        source = _source(data, config)
        names = metrics or (wanted and wanted.metrics) or _usual(source, image_shape)
        names = [names] if isinstance(names, str) else list(names)
        catalogue.check_shape(names, image_shape)
        self.extractor = None
        if not catalogue.without_network(names):
            given = extractor or (wanted and wanted.extractor)
            self.extractor = self._extractor(given, names, image_shape)
            names = names or DEFAULTS[catalogue.kind(self.extractor)]
        self.metrics = catalogue.chosen(names, self.extractor)
        self.images = images or (wanted.images if wanted else _usual_number(names))
        options = {
            "split": split or (config.data.split if config else "train"),
            "data_dir": data_dir,
        }
        if len(image_shape) == 3:
            crop = config.data.crop if config else None
            size, _, channels = image_shape
            options |= {"image_size": size, "channels": channels, "crop": crop}
        real, held_out = self._real(source, options, floor=floor, cache=cache)
        self.real = real
        self.floors = {}
        if held_out:
            metrics = {name: metric for name, metric in self.metrics.items() if metric.floor}
            self.floors = self._compute(metrics, held_out.pixels, held_out.extracted)

    def score(self, gan: GAN | np.ndarray, *, ema: bool = True) -> Evaluation:
        """Returns the scores of a GAN's images or points, or of images (N, H, W, C).

        Raises:
            ValueError: If the images do not fit the real ones or are too few.
        """
        if isinstance(gan, GAN):
            subject = gan.name
            pixels = gan.generate(self.images, seed=self.seed, batch_size=self.batch_size, ema=ema)
        elif self.real.images.points:
            subject, pixels = "points", np.asarray(gan)  # NaN counts as far from all modes
        else:
            subject = "images"
            pixels = np.asarray(data_room.open_source(gan, progress=False).images)
        shape = self.real.images.images.shape[1:]
        if pixels.shape[1:] != shape:
            raise ValueError(
                f"Expected {self.real.images.noun} of {shape}, as the real ones are. "
                f"Received: {pixels.shape[1:]}."
            )
        extracted = None
        if self._needs_features:
            extracted = self._extract(pixels, "generated")
        values = self._compute(self.metrics, pixels, extracted)
        scores = [self._score(name, values[name], len(pixels)) for name in self.metrics]
        return Evaluation(subject, self.real.images.name, self.real.images.fingerprint, scores)

    def _score(self, name: str, value: Any, count: int) -> Score:
        value, std = value if isinstance(value, tuple) else (value, None)
        floor = self.floors.get(name)
        network = {}
        if not catalogue.without_network([name]):
            one = self.extractor
            network = {"extractor": one.name, "extractor_hash": one.hash, "resize": one.resize}
        return Score(
            metric=name,
            value=float(value),
            std=None if std is None else float(std),
            floor=None if floor is None else float(floor[0] if isinstance(floor, tuple) else floor),
            images=count,
            real_images=len(self.real),
            split=self.real.split,
            seed=self.seed,
            **network,
        )

    def _compute(
        self, metrics: dict[str, Metric], pixels: np.ndarray, extracted: Any
    ) -> dict[str, Any]:
        pair = Pair(self.real, pixels, extracted, self.seed, self._classify)
        catalogue.check_counts(metrics, pair)
        return {name: metric.compute(pair) for name, metric in metrics.items()}

    @property
    def _needs_features(self) -> bool:
        return any(metric.needs in ("features", "logits") for metric in self.metrics.values())

    def _classify(self, channel: np.ndarray) -> np.ndarray:
        """The likeliest digits of one channel, uint8 (N, H, W, 1)."""
        return self._extract(channel, "digits").logits.argmax(axis=1)

    def _extractor(self, given: Any, names: list[str], image_shape: tuple[int, ...]) -> Any:
        if given is None and names and {*names} <= {*catalogue.OF_DIGITS}:
            given = catalogue.DIGITS_CLASSIFIER
        if given is None and image_shape[-1] == 3:
            given = "inception"
        if given is None:
            grey = "'mnist_classifier', 'fashion_mnist_classifier' or an extractor of your own"
            raise ValueError(f"Expected an extractor for grey images, as extractor=: {grey}.")
        if not isinstance(given, str):
            return given
        with self.strategy.scope():
            return features.extractor(given)

    def _extract(self, pixels: np.ndarray, label: str) -> extraction.Features:
        with self.strategy.scope():
            return extraction.extract(
                pixels,
                self.extractor,
                batch_size=self.batch_size,
                progress=self.progress,
                label=label,
            )

    def _real(
        self, data: Any, source: dict[str, Any], *, floor: bool, cache: bool
    ) -> tuple[Reference, Reference | None]:
        """The real images, and held-out ones for the floor."""
        ready = {"cache": cache, "progress": self.progress, "batch_size": self.batch_size}
        ready |= {"extractor": self.extractor if self._needs_features else None}
        ready |= {"seed": self.seed}
        opened = opened_images(data, progress=self.progress, **source)
        catalogue.check_mixture(self.metrics, opened)
        apart = _test_images(data, source) if floor else None
        halved = floor and apart is None
        count = min(self.images, len(opened) // (1 + halved))
        if not count:
            raise ValueError(f"Expected more real images. Received: {len(opened)}.")
        rows, others = draw(len(opened), count, self.seed, held_out=halved)
        split = {"split": source["split"]}
        real = reference(opened, rows=rows, **split, **ready)
        if halved:
            return real, reference(opened, rows=others, **split, **ready)
        if apart is None:
            return real, None
        return real, reference(apart, images=min(count, len(apart)), split="test", **ready)


def _config_of(gan: Any) -> ZooConfig | None:
    name = gan if isinstance(gan, str) else getattr(gan, "name", None)
    if isinstance(gan, str) or name in registry.list_models():
        return registry.entry(name)
    return None


def _usual(source: Any, image_shape: tuple[int, ...]) -> tuple[str, ...]:
    """The metrics of data that have some of their own."""
    if len(image_shape) == 1:
        return DEFAULTS["points"]
    return DEFAULTS["digits"] if isinstance(source, str) and fold(source) == STACKED_NAME else ()


def _usual_number(names: Iterable[str]) -> int:
    """How many samples these metrics are computed from where nobody says it."""
    names = {*names}
    if names <= {*POINT_METRICS}:
        return POINTS
    return STACKED if names <= {*catalogue.OF_DIGITS} else IMAGES


def _source(data: Any, config: ZooConfig | None) -> Any:
    """What the real images are read from."""
    if data is None:
        if config is None:
            raise ValueError("Expected data=, the real images: this GAN is no entry of the zoo.")
        return config.data.dataset
    if isinstance(data, tf.data.Dataset):
        return _collected(data)
    return data


def _collected(data: tf.data.Dataset) -> np.ndarray:
    """The images of one epoch of a data set."""
    if data.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError("Expected a data set that ends. Received: an infinite one; use .take(n).")
    batches = [one[0] if isinstance(one, tuple) else one for one in data.as_numpy_iterator()]
    if not batches:
        raise ValueError("Expected real images. Received: an empty data set.")
    return np.concatenate(batches)


def _test_images(data: Any, source: dict[str, Any]) -> data_room.Images | None:
    """The images of the split `test`, if the source has one that is not what is scored against."""
    if source["split"] != "train" or not isinstance(data, (str, os.PathLike)):
        return None
    try:
        return data_room.open_source(data, **{**source, "split": "test"}, progress=False)
    except ValueError:  # it has no such split
        return None
