"""Small GANs of points, and a game of one number a player."""

import keras
import numpy as np
from keras import layers

from tests import small
from tests.gans import small_points

LATENT_DIM = 3


def points(count=24, *, seed=0):
    """float32 points (count, 2) of any range."""
    return np.random.default_rng(seed).normal(2.0, 3.0, (count, 2)).astype("float32")


def networks(*, packing=1, width=6):
    """Generator and discriminator of points (B, 2), without batch norm."""
    normal = keras.initializers.RandomNormal(stddev=0.5)
    options = {"activation": "tanh", "kernel_initializer": normal}
    latents = keras.Input((LATENT_DIM,))
    x = layers.Dense(width, **options, name="hidden")(latents)
    x = layers.Dense(2, kernel_initializer=normal, dtype="float32", name="points")(x)
    generator = keras.Model(latents, x)
    packs = keras.Input((2 * packing,))
    x = layers.Dense(width, **options, name="hidden")(packs)
    x = layers.Dense(1, kernel_initializer=normal, name="logits")(x)
    return generator, keras.Model(packs, x)


def gan(kind, **options):
    """A compiled GAN of points; options as for `tests.small.gan`."""
    return small.gan(networks, kind=kind, latent_dim=LATENT_DIM, **options)


def single(value, *, bias=False):
    """A network x -> value x with one weight, or x -> value whose weight is its bias."""
    inputs = keras.Input((1,))
    start = keras.initializers.Constant(value)
    if bias:
        layer = layers.Dense(1, kernel_initializer="zeros", bias_initializer=start)
    else:
        layer = layers.Dense(1, use_bias=False, kernel_initializer=start)
    return keras.Model(inputs, layer(inputs))


def dirac_distances(kind, *, steps=200, rate=0.1, **options):
    """Distances from the equilibrium after each tenth of the steps, all data at zero."""
    gan = small_points.dirac_gan(kind, rate=rate, **options)
    places = small_points.course(gan, steps=steps, batch=2)
    return np.linalg.norm(places, axis=1)[steps // 10 :: steps // 10].tolist()
