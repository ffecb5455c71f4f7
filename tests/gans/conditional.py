"""Small conditional GANs for the tests, on images that show their label."""

import keras
import numpy as np

from ganzoo.gans import ACGAN, CGAN, ProjectionGAN
from ganzoo.networks.dcgan import dcgan_discriminator, dcgan_generator
from tests import small

CLASSES = 3
KINDS = {
    "cgan": (CGAN, "concat", {"conditioning": "concat"}),
    "acgan": (ACGAN, "concat", {"auxiliary": CLASSES}),
    "projection": (ProjectionGAN, "batch_norm", {"conditioning": "projection", "norm": "spectral"}),
}


def networks(kind, norm=None, width=2, hidden=0):
    _, conditioning, judge = KINDS[kind]
    shape, own = (8, 8, 1), {"width": width, "classes": CLASSES}
    conditioning = conditioning if norm is None else "concat"
    generator = dcgan_generator(
        shape, latent_dim=5, conditioning=conditioning, norm=norm or "batch", **own
    )
    judge = judge if norm is None else {**judge, "norm": norm}
    return generator, dcgan_discriminator(shape, hidden=hidden, **own, **judge)


def gan(kind, *, norm=None, eager=True, width=2, hidden=0, **arguments):
    """A compiled GAN of three classes; `norm` changes those of both networks.

    A discriminator with a hidden layer has a batch norm, unless it has another norm.
    """
    return small.gan(
        networks,
        kind=KINDS[kind][0],
        options={"kind": kind, "norm": norm, "width": width, "hidden": hidden},
        eager=eager,
        **{"latent_dim": 5, "classes": CLASSES, **arguments},
    )


def data(count=24, *, classes=CLASSES, seed=0):
    """uint8 images (count, 8, 8, 1), the brighter the higher their label, and labels."""
    labels = np.arange(count) % classes
    noise = np.random.default_rng(seed).integers(-20, 20, (count, 8, 8, 1))
    return (40 + 80 * labels[:, None, None, None] + noise).astype("uint8"), labels


def telling(kind, **arguments):
    """A GAN whose images are their label, and whose discriminator gives (image's label - label).

    So a pair that belongs together has a logit of 0. The one weight of each is without effect.
    """
    latents, labels = keras.Input((5,)), keras.Input((), dtype="int32")
    number = keras.layers.Rescaling(0.1)(keras.layers.Reshape((1, 1, 1))(labels))
    nothing = keras.layers.Dense(1, kernel_initializer="zeros", use_bias=False)(latents)
    ones = keras.layers.Reshape((1, 1, 1))(nothing)
    generator = keras.Model([latents, labels], keras.layers.Add()([number, ones]))
    images, labels = keras.Input((1, 1, 1)), keras.Input((), dtype="int32")
    number = keras.layers.Rescaling(-0.1)(keras.layers.Reshape((1,))(labels))
    shown = keras.layers.Flatten()(images)
    shown = keras.layers.Dense(1, kernel_initializer="ones", use_bias=False)(shown)
    discriminator = keras.Model([images, labels], keras.layers.Add()([shown, number]))
    made = kind(generator, discriminator, latent_dim=5, classes=CLASSES, **arguments)
    made.compile(run_eagerly=True, generator_optimizer="sgd", discriminator_optimizer="sgd")
    return made
