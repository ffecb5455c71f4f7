"""A layer run with a kernel that is computed from its stored one."""

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops

_TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
_KINDS = (
    layers.Dense,
    layers.Embedding,
    layers.Conv1D,
    layers.Conv2D,
    layers.Conv3D,
    *_TRANSPOSED,
)


class KernelWrapper(layers.Wrapper):
    """Calls a layer with `effective_kernel()` in place of its kernel, which is never assigned to.

    The new kernel is an expression of the stored one, so gradients flow through all of it. It is
    computed in float32; the layer then runs in its own dtype.

    Args:
        layer: A Dense, Embedding, Conv1D to Conv3D or Conv1DTranspose to Conv3DTranspose layer.
        **options: Of `keras.layers.Layer`; the name is by default the layer's.

    Raises:
        ValueError: If the layer is of another kind.
    """

    def __init__(self, layer: keras.Layer, **options: Any):
        if not isinstance(layer, _KINDS):
            kinds = ", ".join(kind.__name__ for kind in _KINDS)
            raise ValueError(
                f"Expected a layer of one of the kinds {kinds}. "
                f"Received: {getattr(layer, 'name', layer)}, a {type(layer).__name__}."
            )
        options = {"name": layer.name, **options, "dtype": "float32"}
        # inputs go on to the layer as they are; variables are read in float32
        super().__init__(layer, **options, autocast=False)

    @property
    def kernel(self) -> keras.Variable:
        """The stored kernel; an embedding's table."""
        embedding = isinstance(self.layer, layers.Embedding)
        return self.layer.embeddings if embedding else self.layer.kernel

    @property
    def output_axis(self) -> int:
        """Axis of the kernel that counts the layer's outputs."""
        return -2 if isinstance(self.layer, _TRANSPOSED) else -1

    def effective_kernel(self, training: bool = False) -> tf.Tensor:
        """Returns the kernel to compute with, float32."""
        raise TypeError(f"{type(self).__name__} must define `effective_kernel`.")

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        # a scope hides the one around it: so it states the other variables' values too
        values = {id(v): (v, ops.convert_to_tensor(v)) for v in self.layer.variables}
        values[id(self.kernel)] = (self.kernel, self.effective_kernel(training))
        with keras.StatelessScope(list(values.values())):
            return self.layer(inputs)

    def compute_output_spec(self, inputs: Any, training: bool = False) -> keras.KerasTensor:
        return self.layer.compute_output_spec(inputs)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return self.layer.compute_output_shape(input_shape)
