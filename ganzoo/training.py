"""A training run: how it goes on where it was stopped, the weights and card it ends with."""

import contextlib
import datetime
import hashlib
import math
import os
import platform
import threading
import time
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

import ganzoo
from ganzoo import builders, callbacks, weights
from ganzoo import data as data_room
from ganzoo.config import ZooConfig, dump
from ganzoo.config.loading import data_shape
from ganzoo.gans import GAN
from ganzoo.signals import asked_to_stop_by
from ganzoo.strategy import get_strategy, own
from ganzoo.workdir import Workdir
from ganzoo.workers import StopTogether, Workers


def train(
    config: ZooConfig,
    *,
    workdir: str | os.PathLike,
    data: Any = None,
    data_dir: str | os.PathLike | None = None,
    strategy: str | tf.distribute.Strategy = "auto",
    resume: bool = True,
    progress: bool = True,
    doctor: bool = True,
    stop_hopeless: bool = False,
) -> GAN:
    """Trains a config to its `training.steps`, or goes on where the workdir's run stopped.

    On one CPU with the same number of threads a run in float32 ends with the same bits, wherever
    and however often it was stopped, killed too. It may go on with other samples, checkpoints,
    evaluations or bars, and to more steps. A checkpoint that does not hold the bytes that were
    written is passed over with a warning for the one before. Where a checkpoint, samples or scores
    cannot be written, the disk being full say, a warning says so and training goes on.

    Ends by writing `final.safetensors` and the draft card `card.json` into the workdir. Ctrl-C, or
    SIGTERM, ends the step under way, saves a checkpoint and raises KeyboardInterrupt; given again,
    it stops at once.

    Of several workers each reads its rows of every batch, and the chief alone the workdir: it
    writes all there is, and decides when to save. One that is asked to stop has all stop a few
    steps later. They need the same data and config, and the others no workdir. A run may go on
    with another number of workers: the batch is that of all together.

    Args:
        config: The entry, from `ganzoo.registry.entry(name)`.
        workdir: Folder of the run.
        data: Where the images are, in place of the config's data set by name: a folder, zip, npz
            or array.
        data_dir: Folder that is searched for the data set first.
        strategy: See `ganzoo.strategy.get_strategy`.
        resume: Whether to go on with a run that the workdir holds.
        progress: Whether to show progress bars.
        doctor: Whether to watch for failures and keep a report, `doctor.json`; see
            `ganzoo.callbacks.TrainingDoctor`. It changes nothing of the run.
        stop_hopeless: Whether the doctor ends a run that is beyond saving.

    Returns:
        The trained GAN.

    Raises:
        ValueError: If the images do not fit the config, or the workdir holds another run or is in
            use by another process.
        FloatingPointError: If a loss is no longer finite.
        OSError: If the last checkpoint or the weights cannot be written.
        LostWorker: If another worker is gone.
    """
    strategy = get_strategy(strategy)
    workers = Workers(strategy)
    progress = progress and workers.chief
    images = open_images(config, data=data, data_dir=data_dir, progress=progress)
    folder = Workdir(workdir)
    with workers.losses_told(), contextlib.ExitStack() as stack:
        workers.check_same("config", hashlib.sha256(dump(config).encode()).hexdigest())
        workers.check_same("images", images.fingerprint)
        workers.check_same("labels", _labels_digest(config, images))

        def begin() -> dict[str, Any]:
            stack.enter_context(folder.locked())
            return folder.open(config, _new_run(config, images), resume=resume)

        run = workers.told(begin)
        found = folder.restore(strategy, workers)
        gan, state = found or (builders.build(config, strategy=strategy), {})
        _check_labels(gan, config, images)
        run["seconds"] = state.get("seconds", 0.0)
        if int(gan.steps_done) < config.training.steps:
            kept = state.get("callbacks", {})
            watching = doctor and workers.count == 1
            doctors = _doctors(gan, config, images, folder, progress=progress) if watching else []
            for one in doctors:
                one.stop = stop_hopeless
                stack.callback(one.write)
            watchers = [callbacks.StopOnNaN(), callbacks.StopAt(config.training.steps)]
            if workers.chief:
                origin = config.data.dataset if data is None else data
                scored = _evaluations(gan, config, images, folder, (origin, data_dir), progress)
                watchers = _watchers(config, images, folder, scored, _images_per_step(gan, config))
            watchers += doctors
            _fit(gan, config, images, folder, run, kept, workers, watchers, progress=progress)
        if workers.chief:
            finish(gan, config, folder, run)
        workers.wait()
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
        stream=config.data.stream,
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
        "labels": _labels_digest(config, images),
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "seconds": 0.0,
    }


def _labels_digest(config: ZooConfig, images: data_room.Images) -> str:
    """Returns what tells labels from others; an empty text where none are learned from."""
    if not config.data.labels or images.labels is None:
        return ""
    return hashlib.sha256(np.asarray(images.labels, "<i8").tobytes()).hexdigest()


def _check_labels(gan: GAN, config: ZooConfig, images: data_room.Images) -> None:
    """Raises ValueError if images have labels that the GAN does not know."""
    if config.data.labels and images.labels is not None:
        try:
            gan.check_labels(images.labels)
        except ValueError as error:
            raise ValueError(f"{images.name}: {error}") from None


def _fit(
    gan: GAN,
    config: ZooConfig,
    images: data_room.Images,
    folder: Workdir,
    run: dict[str, Any],
    kept: dict[str, Any],
    workers: Workers,
    watchers: list[keras.callbacks.Callback],
    *,
    progress: bool,
) -> None:
    """Trains from the GAN's own step to the last one.

    Args:
        gan: The GAN.
        config: Of the run.
        images: What to train on.
        folder: Where checkpoints go.
        run: What `run.json` holds; its seconds are kept up.
        kept: State of the callbacks, by name, where the run goes on.
        workers: Of the run; the chief alone saves.
        watchers: Its callbacks, but for the progress bar and the one that saves.
        progress: Whether to show bars.
    """
    training, stop = config.training, threading.Event()
    asked = threading.Event() if workers.count > 1 else stop
    before, start, saved = run["seconds"], time.monotonic(), None

    def save(step: int) -> None:
        nonlocal saved
        if not workers.chief:
            saved = step
            return
        run["seconds"] = round(before + time.monotonic() - start, 1)
        states = {name: one.get_state() for name, one in stateful.items()}
        folder.save(gan, {"seconds": run["seconds"], "callbacks": states})
        saved = step
        folder.note(run)

    if workers.chief:
        callbacks.forget_scalars(folder.tensorboard, after=int(gan.steps_done))
    if workers.count > 1:
        watchers.append(StopTogether(workers, asked, stop))
    watchers.append(callbacks.Checkpoint(save, every=training.checkpoint_every, stop=stop))
    stateful = {type(one).__name__: one for one in watchers if hasattr(one, "get_state")}
    for name in {*stateful} & {*kept}:
        stateful[name].set_state(kept[name])
    with contextlib.ExitStack() as stack:
        if progress:
            bar = callbacks.Progress(training.steps, images_per_step=_images_per_step(gan, config))
            watchers.insert(-2, bar)
            stack.callback(bar.close)
        stack.enter_context(asked_to_stop_by(asked))
        stack.enter_context(_leaving_together(workers, stop))
        begun = [callbacks.CarriedMeans()] if int(gan.steps_done) % training.log_every else []
        for steps, epochs in _pieces(int(gan.steps_done), training.steps, training.log_every):
            gan.fit(
                _batches(gan, config, images),
                steps_per_epoch=steps,
                epochs=epochs,
                callbacks=[*begun, *watchers],
                verbose=0,
            )
            begun = []
            if gan.stop_training:
                break
    if saved != int(gan.steps_done):
        save(int(gan.steps_done))


@contextlib.contextmanager
def _leaving_together(workers: Workers, stop: threading.Event) -> Iterator[None]:
    """Lets the workers of a run that is stopped wait until the chief has saved it."""
    try:
        yield
    except KeyboardInterrupt:
        if stop.is_set():
            workers.wait()
        raise


def _watchers(
    config: ZooConfig,
    images: data_room.Images,
    folder: Workdir,
    scored: list[keras.callbacks.Callback],
    images_per_step: int,
) -> list[keras.callbacks.Callback]:
    """The chief's callbacks but for the last, which saves what these have done."""
    training = config.training
    return [
        callbacks.StopOnNaN(folder.saved),
        callbacks.SampleGrid(folder.samples, every=training.sample_every, mixture=images.mixture),
        *scored,
        callbacks.Scalars(folder.tensorboard, images_per_step=images_per_step),
        callbacks.StopAt(training.steps),
    ]


def _images_per_step(gan: GAN, config: ZooConfig) -> int:
    return config.data.batch_size * gan.updates_per_batch


def _batches(gan: GAN, config: ZooConfig, images: data_room.Images) -> Any:
    """The batches from the GAN's step on, without end; of several workers, each one's rows."""
    return data_room.distributed(
        images,
        gan.distribute_strategy,
        batch_size=_images_per_step(gan, config),
        flip=config.data.flip,
        labels=config.data.labels,
        labelled=config.data.labelled,
        seed=config.training.seed,
        first_batch=int(gan.steps_done),
        repeat=True,
    )


def _pieces(done: int, steps: int, log_every: int) -> Iterator[tuple[int, int]]:
    """Steps an epoch and epochs of each call of `fit`.

    Epochs, whose means are logged, end at multiples of `log_every` wherever a run was resumed: the
    first call ends the epoch that was begun.
    """
    if first := min(-done % log_every, steps - done):
        yield first, 1
    if rest := steps - done - first:
        yield log_every, math.ceil(rest / log_every)


def _evaluations(
    gan: GAN,
    config: ZooConfig,
    images: data_room.Images,
    folder: Workdir,
    origin: tuple[Any, Any],
    progress: bool,
) -> list[keras.callbacks.Callback]:
    """The evaluation that the config asks for during the run, if any.

    `origin` is where the images come from and the folder that is searched first: a classifier is
    judged by the test split there.
    """
    if not config.evaluation.every:
        return []
    from ganzoo.metrics.evaluation import Evaluator

    evaluator = Evaluator(
        images,
        config=config,
        image_shape=gan.image_shape,
        floor=False,
        progress=False,
        strategy=own(gan.distribute_strategy),
        subject=gan,
        origin=origin[0],
        data_dir=origin[1],
    )
    every, show = config.evaluation.every, tqdm.write if progress else None
    return [callbacks.EvaluateCallback(evaluator, every=every, best=folder.best, show=show)]


def _doctors(
    gan: GAN, config: ZooConfig, images: data_room.Images, folder: Workdir, *, progress: bool
) -> list[callbacks.TrainingDoctor]:
    """The doctor, who looks at the first batches of the whole run wherever this one begins."""
    marks = folder.tensorboard / "doctor"
    callbacks.forget_scalars(marks, after=int(gan.steps_done))
    data = data_room.batches(
        images,
        batch_size=_images_per_step(gan, config),
        labels=config.data.labels,
        labelled=config.data.labelled,
        seed=config.training.seed,
        repeat=True,
    )
    doctor = callbacks.TrainingDoctor(
        data=data,
        mixture=images.mixture,
        judge=_judge(gan, config),
        report=folder.doctor,
        tensorboard=marks,
        until=config.training.steps,
        show=tqdm.write if progress else None,
    )
    return [doctor]


def _judge(gan: GAN, config: ZooConfig) -> str | None:
    """The classifier that the config is scored by, if it is one for such images."""
    from ganzoo.metrics.features.classifier import CLASSIFIERS, SIZE

    name = config.evaluation.extractor
    return name if name in CLASSIFIERS and gan.image_shape == (SIZE, SIZE, 1) else None


def finish(gan: GAN, config: ZooConfig, folder: Workdir, run: dict[str, Any]) -> weights.Card:
    """Writes `final.safetensors` and the draft of its card; returns the card.

    A card that these weights have already stays, with what has been measured since.
    """
    tensors = weights.collect(gan, dtype="float16", delta=True)
    sha256 = weights.write(folder.weights, tensors, {"name": config.name, "format": "ganzoo"})
    with contextlib.suppress(OSError, ValueError):
        card = weights.read_card(folder.card)
        if (card.sha256, card.config_hash, card.data) == (sha256, config.hash, run["data"]):
            return card
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
