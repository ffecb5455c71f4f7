"""Weight normalization: the length of each output's weights is a parameter of its own.

Salimans & Kingma 2016, "Weight Normalization: A Simple Reparameterization to Accelerate Training
of Deep Neural Networks", arXiv:1602.07868.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganzoo.layers.kernel_wrapper import KernelWrapper

EPSILON = 1e-12


@keras.saving.register_keras_serializable("ganzoo")
class WeightNormalization(KernelWrapper):
    """Computes with w = g v / |v| in place of a layer's kernel v (equation 2).

    |v| and g are each output's own. g starts as |v|, so that the layer starts as it would without;
    `initialize` is the paper's initialisation from a batch of data (section 3).

    Args:
        layer: A Dense, Embedding or convolution layer, transposed ones included.
        train_gain: Whether g is learned. Where it is not, outputs keep their scale, so that noise
            that is added to them keeps its weight.
        **options: Of `keras.layers.Layer`; the name is by default the layer's.

    Raises:
        ValueError: If the layer is of another kind.
    """

    def __init__(self, layer: keras.Layer, *, train_gain: bool = True, **options: Any):
        super().__init__(layer, **options)
        self.train_gain = train_gain

    def build(self, input_shape: tuple) -> None:
        super().build(input_shape)
        self.g = self.add_weight(
            name="g",
            shape=(self.kernel.shape[self.output_axis],),
            initializer=lambda shape, dtype: ops.reshape(ops.sqrt(self._squares()), shape),
            trainable=self.train_gain,
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

    def standardize(self, outputs: tf.Tensor) -> None:
        """Changes g and the bias so that `outputs` would have had mean 0 and deviation 1.

        Args:
            outputs: This layer's, (B, ..., outputs), for some batch.
        """
        axes = list(range(len(outputs.shape) - 1))
        mean, variance = ops.moments(ops.cast(outputs, "float32"), axes=axes)
        scale = ops.rsqrt(ops.maximum(variance, EPSILON))
        self.g.assign(self.g * scale)
        self.layer.bias.assign((self.layer.bias - mean) * scale)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "train_gain": self.train_gain}


def awaits_data(network: keras.Model) -> bool:
    """Whether a network has weight-normalised layers with biases, all of them zero until now."""
    found = _initialized_by_data(network)
    return bool(found) and not any(bool(ops.any(one.layer.bias != 0)) for one in found)


def initialize(network: keras.Model, inputs: tf.Tensor) -> None:
    """Gives weight-normalised layers outputs of mean 0 and deviation 1 on a batch (section 3).

    Layers without a bias, or with an activation of their own, stay as they are.

    Args:
        network: Functional model.
        inputs: A batch of what it takes; passes run in training mode.
    """
    for layer in _initialized_by_data(network):
        outputs = keras.Model(network.input, layer.output)(inputs, training=True)
        layer.standardize(outputs)


def _initialized_by_data(network: keras.Model) -> list[WeightNormalization]:
    """The layers that `initialize` changes, from the input on."""
    found = [layer for layer in network.layers if isinstance(layer, WeightNormalization)]
    return [
        one
        for one in found
        if getattr(one.layer, "bias", None) is not None
        and one.layer.activation is keras.activations.linear
    ]
