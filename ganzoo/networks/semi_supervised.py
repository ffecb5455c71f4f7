"""The networks of Salimans et al. 2016 for semi-supervised MNIST, arXiv:1606.03498, section 6.1.

Dense layers alone: they don't know which pixels are neighbours, so any fixed order of the pixels
gives the same results ("permutation invariant MNIST"). What the paper leaves open (the generator's
activations, the deviations of noise and of the first weights, fixed gains) is as in the authors'
published code.
"""

import math
from collections.abc import Sequence

import keras
from keras import layers

from ganzoo.layers import BatchNormalization, GaussianNoise, WeightNormalization
from ganzoo.networks import NETWORKS


@NETWORKS.register("sgan_generator")
def sgan_generator(
    image_shape: tuple[int, int, int],
    *,
    latent_dim: int = 100,
    widths: Sequence[int] = (500, 500),
) -> keras.Model:
    """Builds the generator, (B, latent_dim) -> (B, H, W, C) in [-1, 1].

    Hidden layers have batch normalisation without gains and softplus; the output has weight
    normalization and a sigmoid, scaled to [-1, 1].

    Args:
        image_shape: (H, W, C), of any size.
        latent_dim: Length of a latent vector.
        widths: Units of the hidden layers.

    Raises:
        ValueError: If a size is none.
    """
    image_shape = _checked(image_shape, widths)
    latents = x = keras.Input((latent_dim,), name="latents")
    for number, width in enumerate(widths, start=1):
        x = layers.Dense(width, use_bias=False, name=f"hidden{number}")(x)
        norm = BatchNormalization(
            momentum=0.9, epsilon=1e-5, scale=False, name=f"hidden{number}_norm"
        )
        x = layers.Activation("softplus", name=f"hidden{number}_softplus")(norm(x))
    # lengths start near 1
    pixels = layers.Dense(
        math.prod(image_shape), kernel_initializer="lecun_normal", dtype="float32", name="pixels"
    )
    x = WeightNormalization(pixels)(x)
    x = layers.Reshape(image_shape, dtype="float32", name="reshape")(x)
    x = layers.Activation("sigmoid", dtype="float32", name="sigmoid")(x)
    x = layers.Rescaling(2.0, -1.0, dtype="float32", name="images")(x)
    return keras.Model(latents, x, name="sgan_generator")


@NETWORKS.register("sgan_discriminator")
def sgan_discriminator(
    image_shape: tuple[int, int, int],
    *,
    classes: int = 10,
    widths: Sequence[int] = (1000, 500, 250, 250, 250),
    input_noise: float = 0.3,
    noise: float = 0.5,
) -> keras.Model:
    """Builds the discriminator and classifier, (B, H, W, C) in [-1, 1] -> logits (B, classes).

    Each layer takes in Gaussian noise beside its inputs and has weight normalization, with fixed
    gains in the hidden layers, where outputs could otherwise outgrow the noise. `SGAN.fit` sets
    gains and biases by its first batch.

    Args:
        image_shape: (H, W, C), of any size.
        classes: Number of classes.
        widths: Units of the hidden layers, which have ReLU.
        input_noise: Standard deviation of the noise on the pixels, which span [0, 1] here.
        noise: Standard deviation of the noise on hidden layers' outputs.

    Raises:
        ValueError: If a size is none, or noise is not in [0, 1].
    """
    image_shape = _checked(image_shape, widths)
    if not (0 <= input_noise <= 1 and 0 <= noise <= 1):
        raise ValueError(
            f"Expected noise in [0, 1]. Received: input_noise={input_noise}, noise={noise}."
        )
    images = keras.Input(image_shape, name="images")
    x = layers.Flatten(name="flatten")(images)
    x = layers.Rescaling(0.5, 0.5, name="unit_range")(x)
    x = GaussianNoise(input_noise, name="images_noise")(x)
    for number, width in enumerate(widths, start=1):
        dense = layers.Dense(width, kernel_initializer=_normal(), name=f"hidden{number}")
        x = WeightNormalization(dense, train_gain=False)(x)
        x = layers.ReLU(name=f"hidden{number}_relu")(x)
        x = GaussianNoise(noise, name=f"hidden{number}_noise")(x)
    logits = layers.Dense(classes, kernel_initializer=_normal(), name="logits")
    return keras.Model(images, WeightNormalization(logits)(x), name="sgan_discriminator")


def _normal() -> keras.Initializer:
    # lengths of the weights set no scale here, but how fast directions turn at a given rate
    return keras.initializers.RandomNormal(stddev=0.1)


def _checked(image_shape: tuple[int, ...], widths: Sequence[int]) -> tuple[int, ...]:
    if min((*image_shape, *widths), default=0) < 1 or not widths:
        raise ValueError(
            "Expected image_shape (H, W, C) and widths of one hidden layer or more, all >= 1. "
            f"Received: image_shape={tuple(image_shape)}, widths={tuple(widths)}."
        )
    return tuple(image_shape)
