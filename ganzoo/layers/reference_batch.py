"""A fixed reference batch that goes through a network in front of every batch.

Salimans et al. 2016, "Improved Techniques for Training GANs", arXiv:1606.03498, section 3.5.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import ops


@keras.saving.register_keras_serializable("ganzoo")
class JoinReference(keras.Layer):
    """Puts the reference batch in front of a batch, (B, ...) -> (size + B, ...).

    The batch is drawn once, from N(0, 1) as latents are, and saved as a weight that does not
    train; `reference.assign` sets another one. Layers after it recompute its activations with
    their present weights.

    Args:
        size: Examples in the reference batch.
        **options: Of `keras.layers.Layer`.

    Raises:
        ValueError: If `size` is below 2: one example has no variance.
    """

    def __init__(self, size: int, **options: Any):
        super().__init__(**options)
        if size < 2:
            raise ValueError(f"Expected a reference batch of size >= 2. Received: size={size}.")
        self.size = size

    def build(self, input_shape: tuple) -> None:
        self.reference = self.add_weight(
            name="reference",
            shape=(self.size, *input_shape[1:]),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            trainable=False,
        )
        self.reference.averaged = False  # a moving average has this batch, to the bit

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return ops.concatenate([ops.cast(self.reference, inputs.dtype), inputs], axis=0)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        count = None if input_shape[0] is None else input_shape[0] + self.size
        return (count, *input_shape[1:])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}


@keras.saving.register_keras_serializable("ganzoo")
class DropReference(keras.Layer):
    """Takes the reference batch off again, (size + B, ...) -> (B, ...).

    Args:
        size: Examples in the reference batch.
        **options: Of `keras.layers.Layer`.
    """

    def __init__(self, size: int, **options: Any):
        super().__init__(**options)
        self.size = size

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return inputs[self.size :]

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        count = None if input_shape[0] is None else input_shape[0] - self.size
        return (count, *input_shape[1:])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}
