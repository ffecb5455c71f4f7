"""DRAGAN, R1, R2 and Roth's regulariser in the discriminator's update, and what they claim."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import penalties
from ganzoo.gans import DRAGAN, GANS, R1GAN, WGANGP, NonSaturatingGAN, RothGAN
from tests import small
from tests.gans import small_points
from tests.gans.small_points import points

PSI, THETA, RATE = 2.0, 1.5, 0.1


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def one_step(kind, **options):
    """How a step moves psi of a Dirac-GAN away from where it goes without a penalty.

    Divided by minus the rate: the penalty's own gradient.
    """
    ends = []
    for one, given in ((kind, options), (NonSaturatingGAN, {})):
        gan = small_points.dirac_gan(one, theta=THETA, psi=PSI, rate=RATE, **given)
        gan.train_step(tf.fill((4, 1), 0.5))
        assert int(gan.discriminator_optimizer.iterations) == 1
        ends.append(small_points.place(gan)[1])
    return (ends[0] - ends[1]) / -RATE


def test_all_are_found_by_name_and_play_the_non_saturating_game():
    assert (GANS["dragan"], GANS["r1"], GANS["roth"]) == (DRAGAN, R1GAN, RothGAN)
    assert all(issubclass(kind, NonSaturatingGAN) for kind in (DRAGAN, R1GAN, RothGAN))


@pytest.mark.parametrize("gamma", ["r1_gamma", "r2_gamma"])
def test_a_step_of_r1_and_of_r2_adds_the_gradient_of_half_gamma_squared_norm(gamma):
    options = {"r1_gamma": 0.0, "r2_gamma": 0.0, gamma: 3.0}
    assert one_step(R1GAN, **options) == pytest.approx(3.0 * PSI, rel=1e-5)


def test_r1_looks_at_real_and_r2_at_generated_points(monkeypatch):
    seen = []
    monkeypatch.setattr(
        penalties, "squared_norm", lambda judge, x: seen.append(float(x[0, 0])) or 0.0
    )
    for r1_gamma, r2_gamma in ((1.0, 0.0), (0.0, 1.0), (1.0, 1.0)):
        gan = small_points.dirac_gan(R1GAN, r1_gamma=r1_gamma, r2_gamma=r2_gamma)
        gan.discriminator_game(tf.fill((2, 1), 10.0), tf.fill((2, 1), 20.0))
    assert seen == [10.0, 20.0, 10.0, 20.0]


def test_a_step_of_dragan_adds_the_gradient_of_its_penalty():
    found = one_step(DRAGAN, penalty_weight=4.0, target=0.5)
    assert found == pytest.approx(4.0 * 2 * (PSI - 0.5), rel=1e-4)


def test_dragans_noise_is_normal_of_the_stddev_on_each_coordinate_of_real_points(monkeypatch):
    drawn = []
    monkeypatch.setattr(
        penalties, "around", lambda judge, real, noise, target: drawn.append((real, noise)) or 0.0
    )
    gan = small.gan(small_points.networks, kind=DRAGAN, stddev=0.7, eager=True)
    shown = points(4000)
    gan.discriminator_game(shown, points(4000, seed=1))
    (real, noise), noise_of_each = drawn[0], np.array(drawn[0][1])
    assert real is shown and noise.shape == (4000, 2)
    np.testing.assert_allclose(noise_of_each.std(0), 0.7, rtol=0.05)
    np.testing.assert_allclose(noise_of_each.mean(0), 0, atol=0.05)
    within = [(np.abs(noise_of_each) < 0.7 * k).mean() for k in (1, 2)]
    np.testing.assert_allclose(within, [0.683, 0.954], atol=0.02)  # a normal distribution's
    assert abs(np.corrcoef(noise_of_each.T)[0, 1]) < 0.1


def test_a_step_of_roths_regulariser_adds_the_gradient_of_half_gamma_times_it():
    # d/dpsi of (1 - D(1/2))^2 psi^2 + D(theta)^2 psi^2, weights included
    def regulariser(psi):
        return psi**2 * ((1 - sigmoid(0.5 * psi)) ** 2 + sigmoid(THETA * psi) ** 2)

    slope = (regulariser(PSI + 1e-5) - regulariser(PSI - 1e-5)) / 2e-5
    assert one_step(RothGAN, gamma=3.0) == pytest.approx(1.5 * slope, rel=1e-4)


def test_roths_gamma_falls_exponentially_to_its_share_and_stays_there():
    gan = small_points.dirac_gan(RothGAN, gamma=2.0, decay=0.01, annealing_steps=4)
    data = np.zeros((24, 1), "float32")
    gammas = [gan.fit(data[:4], batch_size=4, verbose=0).history["gamma"][0] for _ in range(6)]
    expected = [2.0 * 0.01 ** min(t / 4, 1) for t in range(6)]
    np.testing.assert_allclose(gammas, expected, rtol=1e-5)
    gan = small_points.dirac_gan(RothGAN, gamma=2.0)
    assert gan.fit(data, batch_size=4, verbose=0).history["gamma"] == [2.0]


@pytest.mark.parametrize("eager", [True, False])
def test_a_lazy_penalty_comes_every_nth_step_and_counts_n_times(eager):
    gan = small_points.dirac_gan(R1GAN, r1_gamma=2.0, penalty_every=3, psi=1.0, rate=0.0)
    gan.compile(run_eagerly=eager)
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), run_eagerly=eager)
    data = np.zeros((4, 1), "float32")
    found = [
        gan.fit(data, batch_size=4, verbose=0).history["gradient_penalty"][0] for _ in range(7)
    ]
    np.testing.assert_allclose(found, [3.0, 0, 0, 3.0, 0, 0, 3.0], rtol=1e-6)


def test_a_lazy_step_moves_the_discriminator_n_times_as_far():
    whole, lazy = (one_step(R1GAN, r1_gamma=3.0, penalty_every=n) for n in (1, 4))
    assert lazy == pytest.approx(4 * whole, rel=1e-5)


def test_the_losses_log_is_without_the_penalty():
    gan = small_points.dirac_gan(R1GAN, psi=2.0, r1_gamma=3.0, r2_gamma=5.0)
    plain = small_points.dirac_gan(NonSaturatingGAN, psi=2.0)
    shown = tf.zeros((4, 1)), tf.ones((4, 1))
    loss, logs = gan.discriminator_game(*shown)
    expected, _ = plain.discriminator_game(*shown)
    assert float(logs["d_loss"]) == pytest.approx(float(expected))
    assert float(logs["gradient_penalty"]) == pytest.approx((3 + 5) / 2 * 4)
    assert float(loss) == pytest.approx(float(expected) + 16, rel=1e-6)


def away(kind, *, steps=400, rate=0.1, **options):
    """How far a Dirac-GAN is from its equilibrium at (0, 0), before and after training."""
    gan = small_points.dirac_gan(kind, rate=rate, **options)
    return np.linalg.norm(small_points.course(gan, steps=steps, batch=1), axis=1)


def test_r1_and_r2_reach_the_equilibrium_of_the_dirac_gan():
    # Mescheder 2018, section 4.1: the gradient penalties converge
    for options in ({"r1_gamma": 1.0}, {"r1_gamma": 0.0, "r2_gamma": 1.0}):
        distance = away(R1GAN, **options)
        assert distance[0] > 1.4 and distance[-1] < 1e-3


def test_neither_the_plain_game_nor_wgan_gp_comes_near_it_in_as_many_steps():
    # Mescheder 2018: WGAN-GP circles (section 3), the non-saturating game has no linear rate
    assert away(R1GAN, r1_gamma=0.0)[-1] > 0.2
    assert away(WGANGP, discriminator_steps=1)[-50:].max() > 0.5


def test_a_discriminator_of_dragan_has_gradients_of_the_target_length_around_real_points():
    gradients = {}
    for weight in (0.0, 10.0):
        gan = small.gan(
            small_points.networks, kind=DRAGAN, penalty_weight=weight, stddev=0.3, seed=1
        )
        gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.Adam(0.01))
        gan.fit(points(256), batch_size=32, epochs=40, verbose=0)
        found = penalties.input_gradients(gan.judge, points(256, seed=5))[1]
        gradients[weight] = np.linalg.norm(found, axis=1)
    assert np.abs(gradients[10.0] - 1).mean() < 0.15 < np.abs(gradients[0.0] - 1).mean()


@pytest.mark.parametrize(
    "kind, options, message",
    [
        (DRAGAN, {"stddev": -0.1}, "stddev, a number >= 0. Received: stddev=-0.1"),
        (DRAGAN, {"penalty_weight": None}, "Received: penalty_weight=None"),
        (DRAGAN, {"target": -1}, "Received: target=-1"),
        (R1GAN, {"r1_gamma": -1}, "Received: r1_gamma=-1"),
        (R1GAN, {"r2_gamma": float("inf")}, "Received: r2_gamma=inf"),
        (R1GAN, {"penalty_every": 0}, "whole number >= 1. Received: penalty_every=0"),
        (RothGAN, {"gamma": True}, "Received: gamma=True"),
        (RothGAN, {"decay": 0}, "decay, a number > 0. Received: decay=0"),
        (RothGAN, {"annealing_steps": 1.5}, "or None. Received: annealing_steps=1.5"),
    ],
)
def test_options_out_of_range_raise(kind, options, message):
    with pytest.raises(ValueError, match=message):
        small.gan(small_points.networks, kind=kind, **options)
