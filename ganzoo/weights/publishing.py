"""Puts trained weights into the package's folder, and writes the folder that a mirror serves."""

import dataclasses
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from ganzoo import paths
from ganzoo.errors import unknown
from ganzoo.weights import fetch, files, records
from ganzoo.weights.records import Card

LARGEST = 16 * 2**20  # bytes; more has no place in a wheel


def publish(workdir: str | os.PathLike, directory: str | os.PathLike | None = None) -> Card:
    """Publishes what a training run left: checks it, then writes NAME.safetensors and NAME.json.

    Args:
        workdir: A folder with final.safetensors and card.json, as training ends.
        directory: Where to, by default the package's `pretrained` folder; made if missing.

    Returns:
        The card as published.

    Raises:
        ValueError: The weights are not those of the card, the run is not of the committed config
            or stopped early, nothing has been measured, or the file is over 16 MiB.
        OSError: A file is missing, or the folder cannot be written.
    """
    workdir = Path(workdir).expanduser()
    for name in ("final.safetensors", "card.json"):
        if not (workdir / name).is_file():
            raise FileNotFoundError(f"{workdir} has no {name}: has the training run ended?")
    draft = records.read_card(workdir / "card.json")
    _check_run(draft, workdir)
    weights = workdir / "final.safetensors"
    data = weights.read_bytes()
    files.parse(data, str(weights), sha256=draft.sha256)
    if len(data) != draft.bytes:
        raise ValueError(f"{weights} has {len(data)} bytes, its card says {draft.bytes}.")
    if len(data) > LARGEST:
        raise ValueError(f"{weights} has {len(data):,} bytes, more than the {LARGEST:,} allowed.")
    card = dataclasses.replace(draft, file=f"{draft.name}.safetensors")
    directory = Path(directory or paths.pretrained()).expanduser()
    directory.mkdir(parents=True, exist_ok=True)
    with files.replacing(directory / card.file) as file:
        file.write(data)
    card.write(directory / f"{card.name}.json")
    return card


def _check_run(draft: Card, workdir: Path) -> None:
    from ganzoo import registry  # itself needs the cards

    config = registry.entry(draft.name)
    if draft.config_hash != config.hash:
        raise ValueError(
            f"{workdir} was trained with another config than the zoo's {draft.name!r}: "
            f"hash {draft.config_hash[:12]}, expected {config.hash[:12]}."
        )
    if draft.steps != config.training.steps:
        raise ValueError(
            f"{workdir} has trained {draft.steps} steps, the zoo's {draft.name!r} says "
            f"{config.training.steps}."
        )
    if not draft.metrics:
        raise ValueError(f"{workdir / 'card.json'} has no metrics: evaluate the weights first.")


def write_mirror(
    directory: str | os.PathLike, names: Iterable[str] | None = None
) -> tuple[Card, ...]:
    """Writes the folder that a mirror serves, from any static file server or a hub repository.

    It holds, for each entry, NAME.json and NAME-XXXXXXXX.safetensors, where X are the first digits
    of the sha256: versions that the folder already holds stay, for older packages to find.

    Args:
        directory: Where to; made if missing.
        names: Entries with published weights, by default all.

    Returns:
        The cards written.

    Raises:
        ValueError: A name has no published weights.
        OSError: Weights cannot be found, or the folder cannot be written.
    """
    known = records.cards()
    names = sorted(known) if names is None else list(names)
    for name in names:
        if name not in known:
            raise unknown("entry with published weights", name, known)
    directory = Path(directory).expanduser()
    directory.mkdir(parents=True, exist_ok=True)
    for name in names:
        card = known[name]
        found = fetch.find(card)
        with open(found, "rb") as source, files.replacing(directory / card.versioned_file) as file:
            shutil.copyfileobj(source, file)
        card.write(directory / f"{name}.json")
    return tuple(known[name] for name in names)
