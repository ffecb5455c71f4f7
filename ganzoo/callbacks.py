"""What happens beside the steps of a run: samples, scalars, checkpoints, guards.

All are plain Keras callbacks; they count steps by the GAN's own `steps_done`, so that a resumed
run goes on where it was.
"""

import math
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from ganzoo import visualize


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
    """Writes a grid of images of the same latents, `step_00001000.png`.

    Args:
        directory: Folder of the pictures.
        every: Steps between two of them.
        n: Number of images.
        seed: Seed of the latents.
    """

    def __init__(self, directory: str | Path, *, every: int, n: int = 64, seed: int = 0):
        super().__init__(every)
        self.directory, self.n, self.seed = Path(directory), n, seed

    def act(self, step: int) -> None:
        images = self.model.generate(self.n, seed=self.seed)
        visualize.save(images, self.directory / f"step_{step:08d}.png")


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

    def on_train_begin(self, logs=None):
        self._bar = tqdm(
            total=self.steps, initial=int(self.model.steps_done), unit="step", mininterval=1.0
        )

    def on_train_batch_end(self, batch, logs=None):
        self._bar.update(int(self.model.steps_done) - self._bar.n)

    def on_epoch_end(self, epoch, logs=None):
        rate = self._bar.format_dict["rate"] or 0.0
        shown = {name: f"{float(np.mean(value)):.3f}" for name, value in (logs or {}).items()}
        self._bar.set_postfix(**shown, images_per_second=f"{rate * self.images_per_step:.0f}")

    def on_train_end(self, logs=None):
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
