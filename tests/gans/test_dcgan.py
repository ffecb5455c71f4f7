"""DCGAN learns, and is what its name says."""

import keras
import numpy as np
import tensorflow as tf

from ganzoo import losses
from ganzoo.gans import DCGAN, GAN, GANS
from tests import small


def test_dcgan_is_found_by_name_and_plays_the_non_saturating_game():
    assert GANS["dcgan"] is DCGAN and issubclass(DCGAN, GAN)
    gan = small.gan()
    real, fake = tf.constant([[0.3], [2.0]]), tf.constant([[-1.0], [0.4]])
    assert float(gan.discriminator_loss(real, fake)) == float(
        losses.non_saturating_discriminator(real, fake)
    )
    assert float(gan.generator_loss(fake)) == float(losses.non_saturating_generator(fake))


def test_dcgan_learns_one_picture():
    """Real images of one left-right gradient: the generated ones come to look like it."""
    picture = np.linspace(20, 235, 16).astype("uint8")[None, None, :, None]
    images = np.broadcast_to(picture, (64, 16, 16, 1)).copy()
    images += np.random.default_rng(0).integers(0, 8, images.shape).astype("uint8")
    gan = small.gan(options={"width": 8}, ema_decay=0.9, seed=1)
    gan.compile(learning_rate=2e-3)

    def distance():
        return np.abs(gan.generate(32, seed=0).astype(float).mean(0) - images.mean(0)).mean()

    before = distance()
    gan.fit(images, batch_size=16, epochs=25, verbose=0)
    assert before > 45 and distance() < 25


def test_discriminator_tells_real_from_fake_where_the_generator_stands_still():
    gan = small.gan(options={"width": 8})
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.Adam(1e-3, beta_1=0.5))
    history = gan.fit(small.images(64), batch_size=16, epochs=8, verbose=0).history
    assert history["d_loss"][-1] < 0.4 < 1.0 < history["d_loss"][0]
    assert history["d_real"][-1] > 0.8 and history["d_fake"][-1] < 0.2


def test_generator_fools_a_discriminator_that_stands_still():
    gan = small.gan(options={"width": 8})
    gan.compile(keras.optimizers.Adam(2e-3, beta_1=0.5), keras.optimizers.SGD(0.0))
    history = gan.fit(small.images(64), batch_size=16, epochs=8, verbose=0).history
    assert history["g_loss"][-1] < history["g_loss"][0] - 0.05
    assert history["d_fake"][-1] > history["d_fake"][0] + 0.03
