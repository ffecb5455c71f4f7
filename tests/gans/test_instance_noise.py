"""Instance noise: how much, on what, and what it does to the optimal discriminator."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.gans.instance_noise import InstanceNoiseGAN
from tests.gans import points


def of_one_number(*, rate=0.0, **options):
    """A generator that gives -1 and a discriminator that gives its input back."""
    gan = InstanceNoiseGAN(points.single(-1.0, bias=True), points.single(1.0), **options)
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(rate))
    return gan


def test_the_discriminator_sees_images_plus_fresh_gaussian_noise():
    gan = of_one_number(latent_dim=1, stddev=0.7)
    seen = [np.array(gan.judge(tf.fill((20_000, 1), 3.0))) for _ in range(2)]
    for one in seen:
        assert one.mean() == pytest.approx(3, abs=0.02)
        assert one.std() == pytest.approx(0.7, rel=0.02)
        kurtosis = ((one - one.mean()) ** 4).mean() / one.var() ** 2
        assert kurtosis == pytest.approx(3, abs=0.15)  # 1.8 where it is uniform
    assert abs(np.corrcoef(seen[0].ravel(), seen[1].ravel())[0, 1]) < 0.03


def test_each_coordinate_and_both_players_get_noise_of_their_own():
    gan = points.gan(InstanceNoiseGAN, stddev=1.0)
    drawn, draw = [], gan.draw
    gan.draw = lambda *a, **options: drawn.append(np.array(draw(*a, **options))) or drawn[-1]
    real, fake = tf.zeros((4, 2)), tf.ones((4, 2))
    gan.discriminator_game(real, fake)
    gan.generator_game(real, fake)
    assert [one.shape for one in drawn] == [(4, 2)] * 3
    assert len(np.unique(np.concatenate(drawn))) == 24


def test_it_falls_linearly_to_zero_and_stays_there():
    gan = points.gan(InstanceNoiseGAN, stddev=0.8, steps=4)
    history = gan.fit(points.points(4), batch_size=4, epochs=6, verbose=0).history
    np.testing.assert_allclose(history["noise_stddev"], [0.8, 0.6, 0.4, 0.2, 0, 0], atol=1e-7)
    images = tf.constant(points.points(4))
    np.testing.assert_array_equal(gan.judge(images), gan.discriminator(images, training=True))


def slope_after(stddev, steps):
    gan = of_one_number(latent_dim=1, stddev=stddev, steps=10**9, rate=0.5)
    gan.fit(np.ones((1024, 1), "float32"), batch_size=1024, epochs=steps, verbose=0)
    return float(gan.discriminator.weights[0].numpy().squeeze())


def test_the_optimal_discriminator_stays_finite_where_the_kinds_do_not_overlap():
    # +1 against -1: log p(x) / q(x) of N(1, 1) and N(-1, 1) is 2x; without noise it is unbounded
    assert slope_after(1.0, 60) == pytest.approx(2, abs=0.2)
    assert slope_after(0.0, 60) > 3


@pytest.mark.parametrize("stddev", [-0.1, float("nan"), float("inf")])
def test_a_deviation_that_is_none_raises(stddev):
    with pytest.raises(ValueError, match="Expected stddev >= 0, and finite. Received"):
        points.gan(InstanceNoiseGAN, stddev=stddev)


def test_a_number_of_steps_that_is_none_raises():
    with pytest.raises(ValueError, match="Expected steps, a whole number >= 1"):
        points.gan(InstanceNoiseGAN, steps=0)
