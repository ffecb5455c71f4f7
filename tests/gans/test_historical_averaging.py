"""Historical averaging against running means in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.gans import MinimaxGAN
from ganzoo.gans.historical_averaging import HistoricalAveragingGAN
from ganzoo.gans.non_saturating import NonSaturatingGAN
from tests import small
from tests.gans import points

PLAYERS = ("generator", "discriminator")


def sgd():
    return keras.optimizers.SGD(0.3)


def after_steps(count=4, **options):
    """A GAN after some steps, and each player's weights at the beginning of each step."""
    gan = points.gan(HistoricalAveragingGAN, eager=True, optimizer=sgd, **options)
    past = {player: [] for player in PLAYERS}
    for step in range(count):
        for player in PLAYERS:
            past[player].append(small.values(gan.player_variables(player)))
        gan.train_step(tf.constant(points.points(8, seed=step)))
    return gan, past


def test_the_distance_is_to_the_mean_over_the_steps_so_far():
    gan, past = after_steps(weight=0.1)
    for player in PLAYERS:
        variables = gan.player_variables(player)
        means = [np.mean(values, axis=0) for values in zip(*past[player], strict=True)]
        pairs = list(zip(small.values(variables), means, strict=True))
        expected = sum(((value - mean) ** 2).sum() for value, mean in pairs)
        with tf.GradientTape() as tape:
            distance = gan.distance(player)
        assert expected > 1e-4
        assert float(distance) == pytest.approx(expected, rel=1e-4)
        # the mean is a constant
        for slope, (value, mean) in zip(tape.gradient(distance, variables), pairs, strict=True):
            np.testing.assert_allclose(slope, 2 * (value - mean), atol=1e-5)


def test_it_enters_both_losses_with_its_weight():
    gan, _ = after_steps(weight=2.5)
    batches = tf.constant(points.points(8)), tf.constant(points.points(8, seed=9))
    for player in PLAYERS:
        loss, logs = getattr(gan, f"{player}_game")(*batches)
        plain, _ = getattr(super(HistoricalAveragingGAN, gan), f"{player}_game")(*batches)
        distance = float(gan.distance(player))
        assert float(logs[f"{player[0]}_distance"]) == pytest.approx(distance)
        assert float(loss) - float(plain) == pytest.approx(2.5 * distance, rel=1e-3)


def test_the_first_step_has_no_past_and_is_that_of_the_plain_game():
    ends = []
    for kind in (HistoricalAveragingGAN, NonSaturatingGAN):
        gan = points.gan(kind, eager=True, optimizer=sgd)
        for variable in gan.generator.weights:  # as loaded weights would be
            variable.assign(variable + 0.5)
        gan.fit(points.points(8), batch_size=8, verbose=0)
        ends.append(small.values(gan.trainable_variables))
    for a, b in zip(*ends, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


class Minimax(MinimaxGAN, HistoricalAveragingGAN):
    """The game of the one and the penalty of the other."""


def test_the_past_ends_the_rotation_about_the_equilibrium():
    plain = points.dirac_distances(Minimax, weight=0.0)
    averaging = points.dirac_distances(Minimax, weight=0.1)
    assert min(plain) > 1.2 and averaging[-1] < 0.25


def test_frozen_layers_may_be_unfrozen_later():
    gan = small.gan(kind=HistoricalAveragingGAN, eager=True)
    gan.freeze_discriminator(layers=2)
    gan.fit(small.images(8), batch_size=4, verbose=0)
    gan.freeze_discriminator(layers=0)
    before = small.values(gan.discriminator)
    gan.fit(small.images(8), batch_size=4, verbose=0)
    assert all(small.moved(before, gan.discriminator))


def test_frozen_layers_and_the_past_are_saved_and_loaded(tmp_path):
    gan = small.gan(kind=HistoricalAveragingGAN, eager=True)
    gan.freeze_discriminator(layers=2)
    gan.fit(small.images(8), batch_size=4, verbose=0)
    gan.save(tmp_path / "frozen.keras")
    again = keras.models.load_model(tmp_path / "frozen.keras")
    for one in (gan, again):
        one.fit(small.images(8), batch_size=4, verbose=0)
    for a, b in zip(small.everything(gan), small.everything(again), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("weight", [-1.0, float("nan")])
def test_a_weight_that_is_none_raises(weight):
    with pytest.raises(ValueError, match="Expected weight >= 0, and finite. Received"):
        points.gan(HistoricalAveragingGAN, weight=weight)
