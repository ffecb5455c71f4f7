"""Labels as numbers that a network can compute with: one-hot vectors, and joined to features."""

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops


@keras.saving.register_keras_serializable("ganzoo")
class OneHot(layers.Layer):
    """Returns labels (B,), whole numbers in [0, classes), as one-hot rows (B, classes).

    Args:
        classes: Number of classes.
        **options: Of `keras.layers.Layer`.
    """

    def __init__(self, classes: int, **options: Any):
        super().__init__(**options)
        self.classes = classes

    def call(self, labels: tf.Tensor) -> tf.Tensor:
        return ops.one_hot(labels, self.classes, dtype=self.compute_dtype)

    def compute_output_spec(self, labels: keras.KerasTensor) -> keras.KerasTensor:
        return keras.KerasTensor((*labels.shape, self.classes), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "classes": self.classes}


@keras.saving.register_keras_serializable("ganzoo")
class JoinVector(layers.Layer):
    """Appends an example's vector (B, K) to its features (B, A), or to each position's of maps.

    It is called with both, `[features, vector]`, features (B, A) or (B, H, W, A), and returns
    (B, A + K) or (B, H, W, A + K).
    """

    def call(self, inputs: Any) -> tf.Tensor:
        features, vector = inputs
        positions = ops.shape(features)[1:-1]
        if positions:
            vector = ops.reshape(vector, (-1, *[1] * len(positions), vector.shape[-1]))
            ones = ops.ones_like(features[..., :1])
            vector = ops.cast(vector, features.dtype) * ones
        return ops.concatenate([features, vector], axis=-1)

    def compute_output_spec(self, inputs: Any) -> keras.KerasTensor:
        features, vector = inputs
        shape = (*features.shape[:-1], features.shape[-1] + vector.shape[-1])
        return keras.KerasTensor(shape, dtype=self.compute_dtype)


@keras.saving.register_keras_serializable("ganzoo")
class GlobalSumPooling(layers.Layer):
    """Sums feature maps (B, H, W, C) over their positions, to (B, C).

    In half precision the sum is taken in float32.
    """

    def call(self, maps: tf.Tensor) -> tf.Tensor:
        total = ops.sum(ops.cast(maps, "float32"), axis=(1, 2))
        return ops.cast(total, self.compute_dtype)

    def compute_output_spec(self, maps: keras.KerasTensor) -> keras.KerasTensor:
        return keras.KerasTensor((maps.shape[0], maps.shape[-1]), dtype=self.compute_dtype)
