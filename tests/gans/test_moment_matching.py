"""GMMN: a generator without an opponent."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.gans import GMMN
from tests import small
from tests.losses import by_hand


def points(seed=0, *, features=False):
    """An affine generator of points, and a network that gives them, or features of them."""
    latents = keras.Input((2,))
    normal = keras.initializers.RandomNormal(stddev=0.3, seed=seed)
    x = keras.layers.Dense(2, kernel_initializer=normal)(latents)
    shown = keras.Input((2,))
    y = keras.layers.Flatten()(shown)
    if features:
        y = keras.layers.Dense(16, activation="tanh")(y)
        y = keras.layers.BatchNormalization()(y)
    return keras.Model(latents, x), keras.Model(shown, y)


def gaussian(count, seed=0):
    normal = np.random.default_rng(seed).standard_normal((count, 2))
    return (normal * [0.2, 0.6] + [1.5, -0.5]).astype("float32")


def test_a_step_minimises_the_mmd_between_the_images_and_moves_the_generator_alone():
    gan = small.gan(points, kind=GMMN, bandwidths=[0.5, 2.0], eager=True, seed=4)
    gan.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    real = gaussian(12)
    latents = small.gan(points, kind=GMMN, seed=4).sample_latents(12)
    fake = gan.generator(latents).numpy()
    before = small.values(gan.generator)
    logs = gan.train_step(tf.constant(real))
    assert set(logs) == {"g_loss"} and gan.steps_done == 1
    expected = by_hand.mmd(real, fake, [0.5, 2.0])
    np.testing.assert_allclose(float(logs["g_loss"]), expected, rtol=1e-5)
    assert all(small.moved(before, gan.generator))
    after = by_hand.mmd(real, gan.generator(latents).numpy(), [0.5, 2.0])
    assert after < expected


def test_the_feature_network_is_never_moved_and_runs_in_inference_mode():
    gan = small.gan(lambda: points(features=True), kind=GMMN, bandwidths=[1.0], eager=True)
    before = small.values(gan.discriminator)
    gan.fit(gaussian(32), batch_size=8, verbose=0)
    assert len(before) == 6 and not any(small.moved(before, gan.discriminator))
    shown = gaussian(5)
    np.testing.assert_array_equal(gan.judge(shown), gan.discriminator(shown, training=False))


@pytest.mark.parametrize("features", [False, True])
def test_gmmn_learns_the_mean_and_the_spread_of_points(features):
    gan = small.gan(
        lambda: points(features=features), kind=GMMN, bandwidths=[0.2, 1.0, 4.0], ema_decay=0.9
    )
    gan.compile(learning_rate=0.02)
    gan.fit(gaussian(2048), batch_size=128, epochs=25, verbose=0)
    made = gan.generate(2000, seed=0)
    np.testing.assert_allclose(made.mean(0), [1.5, -0.5], atol=0.15)
    np.testing.assert_allclose(made.std(0), [0.2, 0.6], atol=0.12)


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_gives_a_finite_float32_loss(precision):
    gan = small.gan(lambda: points(features=True), kind=GMMN, precision=precision, eager=True)
    before = small.values(gan.generator)
    logs = gan.train_step(tf.constant(gaussian(8)))
    assert logs["g_loss"].dtype == tf.float32 and np.isfinite(logs["g_loss"])
    assert all(small.moved(before, gan.generator))


def test_several_discriminator_steps_are_refused():
    with pytest.raises(ValueError, match="Expected discriminator_steps=1.*Received.*=2"):
        small.gan(points, kind=GMMN, discriminator_steps=2)


@pytest.mark.parametrize("bandwidths", [[], [1.0, 0.0], [-1.0]])
def test_bandwidths_that_are_none_or_not_positive_are_refused(bandwidths):
    with pytest.raises(ValueError, match="Expected bandwidths > 0, at least one. Received"):
        small.gan(points, kind=GMMN, bandwidths=bandwidths)
