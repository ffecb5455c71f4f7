"""Spectral normalization: a kernel divided by its largest singular value.

Miyato, Kataoka, Koyama & Yoshida 2018, "Spectral Normalization for Generative Adversarial
Networks", arXiv:1802.05957.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganzoo.layers.kernel_wrapper import KernelWrapper

EPSILON = 1e-12


@keras.saving.register_keras_serializable("ganzoo")
class SpectralNormalization(KernelWrapper):
    """Computes with W / sigma(W) in place of a layer's kernel W (equations 8 and 9; Algorithm 1).

    W is seen as a matrix with a column for each output. Its largest singular value is estimated
    by power iteration, sigma = v^T W u with v = W u / |W u| and then u = W^T v / |W^T v|: a step
    from the stored u. A pass in training mode stores the new u; others leave the stored one, so
    they all compute the same. The gradient flows through sigma, with u and v held constant
    (equation 12), and W is never assigned to. `keras.layers.SpectralNormalization` assigns
    W / sigma to W instead.

    A kernel of zeros stays one. u is copied, not averaged, into a moving average of weights.

    Args:
        layer: A Dense, Embedding or convolution layer, transposed ones included.
        power_iterations: Steps of power iteration a pass.
        **options: Of `keras.layers.Layer`; the name is by default the layer's.

    Raises:
        ValueError: If the layer is of another kind or `power_iterations` is below 1.
    """

    def __init__(self, layer: keras.Layer, *, power_iterations: int = 1, **options: Any):
        super().__init__(layer, **options)
        if power_iterations < 1:
            raise ValueError(
                f"Expected power_iterations >= 1. Received: power_iterations={power_iterations}."
            )
        self.power_iterations = power_iterations

    def build(self, input_shape: tuple) -> None:
        super().build(input_shape)
        self.u = self.add_weight(
            name="u",
            shape=(self.kernel.shape[self.output_axis],),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            trainable=False,
        )
        # a mean of unit vectors is none, and its matrix is not the mean's
        self.u.averaged = False

    def spectral_norm(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns sigma, a float32 scalar, and the new u (outputs,)."""
        matrix = ops.convert_to_tensor(self.kernel)
        if self.output_axis == -2:
            matrix = ops.swapaxes(matrix, -1, -2)
        matrix = ops.reshape(matrix, (-1, matrix.shape[-1]))  # (all others, outputs)
        fixed, u = ops.stop_gradient(matrix), ops.convert_to_tensor(self.u)
        for _ in range(self.power_iterations):
            v = _unit(ops.matmul(fixed, u))
            u = _unit(ops.matmul(v, fixed))
        return ops.sum(v * ops.matmul(matrix, u)), u

    def effective_kernel(self, training: bool = False) -> tf.Tensor:
        """Returns W / sigma, float32; in training it stores the new u."""
        sigma, u = self.spectral_norm()
        usable = sigma > EPSILON
        if training:
            # u would be zero for good, had the kernel once been
            self.u.assign(ops.where(usable, u, self.u))
        return self.kernel / ops.where(usable, sigma, 1.0)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "power_iterations": self.power_iterations}


def _unit(vector: tf.Tensor) -> tf.Tensor:
    return vector * ops.rsqrt(ops.maximum(ops.sum(ops.square(vector)), EPSILON**2))
