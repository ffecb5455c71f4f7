"""Checks of a whole config: plain data to dataclasses."""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, NoReturn

from ganzoo.config import checks, layers
from ganzoo.config.checks import Check, Options
from ganzoo.config.documents import Document, Origins
from ganzoo.config.schema import (
    NAMED_BY,
    DataConfig,
    EvaluationConfig,
    PartConfig,
    TrainingConfig,
    ZooConfig,
    to_dict,
)
from ganzoo.errors import closest
from ganzoo.metrics.names import EXTRACTORS, METRICS

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
PLAYERS = ("generator", "discriminator")

_SECTIONS: dict[type, dict[str, Check]] = {
    DataConfig: {
        "dataset": checks.string,
        "image_size": checks.optional(checks.integer(4)),
        "batch_size": checks.integer(1),
        "flip": checks.boolean,
        "split": checks.string,
        "labels": checks.boolean,
        "channels": checks.optional(checks.choice(1, 3)),
        "crop": checks.optional(checks.integer(1)),
        "labelled": checks.optional(checks.integer(1)),
        "stream": checks.boolean,
    },
    TrainingConfig: {
        "steps": checks.integer(1),
        "seed": checks.integer(0, 2**31 - 1),
        "ema_decay": checks.number("a number >= 0 and < 1", lambda value: 0 <= value < 1),
        "precision": checks.choice(*PRECISIONS),
        "checkpoint_every": checks.optional(checks.integer(1)),
        "sample_every": checks.integer(1),
        "log_every": checks.integer(1),
        "sync_batch_norm": checks.boolean,
    },
    EvaluationConfig: {
        "metrics": checks.several(checks.choice(*METRICS)),
        "images": checks.integer(2),
        "extractor": checks.optional(checks.choice(*EXTRACTORS)),
        "every": checks.integer(0),
    },
}
_IMAGE_SHAPE = checks.several(checks.integer(1), length=3)
_POINT_SHAPE = checks.several(checks.integer(1), length=1)
_RATE = checks.number("a number > 0", lambda value: value > 0)
_NEEDED = ("name", "summary", *NAMED_BY, "optimizers", "data", "training")
_KNOWN = (*_NEEDED, "base", "evaluation", "licence", "paper")


def _learning_rate(value: object) -> Any:
    """A number > 0, or a schedule: a mapping that names its class."""
    if isinstance(value, Mapping):
        if "class" not in value:
            raise checks.mismatch("a schedule's class among its keys", value)
        return value
    return _RATE(value)


def _shape(value: object) -> tuple[int, ...]:
    """`shape` of networks that take images or points."""
    if not isinstance(value, (list, tuple)) or len(value) not in (1, 3):
        raise checks.mismatch("[height, width, channels] of images or [D] of points", value)
    return (_POINT_SHAPE if len(value) == 1 else _IMAGE_SHAPE)(value)


_CHECKED = {"image_shape": _IMAGE_SHAPE, "shape": _shape, "learning_rate": _learning_rate}


def data_shape(part: PartConfig) -> tuple[int, ...] | None:
    """Returns the shape that a network's options state: (H, W, C) of images, (D,) of points."""
    return part.options.get(_stated(part))


def _stated(part: PartConfig) -> str:
    """The option that states a network's shape."""
    return "shape" if "shape" in part.options else "image_shape"


def load_config(
    source: str | Path | Mapping[str, Any] | ZooConfig,
    overrides: Iterable[str] | Mapping[str, Any] = (),
) -> ZooConfig:
    """Reads and checks one config.

    Args:
        source: A YAML file (its stem is the entry's name, unless it states a `name`), a dict
            with a `name`, or a config to change. With `base: other` it states only what differs
            from `other`, a file beside it or a zoo entry; a part given another class or network
            than its base's keeps none of the base's options.
        overrides: `"a.b=c"` texts with YAML values, or a mapping: nested, or of dotted keys.

    Raises:
        ConfigError: If anything in it is wrong.
    """
    if isinstance(source, ZooConfig):
        below = Document(to_dict(source), source.origins, source.path)
    else:
        below = layers.with_bases(layers.document(source))
    above = layers.changes(overrides)
    data = layers.merge(below.data, above.data, above.origins)
    origins = Origins({**below.origins, **above.origins})
    return _Checker(Document(data, origins, below.path)).config()


class _Checker:
    """Checks a document, section by section."""

    def __init__(self, document: Document):
        self.data = document.data
        self.origins = document.origins
        self.path = document.path

    def config(self) -> ZooConfig:
        data = self.data
        self.keys("", data, known=_KNOWN, needed=_NEEDED)
        stated = [key for key in ("summary", "paper", "licence") if key in data]
        texts = {key: self.origins.check(key, checks.string, data[key]) for key in stated}
        parts = {key: self.part(key, data[key], by) for key, by in NAMED_BY.items()}
        sizeless = {"image_size": None} if len(data_shape(parts["generator"]) or ()) == 1 else {}
        config = ZooConfig(
            name=self.origins.check("name", checks.name, data["name"]),
            **{"paper": "", **texts},
            **parts,
            optimizers=self.optimizers(data["optimizers"]),
            data=self.section("data", DataConfig, **sizeless),
            training=self.section("training", TrainingConfig),
            evaluation=self.section("evaluation", EvaluationConfig),
            path=self.path,
            origins=self.origins,
        )
        self.shapes(config)
        return config

    def section(self, key: str, kind: type, **known: Any) -> Any:
        """Checks a section; what is `known` of it need not be stated."""
        table, data = _SECTIONS[kind], self.data.get(key, {})
        needed = [one.name for one in fields(kind) if one.default is MISSING]
        needed = [name for name in needed if name not in known]
        self.keys(key, data, known=table, needed=needed)
        found = {n: self.origins.check(f"{key}.{n}", table[n], data[n]) for n in data}
        return kind(**{**known, **found})

    def part(self, key: str, data: Any, by: str, needed: Iterable[str] = ()) -> PartConfig:
        self.keys(key, data, needed=(by, *needed))
        options = checks.freeze({name: data[name] for name in data if name != by})
        for name, check in _CHECKED.items():
            if name in options:
                self.origins.check(f"{key}.{name}", check, data[name])
        return PartConfig(self.origins.check(f"{key}.{by}", checks.name, data[by]), options)

    def optimizers(self, data: Any) -> Mapping[str, PartConfig]:
        self.keys("optimizers", data, known=PLAYERS, needed=PLAYERS)
        # The learning rate is never left to the optimizer's default: no GAN trains with it.
        found = {
            key: self.part(f"optimizers.{key}", data[key], "class", ("learning_rate",))
            for key in PLAYERS
        }
        return Options(found)

    def shapes(self, config: ZooConfig) -> None:
        """Checks that data and networks agree on the images' shape, where they state one."""
        size, channels = config.data.image_size, config.data.channels
        ours, theirs = (data_shape(getattr(config, key)) for key in PLAYERS)
        if ours and len(ours) == 1:
            self.no_images(config)
        for key, shape in zip(PLAYERS, (ours, theirs), strict=True):
            if shape and size and shape[:2] != (size, size):
                self.disagree(config, key, "data.image_size", size)
            packs = ours and key == "discriminator"
            if shape and channels and not packs and shape[-1] != channels:
                self.disagree(config, key, "data.channels", channels)
        if ours and theirs:
            self.players_agree(config, ours, theirs)

    def players_agree(self, config: ZooConfig, ours: tuple, theirs: tuple) -> None:
        """Checks that the discriminator takes what the generator gives, one or several at once."""
        packing = config.gan.options.get("packing", 1)
        times, left = divmod(theirs[-1], ours[-1])
        if theirs[:-1] == ours[:-1] and not left and times == packing:
            return
        packed = "" if packing == 1 else f", with {packing} times the channels (gan.packing)"
        problem = f"{list(theirs)} is not the generator's, {list(ours)}{packed}; change both"
        self.origins.fail(f"discriminator.{_stated(config.discriminator)}", problem)

    def no_images(self, config: ZooConfig) -> None:
        """Checks that the data ask for nothing that points do not have."""
        for key in ("image_size", "channels", "crop", "flip"):
            if value := getattr(config.data, key):
                there = f"generator.{_stated(config.generator)}"
                shape = list(data_shape(config.generator))
                problem = f"{value!r} is for images, and {there} says points: {shape}; leave it out"
                self.origins.fail(f"data.{key}", problem)

    def disagree(self, config: ZooConfig, key: str, other: str, value: int) -> NoReturn:
        part, there = getattr(config, key), f"{other}, {value} ({self.origins.place(other)})"
        problem = f"{list(data_shape(part))} does not agree with {there}; change both"
        self.origins.fail(f"{key}.{_stated(part)}", problem)

    def keys(
        self, key: str, data: Any, *, known: Iterable[str] | None = None, needed: Iterable[str]
    ) -> None:
        """Checks that `data` is a mapping with all keys `needed` and none but the `known`."""
        if not isinstance(data, Mapping):
            self.origins.fail(key, str(checks.mismatch("a mapping of keys to values", data)))
        for name in data:
            if known is not None and name not in known:
                self.origins.unknown(
                    f"{key}.{name}" if key else name, known, self.deeper(key, name)
                )
        for name in needed:
            if name not in data:
                near = closest(name, set(data) - set(known or ()))
                self.origins.fail(f"{key}.{name}" if key else name, f"missing{near}")

    def deeper(self, key: str, name: str) -> str:
        """A hint for `steps` where `training.steps` was meant."""
        settings = dict(zip(("data", "training", "evaluation"), _SECTIONS.values(), strict=True))
        paths = [*layers.key_paths(settings), *layers.key_paths(self.data)]
        found = [path for path in paths if path.endswith(f".{name}")]
        return f"; did you mean {found[0]!r}?" if found and not key else ""
