"""The frozen dataclasses that a config becomes, and the way back."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ganzoo.config import documents
from ganzoo.config.checks import Options, plain
from ganzoo.config.documents import Origins

# The key that names a part; a part's other keys are its options.
NAMED_BY = {"gan": "class", "generator": "network", "discriminator": "network"}
# Settings that do not change what one training step does.
_OUTSIDE_THE_STEP = ("steps", "checkpoint_every", "sample_every", "log_every")


@dataclass(frozen=True)
class PartConfig:
    """A part by name (a GAN class, a network, an optimizer) and its options.

    Options are frozen: their lists are tuples, their mappings `Options`.
    """

    name: str
    options: Mapping[str, Any] = Options()


@dataclass(frozen=True)
class DataConfig:
    """What the networks are trained on, as `ganzoo.data.load` takes it.

    A default that changed would change the meaning of published config hashes: none ever does.
    """

    dataset: str
    image_size: int | None
    batch_size: int = 64
    flip: bool = False
    split: str = "train"
    labels: bool = False
    channels: int | None = None
    crop: int | None = None
    labelled: int | None = None
    stream: bool = False


@dataclass(frozen=True)
class TrainingConfig:
    """How long and how to train; the `_every` are in steps.

    Its defaults never change either, but for those of the `_every`, which no hash holds. Where
    `checkpoint_every` is None, three minutes of training lie between two checkpoints.
    `sync_batch_norm` has batch norms take the statistics of all replicas' images.
    """

    steps: int
    seed: int = 0
    ema_decay: float = 0.999
    precision: str = "float32"
    checkpoint_every: int | None = None
    sample_every: int = 1000
    log_every: int = 100
    sync_batch_norm: bool = False


@dataclass(frozen=True)
class EvaluationConfig:
    """The metrics of the model card, and what they are computed from.

    Args:
        metrics: Names of `ganzoo.metrics.names.METRICS`; none for those that fit the extractor.
        images: Number of generated images, and of real ones.
        extractor: A name of `ganzoo.metrics.names.EXTRACTORS`; None chooses by the images.
        every: Steps of a run between two evaluations; 0 leaves them out.
    """

    metrics: tuple[str, ...] = ()
    images: int = 10000
    extractor: str | None = None
    every: int = 0


@dataclass(frozen=True)
class ZooConfig:
    """One entry of the zoo; equal configs compare equal, wherever they were read."""

    name: str
    summary: str
    paper: str
    gan: PartConfig
    generator: PartConfig
    discriminator: PartConfig
    optimizers: Mapping[str, PartConfig]
    data: DataConfig
    training: TrainingConfig
    evaluation: EvaluationConfig = EvaluationConfig()
    licence: str = ""
    path: Path | None = field(default=None, compare=False, repr=False)
    origins: Origins = field(default_factory=Origins, compare=False, repr=False)

    @property
    def hash(self) -> str:
        """sha256, in hex, of all that a training step depends on.

        Training longer, or other checkpoints, metrics or texts, leave it as it is. So do the
        order of keys, `1` for `1.0`, and a default of `data` or `training` written out.
        """
        stated = to_dict(self)
        parts = {key: stated[key] for key in (*NAMED_BY, "optimizers")}
        parts["data"] = _without_defaults(DataConfig, stated["data"])
        parts["training"] = _without_defaults(TrainingConfig, stated["training"])
        for key in _OUTSIDE_THE_STEP:
            parts["training"].pop(key, None)
        canonical = json.dumps(_one_spelling(parts), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def to_dict(config: ZooConfig) -> dict[str, Any]:
    """Returns plain data, fit for JSON, that `load_config` turns back into an equal config."""
    data: dict[str, Any] = {"name": config.name, "summary": config.summary}
    data |= {key: getattr(config, key) for key in ("paper", "licence") if getattr(config, key)}
    data |= {key: _part(getattr(config, key), by) for key, by in NAMED_BY.items()}
    data["optimizers"] = {key: _part(one, "class") for key, one in config.optimizers.items()}
    data |= {key: vars(getattr(config, key)) for key in ("data", "training", "evaluation")}
    return plain(data)


def dump(config: ZooConfig) -> str:
    """Returns YAML text that, in a file, `load_config` reads as an equal config."""
    return documents.text(to_dict(config))


def _part(part: PartConfig, by: str) -> dict[str, Any]:
    return {by: part.name, **part.options}


def _without_defaults(kind: type, data: Mapping[str, Any]) -> dict[str, Any]:
    """Leaves out defaults, so that a setting added one day changes no published hash."""
    defaults = {one.name: one.default for one in fields(kind)}
    return {key: value for key, value in data.items() if value != defaults[key]}


def _one_spelling(value: Any) -> Any:
    """Turns whole floats into ints: 1 and 1.0 are the same setting."""
    if isinstance(value, Mapping):
        return {key: _one_spelling(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_one_spelling(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
