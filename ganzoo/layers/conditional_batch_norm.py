"""Conditional batch normalisation: a gain and a shift of each class's own.

Dumoulin, Shlens & Kudlur 2017, "A Learned Representation For Artistic Style", arXiv:1610.07629;
in GANs: Miyato & Koyama 2018, "cGANs with Projection Discriminator", arXiv:1802.05637.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops

from ganzoo.layers.batch_normalization import BatchNormalization


@keras.saving.register_keras_serializable("ganzoo")
class ConditionalBatchNormalization(layers.Layer):
    """Computes (1 + g[y]) (x - mean) / sqrt(variance + epsilon) + b[y] for examples of class y.

    Mean and variance are a channel's over the whole batch, whatever the classes, and in inference
    mode their moving averages. g and b are tables (classes, channels) that start as zeros.

    It is called with `[x, labels]`, x (B, ..., C) and labels (B,) in [0, classes).

    Args:
        classes: Number of classes.
        momentum: Of the moving averages; 0.9 as in DCGAN's code, where Keras's own is 0.99.
        epsilon: Added to the variance.
        synchronized: Whether mean and variance are those of all replicas' examples.
        **options: Of `keras.layers.Layer`.
    """

    def __init__(
        self,
        classes: int,
        *,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        synchronized: bool = False,
        **options: Any,
    ):
        super().__init__(**options)
        self.classes = classes
        self.momentum = momentum
        self.epsilon = epsilon
        self.norm = BatchNormalization(
            momentum=momentum, epsilon=epsilon, center=False, scale=False, dtype=self.dtype_policy,
            synchronized=synchronized, name="norm",
        )  # fmt: skip

    @property
    def synchronized(self) -> bool:
        """Whether mean and variance are those of all replicas' examples."""
        return self.norm.synchronized

    @synchronized.setter
    def synchronized(self, value: bool) -> None:
        self.norm.synchronized = value

    def build(self, input_shape: Any) -> None:
        features, _ = input_shape
        self.norm.build(features)
        shape = (self.classes, features[-1])
        self.gains = self.add_weight(name="gains", shape=shape, initializer="zeros")
        self.shifts = self.add_weight(name="shifts", shape=shape, initializer="zeros")

    def call(self, inputs: Any, training: bool = False) -> tf.Tensor:
        x, labels = inputs
        # by a product, since a table that is looked up in has sparse gradients
        rows = ops.one_hot(labels, self.classes, dtype=self.compute_dtype)
        gains, shifts = (self._of_each(rows, one, x) for one in (self.gains, self.shifts))
        return self.norm(x, training=training) * (1 + gains) + shifts

    def _of_each(self, rows: tf.Tensor, table: keras.Variable, x: tf.Tensor) -> tf.Tensor:
        """Returns each example's row of a table, of x's rank."""
        between = [1] * (len(x.shape) - 2)
        return ops.reshape(ops.matmul(rows, table), (-1, *between, x.shape[-1]))

    def compute_output_spec(self, inputs: Any, training: bool = False) -> keras.KerasTensor:
        return keras.KerasTensor(inputs[0].shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        keys = ("classes", "momentum", "epsilon", "synchronized")
        return {**super().get_config(), **{key: getattr(self, key) for key in keys}}
