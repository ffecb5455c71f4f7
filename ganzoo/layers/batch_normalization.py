"""Batch normalisation in one operation, which can be differentiated twice.

Ioffe & Szegedy 2015, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal
Covariate Shift", arXiv:1502.03167.
"""

import keras
import tensorflow as tf
from keras import layers, ops


@keras.saving.register_keras_serializable("ganzoo")
class BatchNormalization(layers.BatchNormalization):
    """Keras's batch normalisation of channels, in training by TensorFlow's fused operation.

    It gives the same values as Keras's, which reads the activations once for the mean, again for
    the variance and again for each operation that follows. It also has the right second
    derivatives, unlike Keras's (see `moments`). In inference mode, and with `synchronized`, it is
    Keras's own.

    Args:
        **options: Of `keras.layers.BatchNormalization`; the axis is the last.
    """

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        if not (training and self.trainable) or self.synchronized:
            return super().call(inputs, training=training)
        channels = inputs.shape[-1]
        x = ops.cast(inputs, "float32")
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=x if len(x.shape) == 4 else tf.reshape(x, (-1, 1, 1, channels)),
            scale=self.gamma if self.scale else tf.ones((channels,)),
            offset=self.beta if self.center else tf.zeros((channels,)),
            mean=tf.zeros((0,)),
            variance=tf.zeros((0,)),
            epsilon=self.epsilon,
            is_training=True,
        )
        count = tf.cast(tf.size(x) // channels, tf.float32)
        variance *= (count - 1) / count  # the operation's is unbiased
        for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + value * (1 - self.momentum))
        if len(x.shape) != 4:
            outputs = tf.reshape(outputs, tf.shape(x))
            outputs.set_shape(x.shape)
        return ops.cast(outputs, self.compute_dtype)
