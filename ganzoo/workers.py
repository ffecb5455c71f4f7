"""What the processes of a run on several workers tell each other, and what only one of them does.

The chief alone writes: checkpoints, samples, scalars, weights. The others need no workdir: they
hear from the chief what it found there. All reach each call here in the same order, or wait.
"""

import contextlib
import json
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ganzoo.cluster import cluster
from ganzoo.strategy import several_workers

VOTE_EVERY = 8
"""Steps between two questions whether a worker has been asked to stop."""
_PIECE = 1 << 22  # bytes sent at once


class LostWorker(ConnectionError):
    """A worker of the run has died, or can't be reached any more."""


class Workers:
    """The workers of a strategy; of a strategy of one process, that one.

    Args:
        strategy: Any.
    """

    def __init__(self, strategy: tf.distribute.Strategy):
        self.strategy = strategy
        several = several_workers(strategy)
        self._own = len(strategy.extended.worker_devices) if several else 1
        self.count = strategy.num_replicas_in_sync // self._own if several else 1
        self.chief = cluster().chief if several else True

    def total(self, numbers: Any) -> np.ndarray:
        """Returns the sum of all workers' numbers, float32, exact for integers below 2**24."""
        numbers = np.asarray(numbers, np.float32)
        if self.count == 1:
            return numbers
        none = np.zeros_like(numbers)

        def of_replica(context: Any) -> tf.Tensor:
            first = context.replica_id_in_sync_group % self._own == 0
            return tf.convert_to_tensor(numbers if first else none)

        values = self.strategy.experimental_distribute_values_from_function(of_replica)
        return np.asarray(self.strategy.reduce("SUM", values, axis=None))

    def chiefs(self, numbers: Any) -> np.ndarray:
        """Returns the chief's numbers, float32; the others' have the same shape."""
        numbers = np.asarray(numbers, np.float32)
        return self.total(numbers if self.chief else np.zeros_like(numbers))

    def any(self, wish: bool) -> bool:
        """Returns whether a worker wishes something; all wait for each other."""
        return bool(self.total(float(wish)) > 0)

    def wait(self) -> None:
        """Waits until all workers are here."""
        self.total(0.0)

    def sent(self, data: bytes) -> bytes:
        """Returns the chief's bytes; what the others give is left aside."""
        if self.count == 1:
            return data
        length = len(data) if self.chief else 0
        # a float32 is exact up to 2**24
        high, low = self.total([length >> 16, length & 0xFFFF]).astype(np.int64)
        length, pieces = int(high << 16 | low), []
        for start in range(0, length, _PIECE):
            size = min(_PIECE, length - start)
            numbers = np.zeros(size + size % 2, np.uint8)
            if self.chief:
                numbers[:size] = np.frombuffer(data, np.uint8, size, start)
            found = self.total(numbers.view("<u2")).astype("<u2")
            pieces.append(found.tobytes()[:size])
        return b"".join(pieces)

    def told(self, find: Callable[[], Any]) -> Any:
        """Returns what the chief finds, fit for JSON; the others don't look.

        Raises:
            Exception: What `find` raises, on the chief.
            ValueError: On the others, then.
        """
        if self.count == 1:
            return find()
        found, error = None, None
        if self.chief:
            try:
                found = find()
            except Exception as raised:
                error = raised
        told = {"found": found, "error": error and str(error)}
        told = json.loads(self.sent(json.dumps(told).encode()))
        if error is not None:
            raise error
        if told["error"] is not None:
            raise ValueError(f"The chief has stopped: {told['error']}")
        return told["found"]

    @contextlib.contextmanager
    def file(self, path: Path | None) -> Iterator[Path | None]:
        """Gives all workers a file of the chief's: others a copy of their own, while this lasts.

        Args:
            path: The chief's; None for none, and on the others.
        """
        name = self.told(lambda: path and path.name)
        if name is None or self.count == 1:
            yield path
            return
        data = self.sent(path.read_bytes() if self.chief else b"")
        if self.chief:
            yield path
            return
        with tempfile.TemporaryDirectory(prefix="ganzoo-") as folder:
            copy = Path(folder) / name
            copy.write_bytes(data)
            yield copy

    def check_same(self, noun: str, value: str) -> None:
        """Raises ValueError, on all workers, unless `value` is the same on all."""
        theirs = self.sent(value.encode()).decode()
        if others := int(self.total(float(theirs != value))):
            raise ValueError(
                f"Expected the same {noun} on all {self.count} workers. Received: {others} of "
                f"other {noun} than the chief's; here {value[:12]}, on the chief {theirs[:12]}."
            )

    @contextlib.contextmanager
    def chief_alone(self) -> Iterator[bool]:
        """Says whether this is the chief; the others wait at the end until it has done its part."""
        with self.losses_told():
            yield self.chief
            self.wait()

    @contextlib.contextmanager
    def losses_told(self) -> Iterator[None]:
        """Turns TensorFlow's errors about a worker that is gone into `LostWorker`."""
        try:
            yield
        except tf.errors.OpError as error:
            if self.count == 1 or not _of_workers(error):
                raise
            raise LostWorker(
                f"One of the {self.count} workers was lost, so this one ends: "
                f"{str(error.message).strip().splitlines()[-1][:200]}. Its own messages say why. "
                "Start the workers again, as many as before or another number: the run goes on "
                "at its last checkpoint."
            ) from error


def _of_workers(error: tf.errors.OpError) -> bool:
    gone = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.DeadlineExceededError)
    return isinstance(error, gone) or "ollective" in str(error.message)


class StopTogether(keras.callbacks.Callback):
    """Lets all workers stop after the same step, where one of them is asked to.

    It has to come before the callbacks that look at `stop`.

    Args:
        workers: Of the run.
        asked: Set where this process is asked to stop.
        stop: Is set once all know of it.
        every: Steps between two questions.
    """

    def __init__(
        self,
        workers: Workers,
        asked: threading.Event,
        stop: threading.Event,
        *,
        every: int = VOTE_EVERY,
    ):
        super().__init__()
        self.workers, self.asked, self.stop, self.every = workers, asked, stop, every

    def on_train_batch_end(self, batch, logs=None):
        if self.model.steps_done % self.every == 0 and self.workers.any(self.asked.is_set()):
            self.stop.set()
