"""Checkpoints: a GAN and the state of its run in one file that shows whether it is whole.

The file is a `.keras`, a zip that Keras reads as any other. A part of its own holds what Keras does
not save, as JSON; the zip's comment, which ends it, is the sha256 of all bytes before. A zip's own
checksums leave its directory out.
"""

import contextlib
import errno
import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import keras
import numpy as np

from ganzoo import durable
from ganzoo.gans import GAN
from ganzoo.strategy import several_workers
from ganzoo.weights.files import explained

_DIGEST = 64
_STATE = "ganzoo.json"  # beside the files that Keras reads
_PIECE = 1 << 20


def write(gan: GAN, path: str | os.PathLike, state: Mapping[str, Any]) -> None:
    """Saves a GAN aside, `partial-NAME`, reads it back from the disk and gives it its name.

    Args:
        gan: The GAN.
        path: Where to, `.keras`; in a folder that exists.
        state: What to keep with it, fit for JSON.

    Raises:
        OSError: If the disk is full, or gives back other bytes than were written. The file that
            had the name before is as it was then, and no part of a file stays.
    """
    path = Path(path)
    aside = path.with_name(f"partial-{path.name}")
    try:
        gan.save(aside)
        seal(aside, {**state, "unsaved": [_own_value(v).tolist() for v in _unsaved(gan)]})
        _check_written(aside)
        durable.replace(aside, path)
    except OSError as error:
        raise explained(error, f"Cannot write {path}") from error
    finally:
        with contextlib.suppress(OSError):
            aside.unlink()


def load(path: str | os.PathLike) -> tuple[GAN, dict[str, Any]]:
    """Returns the GAN and the state that `write` was given.

    Raises:
        ValueError: If a byte of the file is another than `write` wrote.
        OSError: If it cannot be read.
    """
    state = read_state(path)
    gan = keras.models.load_model(path)
    for variable, value in zip(_unsaved(gan), state.pop("unsaved"), strict=True):
        variable.assign(value)
    return gan, state


def read_state(path: str | os.PathLike) -> dict[str, Any]:
    """Returns the state in a file that `seal` has closed, after a check of all its bytes.

    Raises:
        ValueError: If a byte is another than it was.
        OSError: If it cannot be read.
    """
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        found = _digest(file, size - _DIGEST)
        if file.read() != found:
            raise ValueError(f"it does not end with the sha256 of what is before: {size:,} bytes")
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read(_STATE))


def seal(path: str | os.PathLike, state: Mapping[str, Any]) -> None:
    """Closes a `.keras` file with a state and the sha256 of all bytes, and waits for the disk.

    Raises:
        OSError: If a part of the file does not fit its checksum, or the disk is full.
    """
    with zipfile.ZipFile(path, "a") as archive:
        if damaged := archive.testzip():
            raise OSError(errno.EIO, f"its part {damaged} is damaged")
        archive.writestr(_STATE, json.dumps(state), compress_type=zipfile.ZIP_DEFLATED)
        archive.comment = b"0" * _DIGEST
    with open(path, "r+b") as file:
        size = file.seek(0, os.SEEK_END)
        found = _digest(file, size - _DIGEST)
        file.write(found)
        durable.sync(file)


def _check_written(path: Path) -> None:
    try:
        read_state(path)
    except ValueError as error:
        raise OSError(errno.EIO, f"the disk gave back other bytes ({error})") from error


def _digest(file: IO[bytes], size: int) -> bytes:
    """Returns the sha256 of a file's first `size` bytes, in hex; the file stands behind them."""
    file.seek(0)
    digest, left = hashlib.sha256(), max(size, 0)
    while left and (piece := file.read(min(left, _PIECE))):
        digest.update(piece)
        left -= len(piece)
    return digest.hexdigest().encode()


def _unsaved(gan: GAN) -> list[keras.Variable]:
    """What Keras does not save: the states of random numbers, of layers too, and means of logs."""
    seeds = [v for v in gan.variables if v.path.endswith("seed_generator_state")]
    return [*seeds, *(v for metric in gan.metrics for v in metric.variables)]


def _own_value(variable: keras.Variable) -> np.ndarray:
    """Returns what this process knows of a variable: to sum a metric, all workers have to talk."""
    strategy = getattr(variable.value, "distribute_strategy", None)
    if strategy is None or not several_workers(strategy):
        return variable.numpy()
    return strategy.experimental_local_results(variable.value)[0].numpy()
