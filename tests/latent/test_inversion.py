"""Inversion of a linear generator against least squares."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import latent
from ganzoo.latent import descent
from tests import small
from tests.latent import toys

QUIET = {"progress": False}


# -- descent ---------------------------------------------------------------------------------


def test_descent_takes_the_steps_of_keras_adam_and_each_row_on_its_own():
    start = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    goal = np.random.default_rng(1).standard_normal((5, 3)).astype(np.float32)
    value = keras.Variable(start)
    optimizer = keras.optimizers.Adam(epsilon=1e-8)
    optimizer.build([value])
    for number in range(6):
        optimizer.learning_rate = 0.2 * 0.5 * (1 + np.cos(np.pi * number / 6))
        optimizer.apply([2 * (value.numpy() - goal)], [value])

    def loss(latents, others, wanted):
        return tf.reduce_sum((latents - wanted) ** 2, axis=1)

    for size in (5, 2):  # 2 does not divide 5
        found, losses = descent.descend(
            loss, start, [], [goal], steps=6, learning_rate=0.2, batch_size=size, **QUIET
        )
        np.testing.assert_allclose(found, value.numpy(), atol=1e-5)
        np.testing.assert_allclose(losses, ((found - goal) ** 2).sum(1), rtol=1e-5)


def test_descent_keeps_what_was_best_on_the_way():
    start = np.array([[1.0], [0.001]], np.float32)

    def loss(latents, others):
        return tf.abs(latents[:, 0])

    found, losses = descent.descend(loss, start, [], [], steps=3, learning_rate=2.0, **QUIET)
    # steps of 2, then less: both rows fly over 0
    assert losses[1] == np.float32(0.001) and found[1] == start[1]
    assert losses[0] <= 1
    np.testing.assert_array_equal(losses, np.abs(found[:, 0]))


# -- inversion -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gan():
    return toys.linear(eager=True)


@pytest.mark.parametrize("prior_weight", [0.0, 0.3])
def test_inversion_of_a_linear_generator_is_ridge_regression(gan, prior_weight):
    images, (A, b) = toys.noise(4), toys.matrix(gan)
    found = latent.invert(
        gan, images, steps=200, restarts=1, prior_weight=prior_weight, learning_rate=0.2, **QUIET
    )
    # mean over pixels of (A z + b - y)^2 + weight * mean of z^2
    y = toys.floats(images).reshape(4, -1) - b
    ridge = prior_weight * len(A) / toys.LATENT_DIM * np.eye(toys.LATENT_DIM)
    expected = np.linalg.solve(A.T @ A + ridge, A.T @ y.T).T
    np.testing.assert_allclose(found.latents, expected, atol=5e-3)
    np.testing.assert_array_equal(found.images, gan.generate(latents=found.latents))
    np.testing.assert_array_equal(found.psnr, latent.psnr(images, found.images))


def test_inversion_finds_generated_images_again(gan):
    latents = np.random.default_rng(0).normal(size=(3, toys.LATENT_DIM)).astype(np.float32)
    images = gan.generate(latents=latents)
    found = latent.invert(gan, images, steps=400, restarts=1, **QUIET)
    assert found.psnr.min() > 50  # but for rounding to grey levels
    np.testing.assert_allclose(found.latents, latents, atol=0.05)


def test_the_best_of_several_starts_counts(gan):
    images = toys.noise(3)
    found = latent.invert(gan, images, steps=0, restarts=8, seed=5, **QUIET)
    starts = gan.generator_inputs(24, seed=5, latents=None, truncation=None).reshape(3, 8, -1)
    A, b = toys.matrix(gan)
    wanted = toys.floats(images).reshape(3, 1, -1)
    errors = ((starts @ A.T + b - wanted) ** 2).mean(axis=2)
    expected = [starts[i, errors[i].argmin()] for i in range(3)]
    np.testing.assert_array_equal(found.latents, expected)


def test_inversion_and_tuning_leave_the_gan_alone_and_tuning_comes_nearer():
    gan = small.gan(small.dense, eager=True, options={"size": 8})
    before, images = small.values(gan), small.images(3, size=8)
    trainable = [len(one.trainable_variables) for one in gan.networks.values()]
    found = latent.invert(
        gan, images, steps=20, restarts=1, tune_steps=40, tune_learning_rate=0.01, **QUIET
    )
    assert not any(small.moved(before, gan))
    assert [len(one.trainable_variables) for one in gan.networks.values()] == trainable
    np.testing.assert_array_equal(found.images, gan.generate(latents=found.latents))
    np.testing.assert_array_equal(found.tuned_psnr, latent.psnr(images, found.tuned))
    assert (found.tuned_psnr > found.psnr + 3).all()
    drawn = np.array(found.generator(found.latents))
    np.testing.assert_allclose(drawn, toys.floats(found.tuned), atol=1 / 127)
    assert found.picture(scale=1).shape == (3 * 10 + 2, 3 * 10 + 2, 1)


def test_the_average_of_the_weights_is_inverted_or_the_generator_itself():
    gan = toys.linear(eager=True)
    for value in gan.generator.weights:
        value.assign(value[..., ::-1])
    images = gan.generate(2, seed=0, ema=False)
    options = {"steps": 300, "restarts": 1, **QUIET}
    own = latent.invert(gan, images, ema=False, **options)
    np.testing.assert_array_equal(own.images, gan.generate(latents=own.latents, ema=False))
    average = latent.invert(gan, images, **options)
    assert own.psnr.min() > 50 > average.psnr.max()


def test_starts_try_the_classes_in_turn_and_the_right_one_is_found():
    gan = toys.conditional()
    images = gan.generate(5, seed=1, labels=[2, 0, 1, 1, 2])
    found = latent.invert(gan, images, steps=150, restarts=3, **QUIET)
    assert found.labels.tolist() == [2, 0, 1, 1, 2] and found.psnr.min() > 30
    asked = latent.invert(gan, images[:2], steps=2, restarts=3, labels=["top", "left"], **QUIET)
    assert asked.labels.tolist() == [0, 1]
    remade = gan.generate(latents=asked.latents, labels=asked.labels)
    np.testing.assert_array_equal(asked.images, remade)


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_finds_images_too(precision):
    gan = toys.linear(eager=True, precision=precision)
    images = gan.generate(2, seed=3)
    found = latent.invert(gan, images, steps=150, restarts=1, tune_steps=2, **QUIET)
    assert found.psnr.min() > 35 and np.isfinite(found.latents).all()


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (np.zeros((2, 5, 5, 1), np.uint8), {}, r"shape \(N, 4, 4, 1\).* \(2, 5, 5, 1\)"),
        (toys.noise(1), {"restarts": 0}, "restarts, 1 or more"),
        (toys.noise(1), {"steps": -1}, "steps, 0 or more"),
        (toys.noise(1), {"tune_steps": 0.5}, "tune_steps, 0 or more"),
    ],
)
def test_what_can_not_be_inverted_is_refused(gan, images, options, message):
    with pytest.raises(ValueError, match=message):
        latent.invert(gan, images, **options)


def test_points_have_no_inversion():
    with pytest.raises(ValueError, match=r"GAN of images. Received: one of points \(2,\)"):
        latent.invert(small.gan(small.planar), small.points(3))


def test_a_copy_is_not_tuned_on_replicas(gan):
    scope = tf.distribute.MirroredStrategy(["CPU:0"]).scope()
    with scope, pytest.raises(ValueError, match="outside of a strategy's scope"):
        latent.invert(gan, toys.noise(1), tune_steps=1, **QUIET)
