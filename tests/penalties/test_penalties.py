"""Gradient penalties against their closed forms."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import penalties

DTYPES = ("float32", "float16", "bfloat16")
W = np.array([3.0, -4.0], "float32")  # of length 5
RNG = np.random.default_rng(0)
REAL, FAKE = RNG.normal(1, 1, (2, 6, 2)).astype("float32")


def linear(x):
    return tf.reshape(x, (-1, 2)) @ W[:, None] + 0.5


def quadratic(x):
    """||x||^2 / 2, whose gradient is x."""
    return tf.reduce_sum(x * x, axis=tuple(range(1, len(x.shape))))[:, None] / 2


def flat(x):
    return 0.0 * quadratic(x)


def lengths(x):
    return np.sqrt((x.reshape(len(x), -1).astype("float64") ** 2).sum(1))


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def each():
    """Every penalty as a function of `judge`."""
    shares = tf.constant(RNG.uniform(size=6), tf.float32)
    noise = tf.constant(0.1 * FAKE)
    return {
        "squared_norm": lambda judge: penalties.squared_norm(judge, REAL),
        "between": lambda judge: penalties.between(judge, REAL, FAKE, shares),
        "around": lambda judge: penalties.around(judge, tf.constant(REAL), noise),
        "jensen_shannon": lambda judge: penalties.jensen_shannon(judge, REAL, FAKE),
    }


def test_input_gradients_are_those_of_each_image_by_itself():
    logits, gradients = penalties.input_gradients(quadratic, REAL)
    np.testing.assert_allclose(gradients, REAL, rtol=1e-6)
    np.testing.assert_allclose(logits[:, 0], (REAL**2).sum(1) / 2, rtol=1e-6)


def test_squared_norm_of_a_linear_and_of_a_quadratic_discriminator():
    assert float(penalties.squared_norm(linear, REAL)) == pytest.approx(25, rel=1e-6)
    found = float(penalties.squared_norm(quadratic, REAL))
    assert found == pytest.approx((lengths(REAL) ** 2).mean(), rel=1e-6)


def test_between_takes_each_image_at_its_own_share_of_the_real_one():
    shares = np.array([0, 1, 0.25, 0.5, 0.75, 0.1], "float32")
    points = shares[:, None] * REAL + (1 - shares[:, None]) * FAKE
    expected = ((lengths(points) - 1) ** 2).mean()
    found = float(penalties.between(quadratic, REAL, FAKE, shares))
    assert found == pytest.approx(expected, rel=1e-5)
    # what the usual mistakes would give
    swapped = ((lengths(shares[:, None] * FAKE + (1 - shares[:, None]) * REAL) - 1) ** 2).mean()
    shared = ((lengths(shares[2] * REAL + (1 - shares[2]) * FAKE) - 1) ** 2).mean()
    assert min(abs(found - swapped), abs(found - shared)) > 0.01


def test_the_norm_is_over_all_pixels_and_channels_of_an_image():
    real, fake = RNG.normal(0, 0.3, (2, 5, 4, 4, 3)).astype("float32")
    shares = np.linspace(0, 1, 5).astype("float32")
    s = shares[:, None, None, None]
    expected = ((lengths(s * real + (1 - s) * fake) - 1) ** 2).mean()
    found = penalties.between(quadratic, real, fake, shares)
    assert float(found) == pytest.approx(expected, rel=1e-5)
    squared = float(penalties.squared_norm(quadratic, real))
    assert squared == pytest.approx((lengths(real) ** 2).mean(), rel=1e-5)


def test_between_costs_long_and_short_gradients_alike():
    shares = np.full(6, 0.5, "float32")
    for factor, expected in ((1.0, 16.0), (0.2, 0.0), (0.1, 0.25)):  # lengths 5, 1, 1/2
        found = penalties.between(lambda x, f=factor: f * linear(x), REAL, FAKE, shares)
        assert float(found) == pytest.approx(expected, abs=1e-5)


def test_around_is_at_the_perturbed_real_images_and_has_a_target():
    noise = RNG.normal(0, 1, REAL.shape).astype("float32")
    for target in (1.0, 0.0, 2.5):
        expected = ((lengths(REAL + noise) - target) ** 2).mean()
        found = penalties.around(quadratic, tf.constant(REAL), tf.constant(noise), target=target)
        assert float(found) == pytest.approx(expected, rel=1e-5)


def test_jensen_shannon_weighs_squared_norms_by_how_wrong_the_discriminator_is():
    real, fake = ((x**2).sum(1) / 2 for x in (REAL.astype("float64"), FAKE.astype("float64")))
    expected = ((1 - sigmoid(real)) ** 2 * 2 * real).mean() + (sigmoid(fake) ** 2 * 2 * fake).mean()
    found = float(penalties.jensen_shannon(quadratic, REAL, FAKE))
    assert found == pytest.approx(expected, rel=1e-5)


def test_jensen_shannon_is_what_noise_on_the_inputs_does_to_the_optimal_discriminator():
    # real N(1, 1), generated N(-1, 1): the optimal logits are 2x
    from scipy import stats

    quantiles = stats.norm.ppf((np.arange(20000) + 0.5) / 20000)
    real, fake = quantiles + 1, quantiles - 1
    variance = 1e-3
    nodes, weights = np.polynomial.hermite_e.hermegauss(9)
    weights = weights / weights.sum()

    def loss(shift):
        parts = np.logaddexp(0, -2 * (real + shift)).mean(), np.logaddexp(0, 2 * (fake + shift))
        return parts[0] + parts[1].mean()

    noisy = sum(w * loss(np.sqrt(variance) * n) for n, w in zip(nodes, weights, strict=True))
    columns = [x.astype("float32")[:, None] for x in (real, fake)]
    found = float(penalties.jensen_shannon(lambda x: 2 * x, *columns))
    assert found > 0.3
    assert (noisy - loss(0.0)) / (variance / 2) == pytest.approx(found, rel=0.01)


def weight_gradient(penalty, w):
    """The gradient of `penalty` of the discriminator tanh(x . w) with respect to w."""
    w = tf.Variable(w[:, None])
    with tf.GradientTape() as tape:
        value = penalty(lambda x: tf.tanh(tf.cast(x, w.dtype) @ w))
    return float(value), tape.gradient(value, w).numpy()[:, 0]


@pytest.mark.parametrize("name", sorted(each()))
def test_gradients_with_respect_to_weights_agree_with_finite_differences(name):
    penalty, w = each()[name], np.array([0.4, -0.7], "float32")
    _, found = weight_gradient(penalty, w)
    for axis in range(2):
        step = np.eye(2, dtype="float32")[axis] * 1e-2
        up, down = (weight_gradient(penalty, w + sign * step)[0] for sign in (1, -1))
        assert found[axis] == pytest.approx((up - down) / 2e-2, rel=0.01, abs=1e-3)
    assert np.abs(found).max() > 0.05


@pytest.mark.parametrize("name", sorted(each()))
def test_a_gradient_of_zero_has_a_finite_penalty_with_finite_slopes(name):
    assert np.isfinite(float(each()[name](flat)))
    value, slopes = weight_gradient(each()[name], np.zeros(2, "float32"))
    assert np.isfinite(value) and np.isfinite(slopes).all()
    expected = 1.0 if name in ("between", "around") else 0.0
    assert value == pytest.approx(expected, abs=1e-5)


def test_a_discriminator_that_ignores_its_input_is_no_error():
    assert float(penalties.squared_norm(lambda x: tf.ones((6, 1)), REAL)) == 0.0


@pytest.mark.parametrize("dtype", DTYPES)
def test_penalties_are_float32_whatever_comes_in(dtype):
    def half(x):  # as a discriminator in half precision does
        assert x.dtype == tf.float32
        return tf.cast(quadratic(tf.cast(x, dtype)), dtype)

    real, fake = (tf.cast(x, dtype) for x in (REAL, FAKE))
    shares = tf.constant(np.linspace(0, 1, 6), tf.float32)
    found = [
        penalties.squared_norm(half, real),
        penalties.between(half, real, fake, shares),
        penalties.around(half, real, 0.1 * fake),
        penalties.jensen_shannon(half, real, fake),
    ]
    expected = [
        penalties.squared_norm(quadratic, REAL),
        penalties.between(quadratic, REAL, FAKE, shares),
        penalties.around(quadratic, tf.constant(REAL), tf.constant(0.1 * FAKE)),
        penalties.jensen_shannon(quadratic, REAL, FAKE),
    ]
    assert [keras.backend.standardize_dtype(one.dtype) for one in found] == ["float32"] * 4
    np.testing.assert_allclose(found, expected, rtol=0.05)


def test_norms_beyond_float16s_range_are_computed_in_float32():
    # 300^2 x 2 is more than float16 can hold, 65504
    images = tf.fill((4, 2), tf.constant(300.0, tf.float16))
    found = penalties.squared_norm(lambda x: tf.cast(quadratic(x), tf.float32), images)
    assert float(found) == pytest.approx(180000, rel=1e-3)


def test_wrong_shapes_raise():
    with pytest.raises(ValueError, match=r"one share an image.*Received: shares \(6, 2\)"):
        penalties.between(linear, REAL, FAKE, tf.ones((6, 2)))
    for count in (1, 5):  # one share would be everybody's
        with pytest.raises(ValueError, match=rf"one share an image, \(6,\).*shares \({count},\)"):
            penalties.between(linear, REAL, FAKE, tf.ones(count))
    with pytest.raises(ValueError, match=r"images' shape \(6, 2\).*Received: \(6, 1\)"):
        penalties.around(linear, tf.constant(REAL), tf.ones((6, 1)))
