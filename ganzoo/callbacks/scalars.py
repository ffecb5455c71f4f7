"""Losses and speed for TensorBoard."""

import warnings
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from ganzoo import durable


class Scalars(keras.callbacks.Callback):
    """Writes each epoch's mean logs and images a second as TensorBoard scalars.

    What cannot be written, where a disk is full say, is warned of.

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
        try:
            with self._writer.as_default():
                tf.summary.experimental.write_raw_pb(summary.SerializeToString(), step=step)
            self._writer.flush()
        except tf.errors.OpError as error:
            warnings.warn(f"Cannot write to {self.directory}: {error.message}.", stacklevel=2)

    def on_train_end(self, logs=None):
        close(self._writer, self.directory)


def close(writer: tf.summary.SummaryWriter, directory: str) -> None:
    """Closes a writer of event files; what it cannot write any more is warned of."""
    try:
        writer.close()
    except tf.errors.OpError as error:
        warnings.warn(f"Cannot write to {directory}: {error.message}.", stacklevel=3)


def forget_scalars(directory: str | Path, *, after: int) -> None:
    """Removes the events of later steps from TensorBoard's files, and what is cut off at an end.

    A run that goes on from its checkpoint writes them again.

    Args:
        directory: Folder of the event files; may be missing.
        after: The last step to keep.
    """
    for path in sorted(Path(directory).glob("events.out.tfevents.*")):
        records, whole = _records(path)
        steps = [tf.compat.v1.Event.FromString(record).step for record in records]
        kept = [record for record, step in zip(records, steps, strict=True) if step <= after]
        if whole and len(kept) == len(records):
            continue
        if len(kept) <= 1:  # the first is the format's version
            path.unlink()
            continue
        aside = path.with_name(f"partial-{path.name}")
        with tf.io.TFRecordWriter(str(aside)) as file:
            for record in kept:
                file.write(record)
        durable.replace(aside, path)


def _records(path: Path) -> tuple[list[bytes], bool]:
    """Returns the records of a file up to the first that is damaged, and whether there is none."""
    records = []
    try:
        for record in tf.data.TFRecordDataset(str(path)):
            records.append(record.numpy())
    except tf.errors.DataLossError:
        return records, False
    return records, True
