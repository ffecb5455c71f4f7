"""The folder of a run: who may train in it, what it holds, its checkpoints."""

import contextlib
import json
import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import filelock
import tensorflow as tf

from ganzoo import callbacks, checkpoints
from ganzoo.config import ZooConfig, dump, load_config
from ganzoo.durable import write_text
from ganzoo.gans import GAN
from ganzoo.workers import Workers

KEPT_CHECKPOINTS = 2
LOCK = ".lock"


class Workdir:
    """The folder of a run.

    It holds `config.yaml`, `run.json` (data, seconds trained), `checkpoints/`, `samples/`,
    `tensorboard/`, `doctor.json` and, at the end, `final.safetensors` and `card.json`.

    Args:
        path: The folder; made when the first file is written.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path).expanduser()
        self.config = self.path / "config.yaml"
        self.run = self.path / "run.json"
        self.checkpoints = self.path / "checkpoints"
        self.samples = self.path / "samples"
        self.tensorboard = self.path / "tensorboard"
        self.best = self.path / "best.keras"
        self.weights = self.path / "final.safetensors"
        self.card = self.path / "card.json"
        self.doctor = self.path / "doctor.json"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the folder, made if missing, against other processes.

        Raises:
            ValueError: If another process trains in it, or it holds files of no run.
            OSError: If it cannot be written.
        """
        if not self.config.exists():
            # a process killed as it began leaves these behind; the config comes last
            own = {LOCK, self.run.name, *(p.name for p in self.path.glob("partial-*"))}
            if others := sorted(p.name for p in self.path.glob("*") if p.name not in own):
                raise ValueError(
                    f"Expected an empty workdir, but {self.path} holds other files: {others[0]}."
                )
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            with filelock.FileLock(self.path / LOCK, timeout=0):
                yield
        except filelock.Timeout:
            raise ValueError(
                f"Another process trains in {self.path}. Wait for it, or give another workdir."
            ) from None

    def open(self, config: ZooConfig, run: dict[str, Any], *, resume: bool) -> dict[str, Any]:
        """Starts the run or goes on with the one that is here; returns what `run.json` holds.

        Raises:
            ValueError: If the folder holds a run of another config or other images, or holds a
                run and `resume` is False.
        """
        if not self.config.exists():
            self.note(run)
            write_text(self.config, dump(config))
            return run
        if not resume:
            raise ValueError(f"{self.path} holds a run already: resume it or give another workdir.")
        before = load_config(self.config)
        if (before.name, before.hash) != (config.name, config.hash):
            raise ValueError(
                f"{self.path} holds a run of another config: {before.name} {before.hash[:12]}, and "
                f"this is {config.name} {config.hash[:12]}. Give another workdir."
            )
        stored = json.loads(self.run.read_text())
        if stored.get("labels", run.get("labels")) != run.get("labels"):
            raise ValueError(
                f"{self.path} holds a run on other labels of these images. Give another workdir."
            )
        if stored["data"]["fingerprint"] != run["data"]["fingerprint"]:
            raise ValueError(
                f"{self.path} holds a run on other images: {stored['data']}, and these are "
                f"{run['data']}. Give another workdir."
            )
        write_text(self.config, dump(config))
        return stored

    def note(self, run: Mapping[str, Any]) -> None:
        """Writes `run.json`."""
        write_text(self.run, json.dumps(run, indent=2))

    def saved(self) -> list[Path]:
        """Returns the checkpoints, the newest first."""
        return sorted(self.checkpoints.glob("step_*.keras"), reverse=True)

    def save(self, gan: GAN, state: Mapping[str, Any]) -> None:
        """Writes a checkpoint, see `ganzoo.checkpoints.write`, and then removes old ones.

        Args:
            gan: The GAN.
            state: What `restore` gives back with it, fit for JSON.

        Raises:
            FloatingPointError: If a weight is not finite: nothing is written then.
            OSError: If it cannot be written; those before are as they were.
        """
        callbacks.check_finite(gan)
        self.checkpoints.mkdir(exist_ok=True)
        final = self.checkpoints / f"step_{int(gan.steps_done):08d}.keras"
        checkpoints.write(gan, final, state)
        saved = self.saved()
        kept = [path for path in saved if path <= final][:KEPT_CHECKPOINTS]
        # later ones could not be read when this run started; the others are of a killed process,
        # tmp* where Keras had too little memory for the weights
        left = (path for kind in ("partial-*", "tmp*") for path in self.checkpoints.glob(kind))
        for old in {*saved, *left} - {*kept}:
            with contextlib.suppress(OSError):  # a file that stays does no harm
                old.unlink()

    def restore(
        self, strategy: tf.distribute.Strategy, workers: Workers | None = None
    ) -> tuple[GAN, dict[str, Any]] | None:
        """Returns the GAN of the newest checkpoint that is whole, and its state.

        None if there is no checkpoint. Of several workers the chief alone reads the folder, and
        sends the others the file: they build their GAN from the same bytes.

        Raises:
            ValueError: If there are checkpoints and none can be read.
        """
        if workers is not None and workers.count > 1:
            newest = self._newest() if workers.chief else None
            with workers.file(newest) as path, strategy.scope():
                return path and checkpoints.load(path)
        for path in self.saved():
            try:
                with strategy.scope():
                    return checkpoints.load(path)
            except Exception as error:  # a damaged file fails in many ways
                _pass_over(path, error)
        if self.saved():
            raise self._none_whole()
        return None

    def _newest(self) -> Path | None:
        """The newest checkpoint that has the bytes that were written."""
        for path in self.saved():
            try:
                checkpoints.read_state(path)
                return path
            except (OSError, ValueError) as error:
                _pass_over(path, error)
        if self.saved():
            raise self._none_whole()
        return None

    def _none_whole(self) -> ValueError:
        return ValueError(
            f"Expected a checkpoint that can be read in {self.checkpoints}, but found none. "
            "Give another workdir, or remove this folder to start anew."
        )


def _pass_over(path: Path, error: Exception) -> None:
    kind = type(error).__name__
    warnings.warn(f"Passed over {path}, which cannot be read: {kind}: {error}", stacklevel=3)
