"""Consensus optimization: its gradient, its updates, and where it goes on a bilinear game."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.gans import GANS, ConsensusGAN, NonSaturatingGAN
from tests import small
from tests.gans import small_points
from tests.gans.small_points import points

RATE = 0.1


class Bilinear(ConsensusGAN):
    """The zero-sum game psi theta on a Dirac-GAN: the discriminator descends it, G ascends it."""

    def discriminator_loss(self, real_logits, fake_logits):
        return keras.ops.mean(fake_logits)

    def generator_loss(self, fake_logits):
        return -keras.ops.mean(fake_logits)


def bilinear(gamma, *, steps):
    gan = small_points.dirac_gan(Bilinear, theta=1.0, psi=0.5, rate=RATE, gamma=gamma)
    return small_points.course(gan, steps=steps, batch=1)


def by_hand(gamma, *, steps):
    """v holds d(psi theta)/dpsi = theta and d(-psi theta)/dtheta = -psi; L has (psi, theta)."""
    theta, psi = 1.0, 0.5
    places = [(theta, psi)]
    for _ in range(steps):
        theta, psi = (
            theta - RATE * (-psi + gamma * theta),
            psi - RATE * (theta + gamma * psi),
        )
        places.append((theta, psi))
    return np.array(places)


def test_it_is_found_by_name_and_has_the_papers_gamma():
    assert GANS["consensus"] is ConsensusGAN and issubclass(ConsensusGAN, NonSaturatingGAN)
    assert small.gan(small_points.networks, kind=ConsensusGAN).gamma == 10.0


@pytest.mark.parametrize("gamma", [0.0, 0.3, 2.0])
def test_the_course_of_a_bilinear_game_is_the_one_by_hand(gamma):
    np.testing.assert_allclose(bilinear(gamma, steps=40), by_hand(gamma, steps=40), atol=2e-5)


def test_consensus_converges_where_simultaneous_descent_spirals_out():
    distance = {g: np.linalg.norm(bilinear(g, steps=100), axis=1) for g in (0.0, 1.0)}
    assert (np.diff(distance[0.0]) > 0).all() and distance[0.0][-1] > 1.5 * distance[0.0][0]
    assert (np.diff(distance[1.0]) < 0).all() and distance[1.0][-1] < 1e-4


def plain_gradients(gan, images, latents):
    """Both players' gradients v of the non-saturating game, written out."""
    d, g = gan.discriminator, gan.generator
    owned = [d.trainable_variables, g.trainable_variables]
    with tf.GradientTape(persistent=True) as tape:
        fake = d(g(latents, training=True), training=True)
        real = d(images, training=True)
        d_loss = tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(fake))
        g_loss = tf.reduce_mean(tf.nn.softplus(-fake))
    first, second = (
        tape.gradient(loss, [v.value for v in own])
        for loss, own in zip((d_loss, g_loss), owned, strict=True)
    )
    return [*first, *second], [v.value for own in owned for v in own]


def consensus_by_jacobian(gan, images, latents):
    """L and its gradient J^T v, with the rows of J one by one."""
    with tf.GradientTape(persistent=True) as tape:
        v, variables = plain_gradients(gan, images, latents)
        entries = tf.unstack(tf.concat([tf.reshape(one, -1) for one in v], axis=0))
    pulls = [0.0] * len(variables)
    for entry in entries:
        row = tape.gradient(entry, variables, unconnected_gradients="zero")
        pulls = [pull + entry * part for pull, part in zip(pulls, row, strict=True)]
    return v, pulls, sum(float(entry) ** 2 for entry in entries) / 2


def test_a_step_on_networks_is_v_plus_gamma_times_the_transposed_jacobian_times_v():
    gamma = 5.0
    gan, twin = (
        small.gan(
            small_points.networks,
            kind=ConsensusGAN,
            gamma=gamma,
            optimizer=lambda: keras.optimizers.SGD(RATE),
            options={"width": 3},
            eager=True,
        )
        for _ in range(2)
    )
    images = points(10)
    v, pulls, value = consensus_by_jacobian(twin, images, twin.sample_latents(10))
    logs = gan.train_step(tf.constant(images))
    assert float(logs["consensus_loss"]) == pytest.approx(value, rel=1e-5)
    players = ("discriminator", "generator")
    before, after = (
        [v.numpy() for p in players for v in one.player_variables(p)] for one in (twin, gan)
    )
    for start, end, own, pull in zip(before, after, v, pulls, strict=True):
        expected = -RATE * (own + gamma * pull).numpy()
        np.testing.assert_allclose(end - start, expected, atol=1e-6)
    assert max(np.abs(pull).max() for pull in pulls) > 0.01  # what gamma weighs is not nothing


def test_batch_norms_statistics_move_as_in_the_plain_game():
    ends = []
    for kind in (NonSaturatingGAN, ConsensusGAN):
        gan = small.gan(kind=kind, optimizer=lambda: keras.optimizers.SGD(0.0), eager=True)
        gan.train_step(tf.constant(small.images(6)))
        ends.append([small.values(small.statistics(n)) for n in (gan.generator, gan.discriminator)])
    for first, second in zip(*map(lambda both: [*both[0], *both[1]], ends), strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6)


def test_the_generators_average_moves_along():
    gan = small.gan(small_points.networks, kind=ConsensusGAN, eager=True, ema_decay=0.0)
    before = small.values(gan.generator_ema)
    gan.train_step(tf.constant(points(8)))
    assert all(small.moved(before, gan.generator_ema))
    for a, b in zip(gan.generator_ema.weights, gan.generator.weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-6)
    assert gan.steps_done == 1


def test_more_than_one_discriminator_step_is_refused_and_so_is_a_negative_gamma():
    with pytest.raises(ValueError, match=r"move at once. Received: discriminator_steps=2"):
        small.gan(small_points.networks, kind=ConsensusGAN, discriminator_steps=2)
    with pytest.raises(ValueError, match=r"number >= 0. Received: gamma=-1"):
        small.gan(small_points.networks, kind=ConsensusGAN, gamma=-1)
