"""Scores a GAN, or images made elsewhere, against real images: `evaluate`."""

import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ganzoo import builders, registry
from ganzoo import data as data_room
from ganzoo.config import ZooConfig
from ganzoo.data.languages import language_of
from ganzoo.data.sources import fold
from ganzoo.data.stacked import NAME as STACKED_NAME
from ganzoo.gans import GAN
from ganzoo.metrics import catalogue, extraction, features, generated, sources
from ganzoo.metrics.catalogue import Metric, Pair
from ganzoo.metrics.generated import Samples
from ganzoo.metrics.names import POINT_METRICS, TEXT_METRICS
from ganzoo.metrics.per_class import ByClass
from ganzoo.metrics.references import Reference, draw, opened_images, reference
from ganzoo.metrics.scores import Evaluation, Score
from ganzoo.strategy import own

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
    "texts": TEXT_METRICS,
}
# Beside those of a classifier, by what the GAN can be asked for.
_ASKED = {
    "labels": ("label_accuracy", "intra_fcd", "intra_ms_ssim"),
    "codes": ("code_agreement",),
}


def evaluate(
    gan: GAN | str | np.ndarray | tuple[np.ndarray, np.ndarray],
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
    of them, or half of them if the other half has to give the floor. A conditional GAN is asked
    for the labels that those have, so that its classes are as frequent.

    Args:
        gan: A GAN, the name of an entry, or images (N, H, W, C) or points (N, D) that were made
            elsewhere; or a pair of such images and the labels (N,) that they were made for.
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
        ValueError: If a name is unknown or not due to the extractor, or a metric is of labels,
            codes or a classifier that this GAN does not have, or of all images where they are
            streamed, or images do not fit or are too few.
    """
    config = _config_of(gan)
    if isinstance(gan, str):
        gan = builders.load(gan, weights=weights)
    given = gan[0] if isinstance(gan, tuple) else gan
    evaluator = Evaluator(
        data,
        config=config,
        metrics=metrics,
        images=images if isinstance(gan, GAN) else len(given),
        image_shape=gan.image_shape if isinstance(gan, GAN) else given.shape[1:],
        subject=gan,
        extractor=extractor,
        floor=floor,
        seed=seed,
        split=split,
        data_dir=data_dir,
        batch_size=batch_size,
        cache=cache,
        progress=progress,
        strategy=own(gan.distribute_strategy) if isinstance(gan, GAN) else None,
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
        subject: What will be scored, where that is known: what it cannot be scored by is refused
            at once, and a GAN with labels or codes is scored by those too by default.
        origin: The name or path that `data` were opened from, where they are opened already: what
            a classifier is judged by is the split `test` there.

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
        subject: Any = None,
        origin: Any = None,
    ):
        wanted = config.evaluation if config else None
        self.seed, self.batch_size, self.progress = seed, batch_size, progress
        self.strategy = strategy or tf.distribute.get_strategy()
        source = sources.real_source(data, config)
        names = metrics or (wanted and wanted.metrics) or _usual(source, image_shape)
        names = [names] if isinstance(names, str) else list(names)
        catalogue.check_shape(names, image_shape)
        sources.check_streamed(names, source)
        self.extractor = None
        if not catalogue.without_network(names):
            given = extractor or (wanted and wanted.extractor)
            self.extractor = self._extractor(given, names, image_shape)
            names = names or _defaults(catalogue.kind(self.extractor), subject, source, origin)
        self.metrics = catalogue.chosen(names, self.extractor)
        if subject is not None:
            self._check_abilities(subject)
        self.images = images or (wanted.images if wanted else _usual_number(names))
        options = {
            "split": split or (config.data.split if config else "train"),
            "data_dir": data_dir,
        }
        if len(image_shape) == 3:
            crop = config.data.crop if config else None
            size, _, channels = image_shape
            options |= {"image_size": size, "channels": channels, "crop": crop}
        self.test = None
        if any(metric.needs == "gan" for metric in self.metrics.values()):
            self.test = sources.labelled_test(origin or source, options)
        real, held_out = self._real(source, options, floor=floor, cache=cache)
        self.real = real
        self.floors = {}
        if held_out:
            metrics = {name: metric for name, metric in self.metrics.items() if metric.floor}
            judged = Samples(held_out.pixels, held_out.labels)
            self.floors = self._compute(metrics, judged, held_out.extracted)

    def score(
        self, gan: GAN | np.ndarray | tuple[np.ndarray, np.ndarray], *, ema: bool = True
    ) -> Evaluation:
        """Returns the scores of a GAN's images or points, or of images (N, H, W, C).

        Raises:
            ValueError: If the images do not fit the real ones or are too few, or a metric is of
                what the GAN does not have.
        """
        self._check_abilities(gan)
        subject, judged = self._judged(gan, ema)
        shape = self.real.images.images.shape[1:]
        if judged.pixels.shape[1:] != shape:
            raise ValueError(
                f"Expected {self.real.images.noun} of {shape}, as the real ones are. "
                f"Received: {judged.pixels.shape[1:]}."
            )
        extracted = None
        if self._needs_features:
            extracted = self._extract(judged.pixels, "generated")
        values = self._compute(self.metrics, judged, extracted)
        names = getattr(gan, "class_names", None) or self.real.images.class_names
        scores = [self._score(one, values[one], len(judged.pixels), names) for one in self.metrics]
        return Evaluation(subject, self.real.images.name, self.real.images.fingerprint, scores)

    def _judged(self, gan: Any, ema: bool) -> tuple[str, Samples]:
        """What is scored, in words and in images."""
        if isinstance(gan, GAN) and all(one.needs == "gan" for one in self.metrics.values()):
            return gan.name, Samples(np.empty((0, *gan.image_shape), np.uint8), gan=gan)
        if isinstance(gan, GAN):
            options = {"seed": self.seed, "batch_size": self.batch_size, "ema": ema}
            return gan.name, generated.samples(gan, self.real, self.images, **options)
        if self.real.images.points:
            return "points", Samples(np.asarray(gan))  # NaN counts as far from all modes
        found = data_room.open_source(gan, progress=False)
        return "images", Samples(np.asarray(found.images), found.labels)

    def _check_abilities(self, subject: Any) -> None:
        told = "images without labels"
        if isinstance(subject, GAN):
            told = f"{subject.name}, a GAN that is {subject.kind_of_labels}"
        catalogue.check_abilities(self.metrics, generated.abilities(subject), told)

    def _score(self, name: str, value: Any, count: int, class_names: Sequence[str]) -> Score:
        metric, network = self.metrics[name], {}
        if not catalogue.without_network([name]):
            one = self.extractor
            network = {"extractor": one.name, "extractor_hash": one.hash, "resize": one.resize}
        rests_on = {"images": count, "real_images": len(self.real), "split": self.real.split}
        if metric.needs == "gan":
            rests_on = dict.fromkeys(("images", "real_images"), len(self.test)) | {"split": "test"}
        value, std, by_class = _parts(value, class_names)
        floor, _, floor_by_class = _parts(self.floors.get(name), class_names)
        return Score(
            metric=name,
            value=value,
            std=std,
            floor=floor,
            seed=self.seed,
            by_class=by_class,
            floor_by_class=floor_by_class,
            **rests_on,
            **network,
        )

    def _compute(
        self, metrics: dict[str, Metric], judged: Samples, extracted: Any
    ) -> dict[str, Any]:
        pair = Pair(self.real, judged, extracted, self.seed, self._classify, self.test)
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
        catalogue.check_labels(self.metrics, opened)
        apart = sources.held_out_images(data, source) if floor else None
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


def _defaults(kind: str, subject: Any, source: Any, origin: Any) -> list[str]:
    """The metrics of an extractor; with a classifier those of labels and codes too."""
    more = generated.abilities(subject) if kind == "classifier" else ()
    names = [*DEFAULTS[kind], *(name for ability in more for name in _ASKED.get(ability, ()))]
    learned = getattr(subject, "kind_of_labels", "") == "trained with labels"
    if "classify" in more and learned and isinstance(origin or source, (str, os.PathLike)):
        names.append("test_errors")  # to classify is what it is trained for
    if sources.is_streamed(source):
        names.remove("copies")  # which needs all real images at once
    return names


def _parts(
    value: Any, class_names: Sequence[str]
) -> tuple[float | None, float | None, dict[str, float] | None]:
    """A measured value, its standard deviation, and what it is of each class by name."""
    if isinstance(value, ByClass):
        known = range(len(class_names))
        names = {label: class_names[label] if label in known else str(label)
                 for label in value.classes}  # fmt: skip
        return value.value, None, {names[label]: one for label, one in value.classes.items()}
    value, std = value if isinstance(value, tuple) else (value, None)
    return *(None if one is None else float(one) for one in (value, std)), None


def _usual(source: Any, image_shape: tuple[int, ...]) -> tuple[str, ...]:
    """The metrics of data that have some of their own."""
    if len(image_shape) == 1:
        texts = language_of(source) or getattr(source, "language", None)
        return DEFAULTS["texts" if texts else "points"]
    return DEFAULTS["digits"] if isinstance(source, str) and fold(source) == STACKED_NAME else ()


def _usual_number(names: Iterable[str]) -> int:
    """How many samples these metrics are computed from where nobody says it."""
    names = {*names}
    if names <= {*POINT_METRICS}:
        return POINTS
    return STACKED if names <= {*catalogue.OF_DIGITS} else IMAGES
