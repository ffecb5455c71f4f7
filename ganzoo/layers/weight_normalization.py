"""Weight normalization: the length of each output's weights is a parameter of its own.

Salimans & Kingma 2016, "Weight Normalization: A Simple Reparameterization to Accelerate Training
of Deep Neural Networks", arXiv:1602.07868.
"""

import keras
import tensorflow as tf
from keras import ops

from ganzoo.layers.kernel_wrapper import KernelWrapper

EPSILON = 1e-12


@keras.saving.register_keras_serializable("ganzoo")
class WeightNormalization(KernelWrapper):
    """Computes with w = g v / |v| in place of a layer's kernel v (equation 2).

    |v| and g are each output's own. g starts as |v|, so that the layer starts as it would without;
    the paper's initialisation from a batch of data (section 3) is left out.

    Args:
        layer: A Dense, Embedding or convolution layer, transposed ones included.
        **options: Of `keras.layers.Layer`; the name is by default the layer's.

    Raises:
        ValueError: If the layer is of another kind.
    """

    def build(self, input_shape: tuple) -> None:
        super().build(input_shape)
        self.g = self.add_weight(
            name="g",
            shape=(self.kernel.shape[self.output_axis],),
            initializer=lambda shape, dtype: ops.reshape(ops.sqrt(self._squares()), shape),
        )

    def effective_kernel(self, training: bool = False) -> tf.Tensor:
        """Returns g v / |v|, float32."""
        squares = self._squares()
        g = ops.reshape(self.g, squares.shape)
        return self.kernel * (g * ops.rsqrt(ops.maximum(squares, EPSILON**2)))

    def _squares(self) -> tf.Tensor:
        """Returns |v|^2 of each output, of the kernel's rank."""
        rank = len(self.kernel.shape)
        others = [axis for axis in range(rank) if axis != rank + self.output_axis]
        return ops.sum(ops.square(self.kernel), axis=others, keepdims=True)
