"""Salimans & Kingma 2016: equation 2, and the gradients of equation 3."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from ganzoo.layers import WeightNormalization


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def wrapped_and_plain(make, x):
    """A wrapped layer and a plain one of the same weights."""
    plain, wrapped = make(), WeightNormalization(make())
    plain.build(x.shape), wrapped.build(x.shape)
    plain.set_weights(wrapped.layer.get_weights())
    return wrapped, plain


MAKERS = {
    "dense": (lambda: layers.Dense(5), (4, 7), (0,)),
    "conv": (lambda: layers.Conv2D(5, 3), (2, 6, 6, 3), (0, 1, 2)),
    "transposed": (lambda: layers.Conv2DTranspose(5, 3), (2, 6, 6, 3), (0, 1, 3)),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_the_layer_starts_as_the_plain_one_and_g_is_the_length_of_each_outputs_weights(kind):
    make, shape, others = MAKERS[kind]
    x = numbers(*shape)
    wrapped, plain = wrapped_and_plain(make, x)
    np.testing.assert_allclose(wrapped(x), plain(x), rtol=1e-4, atol=1e-6)
    lengths = np.sqrt(np.square(plain.kernel.numpy()).sum(others))
    np.testing.assert_allclose(wrapped.g, lengths, rtol=1e-5)
    # then v's length says nothing and g's scales its own output alone
    gains = 1 + np.arange(5, dtype="float32")
    wrapped.g.assign(wrapped.g * gains)
    wrapped.kernel.assign(wrapped.kernel * 3)
    np.testing.assert_allclose(wrapped(x), plain(x) * gains, rtol=1e-4, atol=1e-5)


def test_gradients_are_those_of_equation_3():
    x, weights = numbers(4, 7), numbers(4, 5, seed=1)
    wrapped, _ = wrapped_and_plain(MAKERS["dense"][0], x)
    wrapped.g.assign(numbers(5, seed=2))
    v, g = wrapped.kernel.numpy(), wrapped.g.numpy()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(weights * wrapped(x, training=True))
    by_g, by_v = tape.gradient(loss, [wrapped.g.value, wrapped.kernel.value])
    by_w, length = x.T @ weights, np.linalg.norm(v, axis=0)
    expected = np.sum(by_w * v, 0) / length
    np.testing.assert_allclose(by_g, expected, rtol=1e-4, atol=1e-5)
    along = g * expected / length**2 * v
    np.testing.assert_allclose(by_v, g / length * by_w - along, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(wrapped.kernel, v)
    trained = {variable.path for variable in wrapped.trainable_variables}
    assert {wrapped.g.path, wrapped.kernel.path} <= trained


def test_a_kernel_of_zeros_gives_finite_outputs_and_gradients():
    wrapped = WeightNormalization(layers.Dense(3, kernel_initializer="zeros"))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(wrapped(numbers(4, 2)))
    gradients = tape.gradient(loss, [v.value for v in wrapped.trainable_variables])
    assert float(loss) == 0 and all(np.isfinite(one).all() for one in gradients)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_the_length_is_computed_in_float32_under_half_precision(policy):
    wrapped = WeightNormalization(layers.Dense(3, dtype=policy))
    x = numbers(4, 50)
    wrapped.build(x.shape)
    wrapped.kernel.assign(numbers(50, 3) * 1e-6)
    given = wrapped(x)
    assert keras.backend.standardize_dtype(given.dtype) == policy.removeprefix("mixed_")
    w = wrapped.kernel.numpy()
    exact = x @ (w / np.linalg.norm(w, axis=0) * wrapped.g.numpy())
    assert np.abs(tf.cast(given, "float32") - exact).max() < 0.02 * np.abs(exact).max() + 1e-7
