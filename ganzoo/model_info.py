"""What `ganzoo.info` returns: an entry's card, for a terminal and for a notebook."""

import html
import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganzoo.config import PartConfig, ZooConfig
from ganzoo.config.loading import data_shape
from ganzoo.labels import KINDS, kind_of

_COLUMNS = 80


@dataclass(frozen=True)
class ModelInfo:
    """An entry of the zoo, described.

    Args:
        config: The entry's config.
        card: The card of its published weights as JSON has it; None if there are none.
    """

    config: ZooConfig
    card: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def paper(self) -> str:
        return self.config.paper

    @property
    def licence(self) -> str:
        """The licence of the weights if there are any, else that of the data."""
        return str((self.card or {}).get("licence") or self.config.licence)

    @property
    def kind_of_labels(self) -> str:
        """What the GAN knows of labels, one of `ganzoo.labels.KINDS`."""
        return kind_of(self.config.gan.name)

    @property
    def pretrained(self) -> bool:
        return self.card is not None

    @property
    def metrics(self) -> Mapping[str, Any]:
        """What was measured, by metric, as the card has it; empty where nothing is published."""
        found = (self.card or {}).get("metrics")
        return found if isinstance(found, Mapping) else {}

    @property
    def train_command(self) -> str:
        return f"ganzoo train {self.name} --workdir=runs/{self.name}"

    def rows(self) -> Iterator[tuple[str, str]]:
        """Yields the card's lines: what, and its text."""
        config = self.config
        yield "paper", config.paper
        yield "data", _data(config)
        yield "licence", self.licence
        yield "labels", f"{self.kind_of_labels}: {KINDS[self.kind_of_labels]}"
        for key in ("gan", "generator", "discriminator"):
            yield key, _part(getattr(config, key))
        for key, part in config.optimizers.items():
            yield f"{key[0].upper()} optimizer", _part(part)
        yield "training", _training(config)
        yield "evaluation", _evaluation(config)
        yield "weights", self._weights()
        yield "metrics", ", ".join(_metric(key, value) for key, value in self.metrics.items())

    def uses(self) -> Iterator[tuple[str, str]]:
        """Yields what to type: to which end, and the line."""
        yield "load", f'ganzoo.load("{self.name}"' + (")" if self.card else ", weights=None)")
        yield "train", self.train_command

    def _weights(self) -> str:
        if self.card is None:
            return "none published"
        card = self.card
        size, steps, data = (card.get(key) for key in ("bytes", "steps", "data"))
        told = [f"{size / 1e6:.1f} MB"] if isinstance(size, int) else []
        told += [f"{steps:,} steps"] if isinstance(steps, int) else []
        if isinstance(data, Mapping) and isinstance(data.get("images"), int):
            told.append(f"{data['images']:,} {_noun(self.config)} of {data.get('source')}")
        if card.get("config_hash") not in (None, self.config.hash):
            told.append("trained with another version of this config")
        return ", ".join(told) or "published"

    def __str__(self) -> str:
        rows = [(key, text) for key, text in self.rows() if text]
        indent = max(len(key) for key, _ in rows) + 4
        body = [_wrap(f"  {key}".ljust(indent) + text, indent) for key, text in rows]
        # Lines to copy are never wrapped.
        uses = [f"  {key:5}  {line}" for key, line in self.uses()]
        return "\n".join([_wrap(f"{self.name}: {self.config.summary}"), "", *body, "", *uses])

    def _repr_html_(self) -> str:
        cells = [(key, _linked(text)) for key, text in self.rows() if text]
        cells += [(key, f"<code>{html.escape(line)}</code>") for key, line in self.uses()]
        left = 'style="text-align:left"'
        table = "".join(f"<tr><th {left}>{k}</th><td {left}>{text}</td></tr>" for k, text in cells)
        name, summary = html.escape(self.name), html.escape(self.config.summary)
        return f"<div><h3>{name}</h3><p>{summary}</p><table>{table}</table></div>"


def read_card(path: Path) -> dict[str, Any]:
    """Reads a card as the JSON object that it is; `ganzoo.weights` checks each field.

    Raises:
        ValueError: If it is no JSON object.
    """
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: expected a card in JSON: {error}.") from None
    if not isinstance(card, dict):
        raise ValueError(f"{path}: expected a JSON object; got a {type(card).__name__}.")
    return card


def _data(config: ZooConfig) -> str:
    data = config.data
    told = [data.dataset] + ([f"split {data.split}"] if data.split != "train" else [])
    told += [f"{data.image_size}x{data.image_size}"] if data.image_size else []
    told += [f"cropped to {data.crop}"] if data.crop else []
    told += [f"batches of {data.batch_size}"] + ["mirrored at random"] * data.flip
    return ", ".join(told + ["with labels"] * data.labels)


def _training(config: ZooConfig) -> str:
    training = config.training
    told = [f"{training.steps:,} steps", f"seed {training.seed}"]
    return ", ".join([*told, f"EMA decay {training.ema_decay:g}", training.precision])


def _evaluation(config: ZooConfig) -> str:
    wanted = config.evaluation
    metrics = ", ".join(wanted.metrics) or "the usual metrics"
    network = f", features of {wanted.extractor}" if wanted.extractor else ""
    return f"{metrics} of {wanted.images:,} {_noun(config)}{network}"


def _noun(config: ZooConfig) -> str:
    if "characters" in config.gan.options:
        return "texts"
    return "points" if len(data_shape(config.generator) or ()) == 1 else "images"


def _metric(name: str, measured: Any) -> str:
    """A number of the card, and what real images score."""
    if not isinstance(measured, Mapping) or "value" not in measured:
        return f"{name} {_number(measured)}"
    floor = measured.get("floor")
    real = "" if floor is None else f" (real images {_number(floor)})"
    return f"{name} {_number(measured['value'])}{real}"


def _part(part: PartConfig) -> str:
    options = ", ".join(f"{key} {_option(value)}" for key, value in part.options.items())
    return part.name + (options and f": {options}")


def _option(value: Any) -> str:
    if isinstance(value, tuple) and all(isinstance(one, int) for one in value):
        return "x".join(str(one) for one in value)
    return _number(value)


def _number(value: Any) -> str:
    if isinstance(value, Mapping):
        return "(" + ", ".join(f"{key} {_number(one)}" for key, one in value.items()) + ")"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _wrap(line: str, indent: int = 0) -> str:
    return textwrap.fill(
        line,
        _COLUMNS,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _linked(text: str) -> str:
    """Escapes a text and links its web addresses."""
    return re.sub(r"https?://(?:[^\s&<>]|&amp;)+", r'<a href="\g<0>">\g<0></a>', html.escape(text))
