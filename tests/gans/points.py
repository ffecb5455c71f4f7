"""Small GANs of points, and a game of one number a player."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tests import small

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
    """Distances from the equilibrium after each tenth of the steps, all data at zero.

    The generator is one point and the discriminator one slope (Mescheder 2018, "Dirac-GAN"); both
    start at 1, the equilibrium is zero.
    """

    class ZeroLatents(kind):
        def sample_latents(self, count):
            return tf.zeros((count, 1))

    made = ZeroLatents(single(1.0, bias=True), single(1.0), latent_dim=1, **options)
    made.compile(keras.optimizers.SGD(rate), keras.optimizers.SGD(rate))
    distances = []

    def note(epoch, logs):
        values = [float(v.numpy().squeeze()) for v in made.trainable_variables]
        distances.append(np.linalg.norm(values))

    zeros = np.zeros((2 * steps // 10, 1), "float32")
    watch = keras.callbacks.LambdaCallback(on_epoch_end=note)
    made.fit(zeros, batch_size=2, epochs=10, verbose=0, callbacks=[watch])
    return distances
