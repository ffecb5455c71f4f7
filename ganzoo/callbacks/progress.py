"""The progress bar of a run."""

import time

import keras
import numpy as np
from tqdm import tqdm


class Progress(keras.callbacks.Callback):
    """Shows one bar for the whole run: steps, losses, images a second.

    A `fit` that ends before the run does leaves it to the next one.

    Args:
        steps: Steps of the whole run.
        images_per_step: Images a step, over all replicas.
    """

    def __init__(self, steps: int, *, images_per_step: int):
        super().__init__()
        self.steps, self.images_per_step = steps, images_per_step
        self._bar = None

    def on_train_begin(self, logs=None):
        if self._bar is None:
            done = int(self.model.steps_done)
            self._bar = tqdm(total=self.steps, initial=done, unit="step", mininterval=1.0)

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
        if int(self.model.steps_done) >= self.steps:
            self.close()

    def close(self) -> None:
        """Leaves the bar as it is; Keras ends training with no such call after Ctrl-C."""
        if self._bar is not None:
            self._bar.close()
        self._bar = None
