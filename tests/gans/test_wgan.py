"""WGAN and WGAN-GP: the critic's constraint, its distance, and what the papers say of both."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import penalties
from ganzoo.gans import GANS, WGAN, WGANGP
from tests import small
from tests.gans import small_points
from tests.gans.small_points import points


def made(kind, **options):
    options.setdefault("optimizer", lambda: keras.optimizers.RMSprop(0.05))
    return small.gan(small_points.networks, kind=kind, eager=True, **options)


def far_critic(kind, *, steps, rate, distance=3.0, **options):
    """A linear critic of real points at 0 and generated ones at `distance`, which stay there."""
    gan = small_points.dirac_gan(
        kind, theta=distance, psi=0.0, rate=rate, discriminator_steps=1, **options
    )
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(rate))
    return gan, small_points.course(gan, steps=steps)


def test_both_are_found_by_name_and_take_the_papers_defaults():
    assert (GANS["wgan"], GANS["wgan_gp"]) == (WGAN, WGANGP)
    gan, other = made(WGAN), made(WGANGP)
    assert (gan.clip, gan.discriminator_steps) == (0.01, 5)
    assert (other.penalty_weight, other.discriminator_steps) == (10.0, 5)


def test_the_loss_is_the_difference_of_mean_scores_and_the_logs_are_scores():
    gan = made(WGAN)
    real, fake = tf.constant([[0.5], [2.5]]), tf.constant([[-3.0], [1.0]])
    assert float(gan.discriminator_loss(real, fake)) == -2.5
    assert float(gan.generator_loss(fake)) == 1.0
    _, logs = gan.discriminator_game(points(4), points(4, seed=1))
    assert float(logs["d_fake"] - logs["d_real"]) == pytest.approx(float(logs["d_loss"]), rel=1e-5)


def test_weights_are_within_the_clip_after_every_one_of_the_critics_updates(monkeypatch):
    gan = made(WGAN, clip=0.03)
    largest = []
    original = gan.update_discriminator

    def watched(*args):
        logs = original(*args)
        values = small.values(gan.discriminator.trainable_variables)
        largest.append([np.abs(value).max() for value in values])
        return logs

    monkeypatch.setattr(gan, "update_discriminator", watched)
    before = max(np.abs(value).max() for value in small.values(gan.discriminator))
    generator = small.values(gan.generator)
    gan.fit(points(), batch_size=4, epochs=1, verbose=0)  # 2 steps of 5 updates
    assert before > 0.03 and len(largest) == 10
    assert np.max(largest) == np.float32(0.03)
    moves = zip(generator, small.values(gan.generator), strict=True)
    assert max(np.abs(a - b).max() for a, b in moves) > 0.03  # the generator's are not clipped


def test_clipping_cuts_what_the_optimizer_did_and_is_no_rescaling():
    gan, twin = (
        made(kind, discriminator_steps=1, optimizer=lambda: keras.optimizers.SGD(0.1), **options)
        for kind, options in ((WGAN, {"clip": 0.2}), (WGANGP, {"penalty_weight": 0.0}))
    )
    for one in (gan, twin):
        one.train_step(tf.constant(points(8)))
    assert any(np.abs(value).max() > 0.2 for value in small.values(twin.discriminator))
    for a, b in zip(gan.discriminator.weights, twin.discriminator.weights, strict=True):
        np.testing.assert_allclose(a.numpy(), np.clip(b.numpy(), -0.2, 0.2), atol=1e-7)


def test_batch_norms_gains_are_clipped_and_its_statistics_are_not():
    gan = small.gan(kind=WGAN, clip=0.01, discriminator_steps=1, eager=True)
    gan.train_step(tf.constant(small.images(4)))
    gains = [v for v in gan.discriminator.trainable_variables if v.name == "gamma"]
    assert gains and all(np.abs(v.numpy()).max() <= np.float32(0.01) for v in gains)
    assert any(np.abs(v.numpy()).max() > 0.1 for v in small.statistics(gan.discriminator))


def test_each_of_the_critics_updates_sees_other_real_and_generated_points(monkeypatch):
    gan = made(WGANGP)
    seen = []
    original = gan.discriminator_game
    monkeypatch.setattr(
        gan,
        "discriminator_game",
        lambda *x: seen.extend(np.array(one) for one in x) or original(*x),
    )
    gan.fit(points(20), batch_size=4, verbose=0)
    assert len(seen) == 10
    for kind in (seen[::2], seen[1::2]):
        assert len(np.unique(np.concatenate(kind), axis=0)) == 20


def test_a_clipped_critic_comes_to_measure_the_earth_movers_distance():
    # the distance of two points is 3; the linear critic's best slope within the clip is -clip
    gan, course = far_critic(WGAN, steps=20, rate=0.1, clip=0.25)
    assert course[-1] == pytest.approx([3.0, -0.25])
    logs = gan.discriminator_game(tf.zeros((4, 1)), tf.fill((4, 1), 3.0))[1]
    assert -float(logs["d_loss"]) / gan.clip == pytest.approx(3.0, rel=1e-6)


def test_the_generators_gradient_does_not_vanish_where_the_critic_is_at_its_best():
    gan, course = far_critic(WGAN, steps=20, rate=0.1, distance=300.0, clip=0.25)
    with tf.GradientTape() as tape:
        loss, _ = gan.generator_game(tf.zeros((4, 1)), gan.fakes(tf.zeros((4, 1))))
    slope = tape.gradient(loss, gan.generator.get_layer("theta").bias)
    np.testing.assert_allclose(slope, [0.25], rtol=1e-6)  # a logistic game's would be e^-75


def test_a_penalised_critic_reaches_the_slope_of_the_closed_form():
    # -s r + weight (s - 1)^2 is least at s = 1 + r / (2 weight)
    _, course = far_critic(WGANGP, steps=150, rate=0.02, penalty_weight=10.0)
    assert course[-1] == pytest.approx([3.0, -(1 + 3 / 20)], rel=1e-4)


def test_the_penalty_is_in_the_same_update_as_the_loss():
    # by hand: the loss's slope is mean(fake) - mean(real), the penalty's 2 weight (|psi| - 1)
    gan = small_points.dirac_gan(
        WGANGP, theta=3.0, psi=2.0, rate=0.01, penalty_weight=7.0, discriminator_steps=1
    )
    gan.train_step(tf.fill((4, 1), 0.5))
    expected = 2.0 - 0.01 * ((3.0 - 0.5) + 7.0 * 2 * (2.0 - 1.0))
    assert small_points.place(gan)[1] == pytest.approx(expected, rel=1e-5)
    assert int(gan.discriminator_optimizer.iterations) == 1


def test_the_losses_log_is_without_the_penalty_and_the_penalty_without_its_weight():
    gan = small_points.dirac_gan(WGANGP, psi=3.0, penalty_weight=7.0)
    loss, logs = gan.discriminator_game(tf.zeros((4, 1)), tf.ones((4, 1)))
    assert float(logs["gradient_penalty"]) == pytest.approx(4.0, rel=1e-5)
    assert float(logs["d_loss"]) == pytest.approx(3.0)
    assert float(loss) == pytest.approx(3.0 + 7 * 4.0, rel=1e-5)


def test_shares_are_drawn_from_0_to_1_for_each_image(monkeypatch):
    gan = made(WGANGP)
    drawn = []
    monkeypatch.setattr(
        penalties, "between", lambda judge, real, fake, shares: drawn.append(shares.numpy()) or 0.0
    )
    for _ in range(2):
        gan.discriminator_game(points(2000), points(2000))
    first, second = drawn
    assert first.shape == (2000,) and not np.array_equal(first, second)
    assert 0 <= first.min() < 0.01 and 0.99 < first.max() < 1
    np.testing.assert_allclose(np.quantile(first, [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.05)


def test_a_critic_with_batch_norm_is_refused_and_others_are_taken():
    with pytest.raises(ValueError, match=r'norm="none" and norm="layer".*Received: layer \'down2_'):
        small.gan(kind=WGANGP)
    assert small.gan(small.dense, kind=WGANGP).penalty_weight == 10.0

    def nested(norm):
        generator, critic = small_points.networks()
        shown = keras.Input((2,))
        inner = keras.Sequential([keras.Input((2,)), norm()])
        return generator, keras.Model(shown, critic(inner(shown)))

    with pytest.raises(ValueError, match="without batch normalization"):
        small.gan(lambda: nested(keras.layers.BatchNormalization), kind=WGANGP)
    small.gan(lambda: nested(keras.layers.LayerNormalization), kind=WGANGP)


@pytest.mark.parametrize(
    "kind, options, message",
    [
        (WGAN, {"clip": 0}, r"clip, a number > 0. Received: clip=0\."),
        (WGAN, {"clip": "1"}, r"Received: clip='1'"),
        (WGANGP, {"penalty_weight": -1.0}, r"number >= 0. Received: penalty_weight=-1.0"),
        (WGANGP, {"penalty_weight": float("nan")}, "Received: penalty_weight=nan"),
        (WGAN, {"discriminator_steps": 0}, "Received: discriminator_steps=0"),
    ],
)
def test_options_out_of_range_raise(kind, options, message):
    with pytest.raises(ValueError, match=message):
        made(kind, **options)
