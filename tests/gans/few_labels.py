"""Small semi-supervised GANs, for the tests and for the process of two replicas."""

import keras
import numpy as np
from keras import layers

from ganzoo.gans.semi_supervised import SGAN
from ganzoo.networks.semi_supervised import sgan_discriminator, sgan_generator
from tests import small

SHAPE, CLASSES, LATENT_DIM = (4, 4, 1), 3, 5


def networks(*, noise=0.0, classes=CLASSES):
    generator = sgan_generator(SHAPE, latent_dim=LATENT_DIM, widths=(6,))
    options = {"input_noise": noise, "noise": noise, "widths": (7, 6), "classes": classes}
    return generator, sgan_discriminator(SHAPE, **options)


def plain_networks():
    """Without noise, batch norm and weight normalization."""
    normal = keras.initializers.RandomNormal(stddev=0.5)
    latents, images = keras.Input((LATENT_DIM,)), keras.Input(SHAPE)
    x = layers.Dense(16, activation="tanh", kernel_initializer=normal)(latents)
    generator = keras.Model(latents, layers.Reshape(SHAPE, dtype="float32")(x))
    x = layers.Dense(6, "tanh", kernel_initializer=normal, name="hidden")(layers.Flatten()(images))
    return generator, keras.Model(images, layers.Dense(3, name="logits")(x))


def gan(make=networks, **options):
    """A compiled SGAN; `noise` and `classes` of the networks as options={...}."""
    return small.gan(make, kind=SGAN, latent_dim=LATENT_DIM, **{"classes": CLASSES, **options})


def images(count=24, *, seed=0):
    """Float images (count, 4, 4, 1) in [-1, 1]."""
    return np.random.default_rng(seed).uniform(-1, 1, (count, *SHAPE)).astype("float32")


def labels(count=24, *, known=6):
    """Labels of which the last `known` are known."""
    return np.where(np.arange(count) < count - known, -1, np.arange(count) % CLASSES)


def batch(count=8, *, seed=0):
    """Half labelled examples, one by one."""
    found = np.arange(count) // 2 % CLASSES
    return images(count, seed=seed), np.where(np.arange(count) % 2, -1, found).astype("int32")
