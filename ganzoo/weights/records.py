"""Cards: what a set of weights is, where it comes from, and how good it is."""

import difflib
import json
import os
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import get_origin

from ganzoo import paths
from ganzoo.errors import unknown
from ganzoo.labels import KINDS
from ganzoo.weights import files

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DATA = ("source", "images", "image_size", "fingerprint")


@dataclass(frozen=True)
class Card:
    """The record of one set of weights; `pretrained/NAME.json` on disk.

    Args:
        name: The zoo entry.
        file: The weights file beside the card, a plain file name.
        sha256: The file's sha256, 64 hex digits.
        bytes: The file's size.
        config_hash: `ZooConfig.hash` of the config that was trained.
        data: At least source, images (how many), image_size and fingerprint.
        seed: The training seed.
        steps: The training steps done.
        metrics: Measured values by name; empty on the draft that training writes.
        licence: Under which terms the weights may be used.
        mirrors: Folders, `https://`, `http://` or `hf://owner/repo`, that hold the file.
        trained: When, how long and on what: date, seconds, hardware in free words.
        version: The version of ganzoo that trained.
        kind_of_labels: What the GAN knows of labels, one of `ganzoo.labels.KINDS`; scores compare
            within one kind alone. Empty where the weights are of no GAN.

    Raises:
        ValueError: A value of the wrong form.
        TypeError: A value of the wrong type.
    """

    name: str
    file: str
    sha256: str
    bytes: int
    config_hash: str
    data: Mapping[str, object]
    seed: int
    steps: int
    metrics: Mapping[str, object] = field(default_factory=dict)
    licence: str = ""
    mirrors: tuple[str, ...] = ()
    trained: Mapping[str, object] = field(default_factory=dict)
    version: str = ""
    kind_of_labels: str = ""

    def __post_init__(self):
        for item in fields(self):
            _check_type(item.name, getattr(self, item.name), get_origin(item.type) or item.type)
        check_name(self.name)
        if not _NAME.fullmatch(self.file) or not self.file.endswith(".safetensors"):
            raise ValueError(f"file must be a plain NAME.safetensors. Received: {self.file!r}")
        for key in ("sha256", "config_hash"):
            check_sha256(key, getattr(self, key))
        for key in ("bytes", "steps"):
            if getattr(self, key) < 0:
                raise ValueError(f"{key} must be 0 or more. Received: {getattr(self, key)}")
        if missing := [key for key in _DATA if key not in self.data]:
            raise ValueError(f"data lacks {', '.join(missing)}. Received: {dict(self.data)!r}")
        if self.kind_of_labels not in ("", *KINDS):
            raise unknown("kind of labels", self.kind_of_labels, KINDS)
        for url in self.mirrors:
            if not isinstance(url, str) or not url.startswith(("https://", "http://", "hf://")):
                raise ValueError(f"A mirror is an https, http or hf URL. Received: {url!r}")

    @property
    def versioned_file(self) -> str:
        """The file's name on mirrors and in the cache: versions of an entry never collide."""
        return f"{self.name}-{self.sha256[:8]}.safetensors"

    def to_json(self) -> str:
        """Returns the card as JSON text with sorted keys."""
        return json.dumps(asdict(self), sort_keys=True, indent=2, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, *, source: str = "card") -> "Card":
        """Reads a card strictly; `source` stands in the messages.

        Raises:
            ValueError: No JSON object, an unknown or missing key, or a wrong value or type.
        """
        try:
            record = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{source} is no JSON: {error}.") from error
        if not isinstance(record, dict):
            raise ValueError(f"{source} is no card: expected a JSON object.")
        known = {f.name: f for f in fields(cls)}
        for key in record:
            if key not in known:
                raise ValueError(f"{source}: {unknown('key', key, known)}")
        if missing := [key for key, f in known.items() if _required(f) and key not in record]:
            raise ValueError(f"{source} lacks {', '.join(missing)}.")
        if isinstance(record.get("mirrors"), list):
            record["mirrors"] = tuple(record["mirrors"])
        try:
            return cls(**record)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{source}: {error}") from error

    def write(self, path: str | os.PathLike) -> None:
        """Writes the card as JSON, whole or not at all."""
        with files.replacing(path) as file:
            file.write(self.to_json().encode())


def _required(item: Field) -> bool:
    return item.default is MISSING and item.default_factory is MISSING


def _check_type(key: str, value: object, kind: type) -> None:
    if not isinstance(value, kind) or isinstance(value, bool):
        expected = "dict" if kind is Mapping else kind.__name__
        raise TypeError(f"{key} must be of type {expected}. Received: {repr(value)[:200]}")
    if kind is Mapping:
        try:
            json.dumps(value, allow_nan=False, sort_keys=True)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{key} is no JSON: {error}. Received: {repr(value)[:200]}") from error


def check_sha256(key: str, value: str) -> None:
    """Raises `ValueError` if `value` is no sha256 in lowercase hex digits."""
    if not _SHA256.fullmatch(value):
        raise ValueError(f"{key} must be 64 lowercase hex digits. Received: {value!r}")


def check_name(name: str) -> None:
    """Raises `ValueError` if `name` is no name of an entry, one that leaves its folder say."""
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"An entry's name has letters, digits, '_', '-' and '.' only. Received: {name!r}"
        )


def read_card(path: str | os.PathLike) -> Card:
    """Reads a card from a JSON file.

    Raises:
        ValueError: The file is no card.
        OSError: The file cannot be read.
    """
    return Card.from_json(Path(path).read_bytes(), source=str(path))


def add_metrics(path: str | os.PathLike, metrics: Mapping[str, object]) -> Card:
    """Writes measured values onto a card on disk, beside or over those that it has.

    Args:
        path: The card's file.
        metrics: Values by metric, fit for JSON.

    Returns:
        The card as it is now.

    Raises:
        ValueError: The file is no card, or a value is no JSON.
        OSError: The file cannot be read or written.
    """
    card = read_card(path)
    card = replace(card, metrics={**card.metrics, **metrics})
    card.write(path)
    return card


def cards() -> dict[str, Card]:
    """Returns the published cards by entry name: those of the package, then of the cache.

    A broken card in the cache is left out with a warning.

    Raises:
        ValueError: A card of the package is broken.
    """
    found = packaged()
    for path in _listed(cache()):
        if path.stem not in found:
            try:
                found[path.stem] = _named(path)
            except (ValueError, OSError) as error:
                warnings.warn(f"Ignored a broken card: {error}", stacklevel=2)
    return {name: found[name] for name in sorted(found)}


def packaged() -> dict[str, Card]:
    """Returns the cards that ship with the package, by entry name.

    Raises:
        ValueError: One is broken.
    """
    return {path.stem: _named(path) for path in _listed(paths.pretrained())}


def card(name: str) -> Card:
    """Returns the card of an entry's published weights.

    Raises:
        NotPublished: There are none on this machine; the message says how to train them.
    """
    known = cards()
    if name not in known:
        raise not_published(name, known)
    return known[name]


def cache() -> Path:
    """Returns the folder of downloaded weights and cards. Creates nothing."""
    return paths.home() / "weights"


def _named(path: Path) -> Card:
    """The card of the entry that the file is named for."""
    found = read_card(path)
    if found.name != path.stem:
        raise ValueError(f"{path} is the card of {found.name!r}.")
    return found


def _listed(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.json") if _NAME.fullmatch(path.name))


class NotPublished(LookupError, ValueError):
    """An entry has no published weights."""


def not_published(name: str, published: Iterable[str]) -> NotPublished:
    """Returns the error for a name without weights, given the names that have some."""
    from ganzoo import registry  # itself needs the cards

    if name not in (entries := registry.list_models()):
        return NotPublished(str(unknown("zoo entry", name, {*entries, *published})))
    near = difflib.get_close_matches(name, sorted(published), n=1, cutoff=0.0)
    nearest = f" Nearest entry that has weights: {near[0]!r}." if near else ""
    return NotPublished(
        f"{name!r} has no published weights. Train them: "
        f"`ganzoo train {name} --workdir=runs/{name}`.{nearest}"
    )
