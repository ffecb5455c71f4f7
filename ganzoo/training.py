"""A training run: its folder, its checkpoints, and the weights and card it ends with."""

import contextlib
import datetime
import json
import math
import os
import platform
import time
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock
import keras
import tensorflow as tf
from tqdm import tqdm

import ganzoo
from ganzoo import builders, callbacks, weights
from ganzoo import data as data_room
from ganzoo.config import ZooConfig, dump, load_config
from ganzoo.config.loading import data_shape
from ganzoo.gans import GAN
from ganzoo.strategy import get_strategy

KEPT_CHECKPOINTS = 2
LOCK = ".lock"


class Workdir:
    """The folder of a run.

    It holds `config.yaml`, `run.json` (data, seconds trained), `checkpoints/`, `samples/`,
    `tensorboard/` and, at the end, `final.safetensors` and `card.json`.

    Args:
        path: The folder; made when the first file is written.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        self.config = self.path / "config.yaml"
        self.run = self.path / "run.json"
        self.checkpoints = self.path / "checkpoints"
        self.samples = self.path / "samples"
        self.tensorboard = self.path / "tensorboard"
        self.weights = self.path / "final.safetensors"
        self.card = self.path / "card.json"

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
            write_text(self.run, json.dumps(run, indent=2))
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
        if stored["data"]["fingerprint"] != run["data"]["fingerprint"]:
            raise ValueError(
                f"{self.path} holds a run on other images: {stored['data']}, and these are "
                f"{run['data']}. Give another workdir."
            )
        write_text(self.config, dump(config))
        return stored

    def saved(self) -> list[Path]:
        """Returns the checkpoints, the newest first."""
        return sorted(self.checkpoints.glob("step_*.keras"), reverse=True)

    def save(self, gan: GAN) -> None:
        """Writes a checkpoint aside, renames it when whole, and removes old ones.

        Raises:
            FloatingPointError: If a weight is not finite: nothing is written then.
        """
        callbacks.check_finite(gan)
        self.checkpoints.mkdir(exist_ok=True)
        final = self.checkpoints / f"step_{int(gan.steps_done):08d}.keras"
        aside = final.with_name(f"partial-{final.name}")
        gan.save(aside)
        os.replace(aside, final)
        saved = self.saved()
        kept = [path for path in saved if path <= final][:KEPT_CHECKPOINTS]
        # later ones could not be read when this run started, partial ones are of a killed process
        for old in {*saved, *self.checkpoints.glob("partial-*")} - {*kept}:
            old.unlink()

    def restore(self, strategy: tf.distribute.Strategy) -> GAN | None:
        """Returns the GAN of the newest checkpoint that can be read, or None if there is none.

        Raises:
            ValueError: If there are checkpoints and none can be read.
        """
        for path in self.saved():
            try:
                check_whole(path)
                with strategy.scope():
                    return keras.models.load_model(path)
            except Exception as error:  # a damaged file fails in many ways
                kind = type(error).__name__
                warnings.warn(
                    f"Passed over {path}, which cannot be read: {kind}: {error}", stacklevel=2
                )
        if self.saved():
            raise ValueError(
                f"Expected a checkpoint that can be read in {self.checkpoints}, but found none. "
                "Give another workdir, or remove this folder to start anew."
            )
        return None


def train(
    config: ZooConfig,
    *,
    workdir: str | os.PathLike,
    data: Any = None,
    data_dir: str | os.PathLike | None = None,
    strategy: str | tf.distribute.Strategy = "auto",
    resume: bool = True,
    progress: bool = True,
) -> GAN:
    """Trains a config to its `training.steps`, or goes on where the workdir's run stopped.

    Ends by writing `final.safetensors` and the draft card `card.json` into the workdir. Ctrl-C
    saves a checkpoint and raises KeyboardInterrupt.

    Args:
        config: The entry, from `ganzoo.registry.entry(name)`.
        workdir: Folder of the run.
        data: Where the images are, in place of the config's data set by name: a folder, zip, npz
            or array.
        data_dir: Folder that is searched for the data set first.
        strategy: See `ganzoo.strategy.get_strategy`.
        resume: Whether to go on with a run that the workdir holds.
        progress: Whether to show progress bars.

    Returns:
        The trained GAN.

    Raises:
        ValueError: If the images do not fit the config, or the workdir holds another run or is in
            use by another process.
        FloatingPointError: If a loss is no longer finite.
    """
    strategy = get_strategy(strategy)
    images = open_images(config, data=data, data_dir=data_dir, progress=progress)
    folder = Workdir(workdir)
    with folder.locked():
        run = folder.open(config, _new_run(config, images), resume=resume)
        gan = folder.restore(strategy) if resume else None
        if gan is None:
            gan = builders.build(config, strategy=strategy)
        if int(gan.steps_done) < config.training.steps:
            _fit(gan, config, images, folder, run, progress=progress)
        finish(gan, config, folder, run)
    return gan


def open_images(
    config: ZooConfig, *, data: Any = None, data_dir: Any = None, progress: bool = True
) -> data_room.Images:
    """Opens a config's images, by name or from `data`, decoded at its size; or its points."""
    shape = data_shape(config.generator) or ()
    return data_room.open_source(
        config.data.dataset if data is None else data,
        image_size=config.data.image_size,
        split=config.data.split,
        data_dir=data_dir,
        channels=config.data.channels or (shape[-1] if len(shape) == 3 else None),
        crop=config.data.crop,
        progress=progress,
    )


def _new_run(config: ZooConfig, images: data_room.Images) -> dict[str, Any]:
    return {
        "name": config.name,
        "data": {
            "source": images.name,
            "images": len(images),
            "image_size": None if images.points else images.images.shape[1],
            "fingerprint": images.fingerprint,
        },
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "seconds": 0.0,
    }


def _fit(
    gan: GAN,
    config: ZooConfig,
    images: data_room.Images,
    folder: Workdir,
    run: dict[str, Any],
    *,
    progress: bool,
) -> None:
    training, done = config.training, int(gan.steps_done)
    images_per_step = config.data.batch_size * gan.updates_per_batch
    batches = data_room.batches(
        images,
        batch_size=images_per_step,
        flip=config.data.flip,
        labels=config.data.labels,
        labelled=config.data.labelled,
        seed=training.seed,
        first_batch=done,
        repeat=True,
    )
    before, start = run["seconds"], time.monotonic()

    def save(step: int | None = None) -> None:
        folder.save(gan)
        run["seconds"] = round(before + time.monotonic() - start, 1)
        write_text(folder.run, json.dumps(run, indent=2))

    watchers = [
        callbacks.StopOnNaN(),
        callbacks.Checkpoint(save, every=training.checkpoint_every),
        callbacks.SampleGrid(folder.samples, every=training.sample_every, mixture=images.mixture),
        *_evaluations(gan, config, images, folder, progress=progress),
        callbacks.Scalars(folder.tensorboard, images_per_step=images_per_step),
        callbacks.StopAt(training.steps),
    ]
    with contextlib.ExitStack() as stack:
        if progress:
            bar = callbacks.Progress(training.steps, images_per_step=images_per_step)
            watchers.append(bar)
            stack.callback(bar.close)
        stack.enter_context(_saving_on_interrupt(save))
        gan.fit(
            batches,
            steps_per_epoch=training.log_every,
            epochs=math.ceil((training.steps - done) / training.log_every),
            callbacks=watchers,
            verbose=0,
        )
    save()


def _evaluations(
    gan: GAN, config: ZooConfig, images: data_room.Images, folder: Workdir, *, progress: bool
) -> list[keras.callbacks.Callback]:
    """The evaluation that the config asks for during the run, if any."""
    if not config.evaluation.every:
        return []
    from ganzoo.metrics.evaluation import Evaluator

    evaluator = Evaluator(
        images,
        config=config,
        image_shape=gan.image_shape,
        floor=False,
        progress=False,
        strategy=gan.distribute_strategy,
        subject=gan,
    )
    every, best = config.evaluation.every, folder.path / "best.keras"
    show = tqdm.write if progress else None
    return [callbacks.EvaluateCallback(evaluator, every=every, best=best, show=show)]


@contextlib.contextmanager
def _saving_on_interrupt(save: Any) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        save()
        raise


def finish(gan: GAN, config: ZooConfig, folder: Workdir, run: dict[str, Any]) -> weights.Card:
    """Writes `final.safetensors` and the draft of its card; returns the card."""
    tensors = weights.collect(gan, dtype="float16", delta=True)
    sha256 = weights.write(folder.weights, tensors, {"name": config.name, "format": "ganzoo"})
    card = weights.Card(
        name=config.name,
        file=folder.weights.name,
        sha256=sha256,
        bytes=folder.weights.stat().st_size,
        config_hash=config.hash,
        data=run["data"],
        seed=config.training.seed,
        steps=int(gan.steps_done),
        metrics={},
        licence=config.licence,
        trained={
            "date": datetime.date.today().isoformat(),
            "seconds": round(run["seconds"]),
            "hardware": f"{os.cpu_count()} CPU cores ({platform.machine()})",
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
        },
        version=ganzoo.__version__,
        kind_of_labels=gan.kind_of_labels,
    )
    card.write(folder.card)
    return card


def check_whole(path: Path) -> None:
    """Raises if a part of a `.keras` file, a zip, does not fit its checksum."""
    with zipfile.ZipFile(path) as archive:
        if damaged := archive.testzip():
            raise ValueError(f"its part {damaged} is damaged")


def write_text(path: Path, text: str) -> None:
    """Writes a small file whole or not at all."""
    aside = path.with_name(f"partial-{path.name}")
    aside.write_text(text)
    os.replace(aside, path)
