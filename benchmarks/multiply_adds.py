"""Multiply-adds of a training step, counted from the layers of Keras networks.

Dense, Conv2D and Conv2DTranspose are counted; what works on single values (biases, batch
normalisation, activations, losses, optimizers, the moving average) is not, so a share of the matmul
rate that is reckoned with these counts can never reach 1.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import keras
from keras import layers

from ganzoo.gans import GAN


@dataclass(frozen=True)
class Count:
    """Multiply-adds for one image.

    Args:
        all: As papers count: each tap of a kernel at each place.
        inside: Without the taps of a convolution that fall on padding, or, transposed, outside of
            the output. A program need not do them; one that brings convolutions to matmul does.
    """

    all: int
    inside: int

    def __add__(self, other: "Count") -> "Count":
        return Count(self.all + other.all, self.inside + other.inside)

    def __sub__(self, other: "Count") -> "Count":
        return Count(self.all - other.all, self.inside - other.inside)

    def __rmul__(self, factor: int) -> "Count":
        return Count(factor * self.all, factor * self.inside)


def of_gan(gan: GAN) -> Count | None:
    """Counts what a step needs, divided by the images of an update; None where `step` does not say.

    It says so of the base's algorithm, in which a class may have losses of its own.
    """
    algorithm = ("train_step", "discriminator_game", "generator_game", "judge", "fakes")
    if any(getattr(type(gan), name) is not getattr(GAN, name) for name in algorithm):
        return None
    try:
        return step(gan.generator, gan.discriminator, discriminator_steps=gan.discriminator_steps)
    except ValueError:
        return None


def step(
    generator: keras.Model, discriminator: keras.Model, *, discriminator_steps: int = 1
) -> Count:
    """Counts what one step of alternating updates needs for each image of an update.

    Each of a layer's three passes - forward, backward to its weights, backward to its input - takes
    the same number of multiply-adds.

    - Generator: forward once, as both updates share its images; backward to all weights; backward
      to all inputs but the latents. 3 G - g1, where g1 is its first layer.
    - Discriminator, its own update: forward on real and on generated images; backward on both, to
      all weights, and to all inputs but the images. 6 D - 2 d1, where d1 is its first layer.
    - Discriminator, the generator's update: forward on the generated images again, as its weights
      have moved; backward to all inputs, the images too; no backward to its weights. 2 D.
    - Each earlier update of the discriminator: generated images of its own, forward alone. G more.
    """
    per_layer_g, per_layer_d = forward(generator), forward(discriminator)
    g, d = (sum(c.values(), Count(0, 0)) for c in (per_layer_g, per_layer_d))
    g1, d1 = (next(iter(c.values())) for c in (per_layer_g, per_layer_d))
    own = 6 * d - 2 * d1
    return (3 * g - g1) + own + 2 * d + (discriminator_steps - 1) * (g + own)


def forward(network: keras.Model) -> dict[str, Count]:
    """Counts one forward pass for one image, a layer: those that multiply by a matrix, in order.

    Raises:
        ValueError: If a layer with a matrix is none of those that can be counted.
    """
    return {layer.name: _layer(layer) for layer in network.layers if _has_matrix(layer)}


def _has_matrix(layer: keras.Layer) -> bool:
    return any(len(variable.shape) > 1 for variable in layer.weights)


def _layer(layer: keras.Layer) -> Count:
    if type(layer) is layers.Dense and len(layer.kernel.shape) == len(layer.input.shape) == 2:
        count = math.prod(layer.kernel.shape)
        return Count(count, count)
    if type(layer) not in (layers.Conv2D, layers.Conv2DTranspose):
        raise ValueError(
            "Expected Dense on vectors, Conv2D and Conv2DTranspose alone to hold matrices. "
            f"Received: {layer.name}, {type(layer).__name__}."
        )
    if layer.dilation_rate != (1, 1) or layer.data_format != "channels_last":
        raise ValueError(f"{layer.name}: expected channels last and no dilation.")
    # a transposed convolution does the taps of the convolution that it reverses
    ends = layer.input.shape[1:3], layer.output.shape[1:3]
    large, small = reversed(ends) if type(layer) is layers.Conv2DTranspose else ends
    channels = math.prod(layer.kernel.shape[2:])
    taps = [
        _taps(*sizes, same=layer.padding == "same")
        for sizes in zip(large, small, layer.kernel_size, layer.strides, strict=True)
    ]
    return Count(
        math.prod(small) * math.prod(layer.kernel_size) * channels, math.prod(taps) * channels
    )


def _taps(large: int, small: int, kernel: int, stride: int, *, same: bool) -> int:
    """Counts the taps along one axis, `small` places of a kernel, that fall on `large` pixels."""
    before = max((small - 1) * stride + kernel - large, 0) // 2 if same else 0
    places: Sequence[int] = range(-before, small * stride - before, stride)
    return sum(0 <= place + tap < large for place in places for tap in range(kernel))
