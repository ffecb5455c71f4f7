"""The networks of semi-supervised MNIST."""

import keras
import numpy as np
import pytest

from ganzoo.networks.semi_supervised import sgan_discriminator, sgan_generator
from ganzoo.strategy import precision_scope

SHAPE = (6, 4, 2)


def images(count=5, *, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, *SHAPE)).astype("float32")


def discriminator(**options):
    return sgan_discriminator(SHAPE, classes=3, widths=(8, 7), **options)


def test_sizes_are_those_of_the_paper():
    network = sgan_discriminator((28, 28, 1))
    widths = (784, 1000, 500, 250, 250, 250, 10)
    weights = sum(a * b + b for a, b in zip(widths, widths[1:], strict=False))
    assert sum(int(np.prod(v.shape)) for v in network.trainable_weights) == weights + 10
    noises = [one.stddev for one in network.layers if isinstance(one, keras.layers.GaussianNoise)]
    assert noises == [0.3, 0.5, 0.5, 0.5, 0.5, 0.5]
    generator = sgan_generator((28, 28, 1))
    weights = 100 * 500 + 500 + 500 * 500 + 500 + 500 * 784 + 2 * 784
    assert sum(int(np.prod(v.shape)) for v in generator.trainable_weights) == weights


@pytest.mark.parametrize("precision", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_latents_become_images_and_images_logits(precision):
    with precision_scope(precision):
        generator, network = sgan_generator(SHAPE, latent_dim=3, widths=(9, 9)), discriminator()
    latents = 100 * np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    fake = np.array(generator(latents))
    assert fake.shape == (64, *SHAPE) and fake.dtype == np.float32
    assert -1 <= fake.min() < -0.9 and 0.9 < fake.max() <= 1
    assert network(fake, training=True).shape == (64, 3)


def test_the_order_of_the_pixels_is_unknown_to_the_discriminator():
    network, turned = discriminator(), discriminator()
    turned.set_weights(network.get_weights())
    order = np.random.default_rng(1).permutation(48)
    kernel = turned.get_layer("hidden1").kernel
    kernel.assign(np.array(kernel)[order])
    shown = images().reshape(5, -1)[:, order].reshape(5, *SHAPE)
    np.testing.assert_allclose(turned(shown), network(images()), atol=1e-5)


def test_noise_lies_on_pixels_of_unit_range_and_only_in_training():
    network = discriminator(input_noise=0.3, noise=0.0)
    inner = keras.Model(network.input, network.get_layer("images_noise").output)
    black = -np.ones((500, *SHAPE), "float32")
    assert np.abs(np.array(inner(black))).max() == 0
    assert np.abs(np.array(inner(-black)) - 1).max() == 0
    assert np.array(inner(black, training=True)).std() == pytest.approx(0.3, rel=0.02)


def test_wrong_sizes_and_noise_are_refused():
    with pytest.raises(ValueError, match="all >= 1. Received: .*widths=\\(\\)"):
        sgan_generator(SHAPE, widths=())
    with pytest.raises(ValueError, match="all >= 1. Received: image_shape=\\(0, 4, 1\\)"):
        sgan_discriminator((0, 4, 1))
    with pytest.raises(ValueError, match="Expected noise in \\[0, 1\\]. Received: input_noise=-1"):
        discriminator(input_noise=-1)
