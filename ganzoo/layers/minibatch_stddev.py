"""Minibatch standard deviation: how much a group of examples varies, as one more feature.

Karras, Aila, Laine & Lehtinen 2018, "Progressive Growing of GANs for Improved Quality, Stability,
and Variation", arXiv:1710.10196, section 3.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

EPSILON = 1e-8


@keras.saving.register_keras_serializable("ganzoo")
class MinibatchStddev(keras.Layer):
    """Appends the standard deviation within a group, (B, ..., C) -> (B, ..., C + 1).

    The standard deviation over the group's examples is taken at each position and channel, then
    averaged over all of them: one number a group, at every position. As in the authors' code the
    group of example i has those B / group apart, i + B / group and so on, and 1e-8 stands inside
    the root.

    Args:
        group: Examples of a group. In a batch that is no multiple of it a group has as many as the
            largest number below that divides the batch; the batch is this replica's.
        **options: Of `keras.layers.Layer`.

    Raises:
        ValueError: If `group` is below 2.
    """

    def __init__(self, group: int = 4, **options: Any):
        super().__init__(**options)
        if group < 2:
            raise ValueError(f"Expected group >= 2. Received: group={group}.")
        self.group = group

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        shape = ops.shape(inputs)
        group = 1
        for size in range(2, self.group + 1):
            group = ops.where(shape[0] % size == 0, size, group)
        x = ops.cast(inputs, "float32")
        x = ops.reshape(x, (group, shape[0] // group, *inputs.shape[1:]))
        deviation = ops.sqrt(ops.var(x, axis=0) + EPSILON)  # (B / group, ..., C)
        every = list(range(1, len(inputs.shape)))
        deviation = ops.mean(deviation, axis=every, keepdims=True)  # (B / group, 1, ..., 1)
        deviation = ops.tile(deviation, (group, *[1] * len(every)))
        feature = ops.broadcast_to(deviation, (*shape[:-1], 1))
        return ops.concatenate([inputs, ops.cast(feature, inputs.dtype)], axis=-1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], input_shape[-1] + 1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "group": self.group}
