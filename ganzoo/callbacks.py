"""What happens beside the steps of a run: samples, scalars, checkpoints, guards.

All are plain Keras callbacks; they count steps by the GAN's own `steps_done`, so that a resumed
run goes on where it was.
"""

import json
import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from ganzoo import sheets, visualize
from ganzoo.data import texts
from ganzoo.errors import unknown
from ganzoo.metrics.modes import Mixture
from ganzoo.metrics.names import HIGHER


class EverySteps(keras.callbacks.Callback):
    """Calls `self.act(step)` each time the GAN has done a multiple of `every` steps.

    Args:
        every: Number of steps.
    """

    def __init__(self, every: int):
        super().__init__()
        if every < 1:
            raise ValueError(f"Expected every >= 1. Received: every={every}.")
        self.every = every

    def on_train_begin(self, logs=None):
        self.step = int(self.model.steps_done)

    def on_train_batch_end(self, batch, logs=None):
        # with steps_per_execution > 1 several steps end at once
        before, self.step = self.step, int(self.model.steps_done)
        if before // self.every != self.step // self.every:
            self.act(self.step)

    def act(self, step: int) -> None:
        raise TypeError(f"{type(self).__name__} must define `act`.")


class SampleGrid(EverySteps):
    """Writes a grid of images of the same latents, `step_00001000.png`; or a picture of points.

    Points that are not in the plane are written as `.npz`, texts as `.txt`, a line each. A GAN that
    knows classes, or has a categorical code, shows one in each column, see `ganzoo.sheets`.

    Args:
        directory: Folder of the pictures.
        every: Steps between two of them.
        n: Number of images, by default 64 or 8 of each class, or 2,500 points.
        seed: Seed of the latents.
        mixture: Whose modes a picture of points marks.
    """

    def __init__(
        self,
        directory: str | Path,
        *,
        every: int,
        n: int | None = None,
        seed: int = 0,
        mixture: Mixture | None = None,
    ):
        super().__init__(every)
        self.directory, self.n, self.seed, self.mixture = Path(directory), n, seed, mixture

    def act(self, step: int) -> None:
        if getattr(self.model, "characters", None):
            some = self.model.generate_text(self.n or 64, seed=self.seed)
            texts.write(some, self.directory / f"step_{step:08d}.txt")
            return
        shape = self.model.image_shape
        points = len(shape) == 1
        images = sheets.samples(self.model, self.n or (2_500 if points else None), seed=self.seed)
        path = self.directory / f"step_{step:08d}{'.npz' if points and shape != (2,) else '.png'}"
        if points:
            visualize.save_points(images, path, mixture=self.mixture)
        else:
            visualize.save(images, path, columns=sheets.layout(self.model)[1])


class EvaluateCallback(EverySteps):
    """Scores the moving average of the generator during `fit`, and may keep the best model.

    Fresh scores enter the logs of the epoch in which they were measured, with the seconds that
    they took as `evaluate_seconds`; place it before a callback that writes the logs.

    Args:
        evaluator: Has `metrics` and `score(gan)`, as `ganzoo.metrics.Evaluator`; made once, so
            that the real images' features are computed once.
        every: Steps between two evaluations.
        best: File that keeps the model with the best score so far, `.keras`; its score stands in
            a `.json` beside it, which a resumed run goes on from. None keeps no model.
        monitor: The metric that decides, by default the evaluator's first.
        show: Function that shows a line of text, None for silence.

    Raises:
        ValueError: If `monitor` is none of the evaluator's metrics.
    """

    def __init__(
        self,
        evaluator,
        *,
        every: int,
        best: str | Path | None = None,
        monitor: str | None = None,
        show: Callable[[str], None] | None = tqdm.write,
    ):
        super().__init__(every)
        names = list(evaluator.metrics)
        self.monitor = names[0] if monitor is None else monitor
        if self.monitor not in names:
            raise unknown("metric to monitor", self.monitor, names)
        self.evaluator, self.show = evaluator, show
        self.best = None if best is None else Path(best)
        self.scores: dict[int, dict[str, float]] = {}
        self._fresh: dict[str, float] = {}

    def act(self, step: int) -> None:
        start = time.monotonic()
        scores = self.evaluator.score(self.model).values_only
        seconds = time.monotonic() - start
        self.scores[step] = scores
        self._fresh = {**scores, "evaluate_seconds": seconds}
        kept = self._keep(step, scores[self.monitor])
        if self.show:
            told = ", ".join(f"{name} {value:.4g}" for name, value in scores.items())
            self.show(f"step {step:,}: {told} ({seconds:.0f} s){', the best so far' * kept}")

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs.update(self._fresh)
        self._fresh = {}

    def _keep(self, step: int, score: float) -> bool:
        """Saves the model if it is the best yet; says whether it is."""
        if self.best is None:
            return False
        record = self.best.with_suffix(".json")
        sign = -1 if self.monitor in HIGHER else 1
        if record.exists() and self.best.exists():
            before = json.loads(record.read_text())
            if before["metric"] == self.monitor and sign * before["value"] <= sign * score:
                return False
        self.best.parent.mkdir(parents=True, exist_ok=True)
        aside = self.best.with_name(f"partial-{self.best.name}")
        self.model.save(aside)
        os.replace(aside, self.best)
        record.write_text(json.dumps({"metric": self.monitor, "value": score, "step": step}))
        return True


class Scalars(keras.callbacks.Callback):
    """Writes each epoch's mean logs and images a second as TensorBoard scalars.

    Args:
        directory: Folder of the event files.
        images_per_step: Images a step, over all replicas.
    """

    def __init__(self, directory: str | Path, *, images_per_step: int):
        super().__init__()
        self.directory, self.images_per_step = str(directory), images_per_step

    def on_train_begin(self, logs=None):
        self._writer = tf.summary.create_file_writer(self.directory)

    def on_epoch_begin(self, epoch, logs=None):
        self._step, self._time = int(self.model.steps_done), tf.timestamp()

    def on_epoch_end(self, epoch, logs=None):
        step = int(self.model.steps_done)
        seconds = float(tf.timestamp() - self._time)
        scalars = {name: float(np.mean(value)) for name, value in (logs or {}).items()}
        scalars["images_per_second"] = (step - self._step) * self.images_per_step / seconds
        # TensorFlow's own summary ops need the package tensorboard; its file format does not
        values = [tf.compat.v1.Summary.Value(tag=k, simple_value=v) for k, v in scalars.items()]
        summary = tf.compat.v1.Summary(value=values)
        with self._writer.as_default():
            tf.summary.experimental.write_raw_pb(summary.SerializeToString(), step=step)
        self._writer.flush()

    def on_train_end(self, logs=None):
        self._writer.close()


class Progress(keras.callbacks.Callback):
    """Shows one bar for the whole run: steps, losses, images a second.

    Args:
        steps: Steps of the whole run.
        images_per_step: Images a step, over all replicas.
    """

    def __init__(self, steps: int, *, images_per_step: int):
        super().__init__()
        self.steps, self.images_per_step = steps, images_per_step

        self._bar = None

    def on_train_begin(self, logs=None):
        self._bar = tqdm(
            total=self.steps, initial=int(self.model.steps_done), unit="step", mininterval=1.0
        )

    def on_epoch_begin(self, epoch, logs=None):
        self._step, self._time = int(self.model.steps_done), time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        self._bar.update(int(self.model.steps_done) - self._bar.n)

    def on_epoch_end(self, epoch, logs=None):
        seconds = max(time.monotonic() - self._time, 1e-9)
        images = (int(self.model.steps_done) - self._step) * self.images_per_step
        shown = {name: f"{float(np.mean(value)):.3f}" for name, value in (logs or {}).items()}
        self._bar.set_postfix(**shown, images_per_second=f"{images / seconds:.0f}")

    def on_train_end(self, logs=None):
        self.close()

    def close(self) -> None:
        """Leaves the bar as it is; Keras ends training with no such call after Ctrl-C."""
        if self._bar is not None:
            self._bar.close()


class StopAt(keras.callbacks.Callback):
    """Ends `fit` when the GAN has done `steps` steps.

    Args:
        steps: Number of steps, those before this `fit` included.
    """

    def __init__(self, steps: int):
        super().__init__()
        self.steps = steps

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.steps_done) >= self.steps:
            self.model.stop_training = True


class StopOnNaN(keras.callbacks.Callback):
    """Raises FloatingPointError when a loss is no longer finite, before it is checkpointed."""

    def on_epoch_end(self, epoch, logs=None):
        for name, value in (logs or {}).items():
            if not math.isfinite(float(np.mean(value))):
                raise FloatingPointError(
                    f"{name} is {float(np.mean(value))} at step {int(self.model.steps_done)}: the "
                    "run has diverged. Its last checkpoint is from before; try a lower "
                    "learning_rate."
                )


def check_finite(gan: keras.Model) -> None:
    """Raises FloatingPointError if a weight of one of a GAN's networks is not finite."""
    for name, network in gan.networks.items():
        for variable in network.weights:
            if not np.isfinite(variable.numpy()).all():
                raise FloatingPointError(
                    f"{name}'s {variable.path} is not finite at step {gan.steps_done}: the run has "
                    "diverged. Its last checkpoint is from before; try a lower learning_rate."
                )


class Checkpoint(EverySteps):
    """Calls a function that saves the GAN.

    Args:
        save: Function of the step.
        every: Steps between two checkpoints.
    """

    def __init__(self, save: Callable[[int], None], *, every: int):
        super().__init__(every)
        self.save = save

    def act(self, step: int) -> None:
        self.save(step)
