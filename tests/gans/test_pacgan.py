"""PacGAN: what a pack is, and that it shows what single images do not."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.gans.non_saturating import NonSaturatingGAN
from ganzoo.gans.pacgan import PacGAN
from tests import small
from tests.gans import points


def pac(packing=2, **options):
    return points.gan(PacGAN, options={"packing": packing}, packing=packing, **options)


def conv_networks(packing=3, channels=2):
    generator, _ = small.convolutional(channels=channels)
    return generator, small.convolutional(channels=channels * packing)[1]


def test_a_pack_holds_neighbours_one_after_the_other_on_the_last_axis():
    gan = small.gan(conv_networks, kind=PacGAN, packing=3)
    images = np.random.default_rng(0).normal(size=(6, 16, 16, 2)).astype("float32")
    packs = np.array(gan.packed(tf.constant(images)))
    assert packs.shape == (2, 16, 16, 6)
    for pack in range(2):
        for member in range(3):
            found = packs[pack, :, :, 2 * member : 2 * member + 2]
            np.testing.assert_array_equal(found, images[3 * pack + member])


def test_a_pack_of_points_is_a_longer_point():
    packs = np.array(pac(2).packed(tf.constant(points.points(8))))
    np.testing.assert_array_equal(packs, points.points(8).reshape(4, 4))


def test_losses_are_means_over_packs_of_one_kind():
    gan = pac(2, eager=True)
    real, fake = points.points(8, seed=1), points.points(8, seed=2)
    logits = [np.array(gan.discriminator(one.reshape(4, 4))) for one in (real, fake)]
    loss, logs = gan.discriminator_game(tf.constant(real), tf.constant(fake))
    expected = np.logaddexp(0, -logits[0]).mean() + np.logaddexp(0, logits[1]).mean()
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    assert float(logs["d_real"]) == pytest.approx((1 / (1 + np.exp(-logits[0]))).mean(), rel=1e-5)
    g_loss, _ = gan.generator_game(tf.constant(real), tf.constant(fake))
    assert float(g_loss) == pytest.approx(np.logaddexp(0, -logits[1]).mean(), rel=1e-5)


def test_packs_of_one_are_the_plain_game():
    ends = []
    for gan in (pac(1, eager=True), points.gan(NonSaturatingGAN, eager=True)):
        gan.fit(points.points(), batch_size=8, verbose=0)
        ends.append(small.values(gan))
    for a, b in zip(*ends, strict=True):
        np.testing.assert_array_equal(a, b)


def trained_loss(packing):
    """The discriminator's least loss where generated points have one sign a pack."""
    signs = [(1, 1), (-1, -1), (1, -1), (-1, 1)]
    real = np.array(signs, "float32").reshape(8, 1)
    fake = np.array(signs[:2] * 2, "float32").reshape(8, 1)
    keras.utils.set_random_seed(0)
    packs = keras.Input((packing,))
    x = keras.layers.Dense(16, activation="tanh")(packs)
    discriminator = keras.Model(packs, keras.layers.Dense(1)(x))
    gan = PacGAN(points.single(1.0), discriminator, latent_dim=1, packing=packing)
    gan.compile("sgd", keras.optimizers.Adam(0.05))
    update = tf.function(lambda: gan.update_discriminator(gan.discriminator_game, real, fake))
    for _ in range(400):
        loss = update()["d_loss"]
    return float(loss)


def test_a_collapse_that_single_images_hide_shows_in_packs():
    # each sign is as frequent in both kinds: alone they cannot be told apart. In pairs equal signs
    # are twice as likely generated: D = 1/3 there and 1 elsewhere
    assert trained_loss(1) == pytest.approx(2 * np.log(2), abs=1e-3)
    optimum = -(np.log(1 / 3) / 2 + np.log(2 / 3))
    assert trained_loss(2) == pytest.approx(optimum, abs=0.02)


def test_a_batch_that_packs_cannot_share_raises():
    match = "packs of 3 share evenly in each update: a multiple of 3 a batch. Received: 8"
    with pytest.raises(ValueError, match=match):
        pac(3, eager=True).fit(points.points(), batch_size=8, verbose=0)
    # two updates a batch: 6 images are 3 for each, which pairs cannot share
    with pytest.raises(ValueError, match="a multiple of 4 a batch. Received: 6"):
        pac(2, eager=True, discriminator_steps=2).fit(points.points(), batch_size=3, verbose=0)


def test_so_does_one_whose_size_is_known_late():
    data = tf.data.Dataset.from_tensor_slices(points.points(9)).batch(9)
    with pytest.raises(tf.errors.InvalidArgumentError, match="packs of 2 share evenly"):
        pac(2).fit(data, verbose=0)


def test_a_discriminator_of_another_number_of_channels_raises():
    with pytest.raises(ValueError, match=r"discriminator of packs \(None, 6\), 3 of .*\(None, 4\)"):
        points.gan(PacGAN, options={"packing": 2}, packing=3)
    with pytest.raises(ValueError, match=r"latents \(None, 7\)"):
        PacGAN(*points.networks(packing=2), latent_dim=7)


@pytest.mark.parametrize("packing", [0, 1.5, True])
def test_a_packing_that_is_no_number_of_images_raises(packing):
    with pytest.raises(ValueError, match="Expected packing, a whole number >= 1"):
        PacGAN(*points.networks(packing=2), latent_dim=3, packing=packing)
