"""Layer normalisation that can be differentiated twice, as a gradient penalty does.

Ba, Kiros & Hinton 2016, "Layer Normalization", arXiv:1607.06450.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops


@keras.saving.register_keras_serializable("ganzoo")
class LayerNormalization(layers.GroupNormalization):
    """Keras's group normalization of one group, with a variance of exact second derivatives.

    Each example's mean and variance are over positions and channels, with a gain and a shift a
    channel, as in WGAN-GP's code. TensorFlow's `tf.nn.moments` holds the mean within the variance
    constant when it differentiates. That leaves the first derivative as it is, since deviations
    from the mean sum to zero, but not the second, which the weights of a critic follow.

    Args:
        **options: Of `keras.layers.GroupNormalization`, but for `groups`.
    """

    def __init__(self, **options: Any):
        super().__init__(groups=1, **options)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        x = ops.cast(inputs, "float32")
        axes = list(range(1, len(inputs.shape)))
        deviation = x - ops.mean(x, axis=axes, keepdims=True)
        variance = ops.mean(ops.square(deviation), axis=axes, keepdims=True)
        x = deviation * ops.rsqrt(variance + self.epsilon) * self.gamma + self.beta
        return ops.cast(x, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["groups"]
        return config
