"""Minibatch discrimination: what an example is told of its distance to the others of its batch.

Salimans et al. 2016, "Improved Techniques for Training GANs", arXiv:1606.03498, section 3.2.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import ops


@keras.saving.register_keras_serializable("ganzoo")
class MinibatchDiscrimination(keras.Layer):
    """Appends to features (B, A) how close the other examples are, -> (B, A + kernels).

    With M_i = f(x_i) T, a matrix of `kernels` rows of length `dim`, the new features are
    o(x_i)_b = sum over j != i of exp(-|M_ib - M_jb|_1). The paper's sum has j = i too, which adds
    1 to all. The others are those of this replica's batch; memory grows with
    B^2 * kernels * dim.

    Args:
        kernels: New features of an example.
        dim: Length of a row of M.
        **options: Of `keras.layers.Layer`.
    """

    def __init__(self, kernels: int = 32, *, dim: int = 5, **options: Any):
        super().__init__(**options)
        self.kernels = kernels
        self.dim = dim

    def build(self, input_shape: tuple) -> None:
        if len(input_shape) != 2:
            raise ValueError(
                f"Expected features (batch, features); flatten them. Received: {input_shape}."
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.kernels * self.dim),
            initializer="glorot_uniform",
        )

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        # distances are sums of many differences: half precision loses them
        rows = ops.cast(ops.matmul(inputs, self.kernel), "float32")
        rows = ops.reshape(ops.transpose(rows), (self.kernels, self.dim, -1))
        # examples last: sums over a short last axis are slow
        apart = ops.abs(rows[:, :, :, None] - rows[:, :, None, :])
        close = ops.exp(-ops.sum(apart, axis=1))  # (kernels, B, B)
        others = 1.0 - ops.eye(ops.shape(inputs)[0], dtype="float32")
        close = ops.transpose(ops.sum(close * others, axis=-1))
        return ops.concatenate([inputs, ops.cast(close, inputs.dtype)], axis=-1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], input_shape[-1] + self.kernels)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "kernels": self.kernels, "dim": self.dim}
