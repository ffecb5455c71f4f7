"""Small InfoGANs without batch norm, and codes of every kind."""

import keras
import numpy as np
from keras import layers

from ganzoo.gans import InfoGAN
from tests import small

# one of numbers, one of labels, two uniform ones
CODES = {"digit": 3, "kind": ["shoe", "shirt"], "lean": [-1, 1], "size": [2, 6]}
NOISE_DIM = 4
LATENT_DIM = NOISE_DIM + 3 + 2 + 1 + 1


def networks(*, shape=(8, 8, 1), latent_dim=LATENT_DIM, parameters=9, width=6):
    """Generator, and discriminator with a second output from the same hidden layer."""
    normal = keras.initializers.RandomNormal(stddev=0.5)
    latents = keras.Input((latent_dim,))
    x = layers.Dense(width, activation="tanh", kernel_initializer=normal, name="hidden")(latents)
    x = layers.Dense(int(np.prod(shape)), kernel_initializer=normal, name="pixels")(x)
    x = layers.Reshape(shape, name="reshape")(x)
    ends = "tanh" if len(shape) == 3 else "linear"
    x = layers.Activation(ends, dtype="float32", name="images")(x)
    generator = keras.Model(latents, x, name="generator")

    pictures = keras.Input(shape)
    x = layers.Flatten(name="flatten")(pictures)
    x = layers.Dense(width, activation="tanh", name="trunk")(x)
    logits = layers.Dense(1, kernel_initializer=normal, name="logits")(x)
    second = layers.Dense(parameters, kernel_initializer=normal, name="q", dtype="float32")(x)
    return generator, keras.Model(pictures, [logits, second], name="discriminator")


def gan(*, codes=CODES, eager=True, **options):
    """A compiled InfoGAN; options as for `tests.small.gan`."""
    return small.gan(
        options.pop("networks", networks), kind=InfoGAN, codes=codes, eager=eager, **options
    )


def rows(gan, n=None, *, seed=2, latents=None, truncation=None, **conditions):
    """The latents (n, LATENT_DIM) that a call of `generate` would give the generator."""
    return gan.generator_inputs(n, seed=seed, latents=latents, truncation=truncation, **conditions)
