"""cGAN's and the projection GAN's losses on networks that are told labels."""

import numpy as np
import pytest
import tensorflow as tf

from tests.gans import conditional


def losses(kind):
    """Losses of a step's games, and the logits that they are of."""
    gan = conditional.gan(kind, norm="none")
    for variable in gan.trainable_variables:
        variable.assign(variable * 20)
    images, labels = (tf.constant(one) for one in conditional.data(9))
    real = gan.real_examples((images, labels))
    fake = gan.fakes(real)
    logits = [gan.discriminator(list(one)).numpy().astype("float64") for one in (real, fake)]
    assert np.ptp(logits[0]) > 0.01 and np.abs(np.subtract(*logits)).max() > 0.01
    d_loss, logs = gan.discriminator_game(real, fake)
    return d_loss, gan.generator_game(real, fake)[0], logs, *logits


def softplus(x):
    return np.logaddexp(0, x)


def test_cgan_plays_the_non_saturating_game():
    d_loss, g_loss, logs, real, fake = losses("cgan")
    np.testing.assert_allclose(d_loss, (softplus(-real) + softplus(fake)).mean(), rtol=1e-4)
    np.testing.assert_allclose(g_loss, softplus(-fake).mean(), rtol=1e-4)
    np.testing.assert_allclose(logs["d_real"], (1 / (1 + np.exp(-real))).mean(), rtol=1e-4)


def test_projection_plays_the_hinge_game():
    d_loss, g_loss, logs, real, fake = losses("projection")
    hinges = np.maximum(1 - real, 0).mean() + np.maximum(1 + fake, 0).mean()
    np.testing.assert_allclose(d_loss, hinges, rtol=1e-4)
    np.testing.assert_allclose(g_loss, -fake.mean(), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(logs["d_real"], real.mean(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["cgan", "projection"])
def test_a_discriminator_learns_which_label_an_image_belongs_to(kind):
    gan = conditional.gan(kind, width=8)
    gan.compile(learning_rate=1e-2, run_eagerly=True)
    images, labels = gan.real_examples(tuple(tf.constant(one) for one in conditional.data(30)))
    for turn in range(40):
        wrong = (labels + 1 + turn % 2) % 3
        gan.update_discriminator(gan.discriminator_game, (images, labels), (images, wrong))
    fresh, labels = (tf.constant(one) for one in conditional.data(30, seed=1))
    fresh, labels = gan.real_examples((fresh, labels))
    true, *others = (
        gan.discriminator([fresh, (labels + by) % 3], training=False).numpy() for by in range(3)
    )
    assert all((true > other).mean() > 0.9 for other in others)
