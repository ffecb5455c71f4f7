"""Small GANs on points (B, D), for the tests of penalties and of games with a known course."""

import keras
import numpy as np
import tensorflow as tf

from tests import small

LATENT_DIM = 3


def points(count=48, *, dim=2, seed=0):
    """float32 points (count, dim) around (1, -1, ...)."""
    centre = np.where(np.arange(dim) % 2, -1, 1)
    drawn = np.random.default_rng(seed).normal(centre, 0.3, (count, dim))
    return drawn.astype("float32")


def networks(*, dim=2, width=8):
    """Two networks of one hidden layer each."""
    latents = keras.Input((LATENT_DIM,))
    x = keras.layers.Dense(width, activation="tanh", name="hidden")(latents)
    x = keras.layers.Dense(dim, dtype="float32", name="points")(x)
    generator = keras.Model(latents, x, name="generator")
    shown = keras.Input((dim,))
    x = keras.layers.Dense(width, activation="tanh", name="hidden")(shown)
    return generator, keras.Model(shown, keras.layers.Dense(1, name="logits")(x), name="critic")


def dirac():
    """A generator of one weight, the point that it gives, and a linear discriminator.

    Dirac-GAN (Mescheder 2018, definition 2.1): D(x) = psi x, and G(z) = theta for all z.
    """
    latents = keras.Input((1,))
    nothing = keras.layers.Rescaling(0.0, name="nothing")(latents)
    x = keras.layers.Dense(1, name="theta")(nothing)
    shown = keras.Input((1,))
    y = keras.layers.Dense(1, use_bias=False, name="psi")(shown)
    return keras.Model(latents, x), keras.Model(shown, y)


def dirac_gan(kind, *, theta=1.0, psi=1.0, rate=0.1, **options):
    """A compiled Dirac-GAN that plain gradient descent trains."""
    gan = small.gan(dirac, kind=kind, optimizer=lambda: keras.optimizers.SGD(rate), **options)
    gan.generator.get_layer("theta").bias.assign([theta])
    gan.discriminator.get_layer("psi").kernel.assign([[psi]])
    return gan


def place(gan):
    """The weights (theta, psi) of a Dirac-GAN."""
    theta = gan.generator.get_layer("theta").bias
    psi = gan.discriminator.get_layer("psi").kernel
    return np.array([float(theta.numpy()[0]), float(psi.numpy()[0, 0])])


def course(gan, *, steps, batch=4, real=0.0):
    """The weights (theta, psi) before each of `steps` steps and after the last, (steps + 1, 2)."""
    data = np.full((steps, batch * gan.updates_per_batch, 1), real, "float32")
    step = tf.function(gan.train_step)
    places = [place(gan)]
    for one in data:
        step(one)
        places.append(place(gan))
    return np.array(places)
