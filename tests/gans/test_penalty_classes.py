"""What all classes with a penalty share: files, batch norm, mixing."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.gans import R1GAN, WGANGP, NonSaturatingGAN
from tests import small
from tests.gans import small_points
from tests.gans.penalty_kinds import EVERY, KINDS, farthest, trained
from tests.gans.small_points import points


@EVERY
def test_a_file_brings_back_options_and_training_goes_on_as_before(name, tmp_path):
    gan, _ = trained(name, eager=True)
    gan.save(tmp_path / "x.keras")
    again = keras.models.load_model(tmp_path / "x.keras")
    assert type(again) is type(gan)
    for key, value in KINDS[name][1].items():
        assert getattr(again, key) == value != getattr(made_by_default(name), key)
        assert again.get_config()[key] == value
    assert again.run_eagerly
    for one in (gan, again):
        one.fit(points(32, seed=3), batch_size=8, verbose=0)
    assert farthest(gan, again) == 0.0


def made_by_default(name):
    """The defaults of a class; consensus has one number of discriminator steps alone."""
    return small.gan(small_points.networks, kind=KINDS[name][0])


@pytest.mark.parametrize(
    "name, eager", [("dragan", True), ("r1", True), ("r1", False), ("roth", True)]
)
def test_a_penaltys_passes_move_no_batch_norm_statistics(name, eager):
    ends = []
    for kind, own in (KINDS[name], (NonSaturatingGAN, {})):
        gan = small.gan(kind=kind, optimizer=lambda: keras.optimizers.SGD(0.0), eager=eager, **own)
        gan.fit(small.images(6), batch_size=6, shuffle=False, verbose=0)
        ends.append(small.values(small.statistics(gan.discriminator)))
    start = small.values(small.statistics(small.gan().discriminator))
    for first, second, before in zip(*ends, start, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-6)
        assert not np.array_equal(first, before)


@pytest.mark.parametrize("name", ["wgan_gp", "dragan", "r1", "roth", "consensus"])
def test_convolutional_networks_train_with_a_penalty(name):
    networks = small.dense if name == "wgan_gp" else small.convolutional
    gan, history = trained(name, small.images(16), networks=networks, eager=True)
    assert all(np.isfinite(value).all() for value in small.values(gan))
    log = "consensus_loss" if name == "consensus" else "gradient_penalty"
    assert history[log][0] > 0


class Both(R1GAN, WGANGP):
    """R1 on a Wasserstein critic beside the penalty of WGAN-GP."""

    tracked = WGANGP.tracked

    def discriminator_loss(self, real_logits, fake_logits):
        return WGANGP.discriminator_loss(self, real_logits, fake_logits)


def test_penalties_mix_by_inheritance():
    gan = small_points.dirac_gan(Both, psi=3.0, r1_gamma=2.0, penalty_weight=7.0)
    loss, _ = gan.discriminator_game(tf.zeros((4, 1)), tf.ones((4, 1)))
    assert float(loss) == pytest.approx(3.0 + 9.0 + 7 * 4.0, rel=1e-5)
    assert gan.get_config()["penalty_weight"] == 7.0 and gan.discriminator_steps == 5
