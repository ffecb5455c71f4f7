"""Mean and variance with exact second derivatives.

`tf.nn.moments`, and with it Keras's, holds the mean within the variance constant when it
differentiates. That leaves the first derivative as it is, since deviations from the mean sum to
zero, but not the second, which penalties on gradients follow.
"""

import tensorflow as tf
from keras import ops


def moments(x: tf.Tensor, axes: list[int]) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the mean and the variance over some axes, which stay with size 1.

    Args:
        x: Tensor of any shape, float32.
        axes: What to average over.
    """
    mean = ops.mean(x, axis=axes, keepdims=True)
    return mean, ops.mean(ops.square(x - mean), axis=axes, keepdims=True)
