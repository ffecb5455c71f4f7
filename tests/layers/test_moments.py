"""Mean and variance against NumPy, second derivatives of the variance against a closed form."""

import numpy as np
import pytest
import tensorflow as tf

from ganzoo.layers.moments import moments


@pytest.mark.parametrize("axes", [[0], [0, 1], [1, 2]])
def test_they_are_those_of_numpy(axes):
    x = np.random.default_rng(0).normal(2.0, 3.0, (4, 3, 5)).astype("float32")
    mean, variance = moments(tf.constant(x), axes)
    np.testing.assert_allclose(mean, x.mean(tuple(axes), keepdims=True), rtol=1e-5)
    np.testing.assert_allclose(variance, x.var(tuple(axes), keepdims=True), rtol=1e-5)


def test_second_derivatives_of_the_variance_are_exact():
    count = 4
    x = tf.constant([0.5, -1.0, 2.0, 0.1])
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            variance = moments(x, [0])[1]
        gradient = inner.gradient(variance, x)
    # of x_i and x_j: 2 / n - 2 / n^2 where i = j, and -2 / n^2 elsewhere
    expected = 2 / count * np.eye(count) - 2 / count**2
    np.testing.assert_allclose(outer.jacobian(gradient, x), expected, atol=1e-6)
