import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from ganzoo import losses

LOGITS = np.array([-30.0, -3.0, -0.7, 0.0, 0.2, 1.0, 5.0, 30.0])
REAL, FAKE = LOGITS[::2], LOGITS[1::2] + 0.5


def log_sigmoid(a):
    # float64 and the branch that does not overflow: independent of softplus
    a = np.asarray(a, "float64")
    return np.where(a > 0, -np.log1p(np.exp(-np.abs(a))), a - np.log1p(np.exp(-np.abs(a))))


def discriminator_by_hand(real, fake):
    return -log_sigmoid(real).mean() - log_sigmoid(-np.asarray(fake)).mean()


def generator_by_hand(fake):
    return -log_sigmoid(fake).mean()


def test_discriminator_loss_is_binary_cross_entropy_in_the_sum_form():
    loss = losses.non_saturating_discriminator(REAL.astype("float32"), FAKE.astype("float32"))
    np.testing.assert_allclose(float(loss), discriminator_by_hand(REAL, FAKE), rtol=1e-6)


@pytest.mark.parametrize("logit", LOGITS)
def test_losses_at_one_logit_have_their_closed_forms(logit):
    fake = np.full((3, 1), logit, "float32")
    real = np.full((3, 1), 2.0, "float32")
    np.testing.assert_allclose(
        float(losses.non_saturating_generator(fake)), generator_by_hand(logit), rtol=2e-6
    )
    np.testing.assert_allclose(
        float(losses.non_saturating_discriminator(real, fake)),
        discriminator_by_hand(2.0, logit),
        rtol=2e-6,
    )


def test_discriminator_that_knows_nothing_loses_2_log_2_and_generator_log_2():
    zeros = np.zeros((7, 1), "float32")
    loss = losses.non_saturating_discriminator(zeros, zeros)
    np.testing.assert_allclose(float(loss), 2 * np.log(2), rtol=1e-7)
    np.testing.assert_allclose(float(losses.non_saturating_generator(zeros)), np.log(2), rtol=1e-7)


def test_real_and_fake_are_not_mixed_up():
    good = losses.non_saturating_discriminator(np.full(3, 9.0, "f"), np.full(3, -9.0, "f"))
    bad = losses.non_saturating_discriminator(np.full(3, -9.0, "f"), np.full(3, 9.0, "f"))
    assert float(good) < 0.001 and float(bad) > 17.9


def test_batches_of_different_sizes_are_averaged_each_on_its_own():
    loss = losses.non_saturating_discriminator(np.zeros(2, "f"), np.zeros(6, "f"))
    np.testing.assert_allclose(float(loss), 2 * np.log(2), rtol=1e-7)


def slopes(function, *arguments):
    tensors = [tf.constant(a, tf.float32) for a in arguments]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        loss = function(*tensors)
    return [slope.numpy() for slope in tape.gradient(loss, tensors)]


def differences(function, *arguments, step=1e-4):
    """Central differences of a float64 function."""
    result = []
    for position, argument in enumerate(arguments):
        slope = np.zeros(argument.shape)
        for i in range(argument.size):
            ends = []
            for sign in (1, -1):
                moved = [a.astype("float64").copy() for a in arguments]
                moved[position][i] += sign * step
                ends.append(function(*moved))
            slope[i] = (ends[0] - ends[1]) / (2 * step)
        result.append(slope)
    return result


def test_gradients_equal_finite_differences_of_the_closed_forms():
    pairs = [
        (losses.non_saturating_discriminator, discriminator_by_hand, (REAL, FAKE)),
        (losses.non_saturating_generator, generator_by_hand, (LOGITS,)),
    ]
    for function, by_hand, arguments in pairs:
        for slope, expected in zip(
            slopes(function, *arguments), differences(by_hand, *arguments), strict=True
        ):
            np.testing.assert_allclose(slope, expected, atol=1e-7)


def test_generators_gradient_does_not_vanish_where_the_discriminator_is_sure():
    (slope,) = slopes(losses.non_saturating_generator, np.array([-20.0, -20.0]))
    np.testing.assert_allclose(slope, [-0.5, -0.5], atol=1e-6)  # -(1 - D) / 2 each


@pytest.mark.parametrize("logit", [-100.0, 100.0])
def test_losses_and_gradients_are_finite_and_right_at_a_hundred(logit):
    far = np.array([logit])
    d_loss = losses.non_saturating_discriminator(far.astype("f"), far.astype("f"))
    np.testing.assert_allclose(float(d_loss), 100.0, rtol=1e-6)
    g_loss = losses.non_saturating_generator(far.astype("f"))
    np.testing.assert_allclose(float(g_loss), 100.0 if logit < 0 else 0.0, atol=1e-6)
    (g_slope,) = slopes(losses.non_saturating_generator, far)
    np.testing.assert_allclose(g_slope, [-1.0 if logit < 0 else 0.0], atol=1e-6)
    for slope in slopes(losses.non_saturating_discriminator, far, far):
        assert np.isfinite(slope).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_losses_are_computed_in_float32_whatever_the_logits_are(dtype):
    logits = ops.cast(np.array([[-12.0], [0.5], [3.0]]), dtype)  # exact in each dtype
    for loss, expected in (
        (losses.non_saturating_discriminator(logits, logits), discriminator_by_hand),
        (losses.non_saturating_generator(logits), lambda real, fake: generator_by_hand(fake)),
    ):
        assert loss.dtype == "float32" and loss.shape == ()
        plain = np.array([-12.0, 0.5, 3.0])
        np.testing.assert_allclose(float(loss), expected(plain, plain), rtol=1e-6)


def test_the_mean_of_large_float16_logits_does_not_overflow():
    logits = ops.cast(np.full((4000, 1), 60.0), "float16")  # their sum is above 65,504
    np.testing.assert_allclose(float(losses.non_saturating_generator(-logits)), 60.0, rtol=1e-6)
