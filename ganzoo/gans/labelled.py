"""Arrays of which some have labels, as batches that are half labelled."""

from typing import Any

import numpy as np
import tensorflow as tf

from ganzoo.gans import inputs

UNLABELLED = -1


def checked(labels: Any, classes: int) -> np.ndarray:
    """Returns labels int32 (N,), -1 for none.

    Raises:
        ValueError: If they are no whole numbers in [-1, classes), or all of them -1.
    """
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ValueError(
            "Expected labels (N,), whole numbers, -1 for images without. "
            f"Received: shape {labels.shape}, dtype {labels.dtype}."
        )
    low, high = (int(labels.min()), int(labels.max())) if len(labels) else (0, -1)
    if not (low >= UNLABELLED and 0 <= high < classes):
        raise ValueError(
            f"Expected labels in [0, {classes - 1}], some of them, and -1 for images without. "
            f"Received: labels in [{low}, {high}]."
        )
    return labels.astype(np.int32)


def paired(
    data: tf.data.Dataset,
    images: Any,
    labels: np.ndarray,
    *,
    count: int,
    seed: int | None,
    steps_done: int = 0,
) -> tf.data.Dataset:
    """Returns batches of twice as many images, each behind a labelled one.

    Labelled images go round, each round in another order if there is a `seed`; the rounds then go
    on from where they are after `steps_done` batches.

    Args:
        data: Endless batches (images, labels) of `count`; their labels are dropped.
        images: All images (N, ...).
        labels: (N,), -1 for none.
        count: Images of a batch of `data`.
        seed: Seed of the orders, None for that of the images.
        steps_done: Batches that came before, as `data` was told.
    """
    known = np.flatnonzero(labels != UNLABELLED)
    few = tf.convert_to_tensor(np.asarray(images)[known]), tf.convert_to_tensor(labels[known])
    if few[0].dtype != data.element_spec[0].dtype:  # bytes that `data` has made floats
        few = inputs.to_float(few[0]), few[1]
    first, skipped = divmod(0 if seed is None else steps_done * count, len(known))

    def order(number: tf.Tensor) -> tf.Tensor:
        rows = tf.range(len(known), dtype=tf.int64)
        if seed is None:
            return rows
        # below zero, apart from the orders of `data`
        rows = tf.random.experimental.stateless_shuffle(rows, seed=(seed, -1 - number))
        return rows[tf.where(number == first, skipped, 0) :]

    def behind(rows: tf.Tensor, batch: tuple) -> tuple[tf.Tensor, tf.Tensor]:
        none = tf.fill((count,), UNLABELLED)
        own = tuple(tf.gather(tensor, rows) for tensor in few)
        # one by one, so that replicas that share a batch have as many labelled images each
        both = [tf.stack(pair, axis=1) for pair in zip(own, (batch[0], none), strict=True)]
        return tuple(tf.reshape(one, (2 * count, *one.shape[2:])) for one in both)

    rows = tf.data.Dataset.counter(first).map(order).rebatch(count)
    options = tf.data.Options()
    options.autotune.enabled = False  # as for `data`
    return tf.data.Dataset.zip(rows, data).map(behind).prefetch(2).with_options(options)
