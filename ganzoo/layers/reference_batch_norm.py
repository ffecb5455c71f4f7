"""Batch normalisation by the statistics of a fixed reference batch.

Salimans et al. 2016, arXiv:1606.03498, section 3.5, and Goodfellow 2016, "NIPS 2016 Tutorial:
Generative Adversarial Networks", arXiv:1701.00160, section 4.3, which names it.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganzoo.layers.moments import moments


@keras.saving.register_keras_serializable("ganzoo")
class ReferenceBatchNormalization(keras.Layer):
    """Normalises each example by the mean and variance of the reference batch alone.

    The first `size` examples of a batch are the reference batch, as `JoinReference` puts them.
    Statistics are each channel's (the last axis), over the reference examples and all positions;
    they are those of this pass, so the layer does the same in training and after it, and gradients
    flow through the reference activations. No example depends on another one of its batch.

    Args:
        size: Examples in the reference batch.
        epsilon: Added to the variance.
        gamma_initializer: Of the gain of each channel.
        **options: Of `keras.layers.Layer`.
    """

    def __init__(
        self, size: int, *, epsilon: float = 1e-5, gamma_initializer: Any = "ones", **options: Any
    ):
        super().__init__(**options)
        self.size = size
        self.epsilon = epsilon
        self.gamma_initializer = keras.initializers.get(gamma_initializer)

    def build(self, input_shape: tuple) -> None:
        shape = (input_shape[-1],)
        self.gamma = self.add_weight(
            name="gamma", shape=shape, initializer=self.gamma_initializer, autocast=False
        )
        self.beta = self.add_weight(name="beta", shape=shape, initializer="zeros", autocast=False)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        x = ops.cast(inputs, "float32")
        mean, variance = moments(x[: self.size], list(range(len(x.shape) - 1)))  # (1, ..., C)
        mean, variance = self.statistics(x, mean, variance)
        gain = self.gamma * ops.rsqrt(variance + self.epsilon)
        return ops.cast((x - mean) * gain + self.beta, self.compute_dtype)

    def statistics(
        self, x: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the mean and variance to normalise each example by.

        Args:
            x: (size + B, ..., C), the reference batch first.
            mean: (1, ..., C), the reference batch's.
            variance: (1, ..., C), the reference batch's.
        """
        return mean, variance

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "size": self.size,
            "epsilon": self.epsilon,
            "gamma_initializer": keras.initializers.serialize(self.gamma_initializer),
        }
