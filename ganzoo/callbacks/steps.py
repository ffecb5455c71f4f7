"""Callbacks that count a GAN's own steps."""

import threading
import time
import warnings
from collections.abc import Callable

import keras

from ganzoo import memory

SECONDS = 180.0


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


class Checkpoint(keras.callbacks.Callback):
    """Calls a function that saves the GAN, after all that a step brings.

    It has to be the last of the callbacks: what others do at a step, and at the end of the epoch
    that the step ends, is done when it saves. So a run that goes on from there repeats nothing
    and leaves nothing out. A save that raises OSError, where a disk is full say, is warned of; the
    next one comes in its turn.

    Args:
        save: Function of the step.
        every: Steps between two checkpoints; None for `seconds`.
        seconds: Seconds of training between two checkpoints, where `every` is None.
        stop: Once it is set, the step under way is the last: it is saved, whatever `every` says,
            and KeyboardInterrupt raised.

    Raises:
        ValueError: If `every` is less than 1.
    """

    def __init__(
        self,
        save: Callable[[int], None],
        *,
        every: int | None = None,
        seconds: float = SECONDS,
        stop: threading.Event | None = None,
    ):
        super().__init__()
        if every is not None and every < 1:
            raise ValueError(f"Expected every >= 1, or None. Received: every={every}.")
        self.save, self.every, self.seconds = save, every, seconds
        self.stop = stop or threading.Event()
        self._time = None

    def on_train_begin(self, logs=None):
        self._step, self._due = int(self.model.steps_done), False
        self._time = time.monotonic() if self._time is None else self._time

    def on_train_batch_end(self, batch, logs=None):
        before, self._step = self._step, int(self.model.steps_done)
        self._due = self._due or self.stop.is_set() or self._passed(before)
        ends_epoch = self.model.stop_training or batch + 1 == self.params.get("steps")
        if self._due and not ends_epoch:
            self._act()

    def on_epoch_end(self, epoch, logs=None):
        if self._due or self.stop.is_set():
            self._act()

    def _passed(self, before: int) -> bool:
        if self.every is None:
            return time.monotonic() - self._time >= self.seconds
        return before // self.every != self._step // self.every

    def _act(self) -> None:
        self._due = False
        try:
            self.save(self._step)
        except OSError as error:
            if self.stop.is_set():
                raise
            warnings.warn(
                f"{error} Training goes on; the checkpoints from before stay.", stacklevel=2
            )
        memory.release()
        self._time = time.monotonic()
        if self.stop.is_set():
            raise KeyboardInterrupt


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


class CarriedMeans(keras.callbacks.Callback):
    """Lets the logs' means of the first epoch go on from those that the GAN was saved with.

    `fit` begins each epoch anew; that of a run which resumes within an epoch began before.
    """

    def on_train_begin(self, logs=None):
        self._kept = [(v, v.numpy()) for metric in self.model.metrics for v in metric.variables]

    def on_epoch_begin(self, epoch, logs=None):
        for variable, value in self._kept:
            variable.assign(value)
        self._kept = []
