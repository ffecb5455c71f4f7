"""Layer normalisation that can be differentiated twice, as a gradient penalty does.

Ba, Kiros & Hinton 2016, "Layer Normalization", arXiv:1607.06450.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops

from ganzoo.layers.moments import moments


@keras.saving.register_keras_serializable("ganzoo")
class LayerNormalization(layers.GroupNormalization):
    """Keras's group normalization of one group, with a variance of exact second derivatives.

    Each example's mean and variance (`moments`) are over positions and channels, with a gain and a
    shift a channel, as in WGAN-GP's code.

    Args:
        axis: Axis of the channels: the last one, -1.
        **options: Of `keras.layers.GroupNormalization`, but for `groups`.

    Raises:
        ValueError: If `axis` is another one.
    """

    def __init__(self, *, axis: int = -1, **options: Any):
        if axis != -1:
            raise ValueError(f"Expected axis=-1, channels last. Received: axis={axis!r}.")
        super().__init__(groups=1, axis=axis, **options)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        x = ops.cast(inputs, "float32")
        mean, variance = moments(x, list(range(1, len(inputs.shape))))
        x = (x - mean) * ops.rsqrt(variance + self.epsilon)
        x = x * self.gamma if self.scale else x
        x = x + self.beta if self.center else x
        return ops.cast(x, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["groups"]
        return config
