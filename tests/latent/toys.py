"""GANs whose images can be computed by hand."""

import keras
import numpy as np
from keras import layers

from ganzoo.gans import DCGAN
from ganzoo.gans.cgan import CGAN
from tests import small

SIZE, LATENT_DIM = 4, 3
SHAPE = (SIZE, SIZE, 1)


def linear(*, stddev=0.15, seed=0, **options):
    """A compiled GAN with images A z + b, and logits a x + c."""
    normal = keras.initializers.RandomNormal(stddev=stddev, seed=seed)

    def networks():
        latents = keras.Input((LATENT_DIM,))
        x = layers.Dense(SIZE**2, kernel_initializer=normal, bias_initializer=normal)(latents)
        generator = keras.Model(latents, layers.Reshape(SHAPE, dtype="float32")(x))
        images = keras.Input(SHAPE)
        logits = layers.Dense(1, kernel_initializer=keras.initializers.RandomNormal(seed=seed + 1))
        return generator, keras.Model(images, logits(layers.Flatten()(images)))

    return small.gan(networks, kind=DCGAN, **options)


def matrix(gan):
    """A (pixels, latent_dim) and b (pixels,) of the generator's average."""
    kernel, bias = (np.array(v.numpy(), np.float64) for v in gan.generator_ema.weights)
    return kernel.T, bias


def conditional(classes=("top", "left", "right")):
    """A compiled CGAN with images A z + b[label]; the shifts b are far from each other."""
    latents, label = keras.Input((LATENT_DIM,)), keras.Input((), dtype="int32")
    small_normal = keras.initializers.RandomNormal(stddev=0.1, seed=0)
    large_normal = keras.initializers.RandomUniform(-0.9, 0.9, seed=1)
    x = layers.Dense(SIZE**2, kernel_initializer=small_normal)(latents)
    shift = layers.Embedding(len(classes), SIZE**2, embeddings_initializer=large_normal)(label)
    generator = keras.Model([latents, label], layers.Reshape(SHAPE)(layers.Add()([x, shift])))
    images, label = keras.Input(SHAPE), keras.Input((), dtype="int32")
    share = layers.Embedding(len(classes), SIZE**2)(label)
    logits = layers.Dense(1)(layers.Multiply()([layers.Flatten()(images), share]))
    discriminator = keras.Model([images, label], logits)
    gan = CGAN(generator, discriminator, latent_dim=LATENT_DIM, classes=list(classes))
    gan.compile()
    return gan


def noise(count, *, seed=0):
    """uint8 images (count, SIZE, SIZE, 1)."""
    return np.random.default_rng(seed).integers(60, 196, (count, *SHAPE)).astype(np.uint8)


def floats(images):
    """Images in [-1, 1], float64."""
    return np.asarray(images, np.float64) / 127.5 - 1
