"""Minibatch discrimination (Salimans 2016) and standard deviation (Karras 2018) against NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.layers import MinibatchDiscrimination, MinibatchStddev


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def closeness(x, kernel, kernels, dim):
    """Loops over the sums of section 3.2, without j = i."""
    given = np.zeros((len(x), kernels))
    rows = (x.astype("float64") @ kernel).reshape(len(x), kernels, dim)
    for i in range(len(x)):
        for j in range(len(x)):
            for b in range(kernels):
                if i != j:
                    given[i, b] += np.exp(-np.sum(np.abs(rows[i, b] - rows[j, b])))
    return given


def test_discrimination_appends_the_sums_over_the_other_examples():
    layer, x = MinibatchDiscrimination(3, dim=2), numbers(5, 4)
    given = layer(x).numpy()
    expected = closeness(x, layer.kernel.numpy(), 3, 2)
    np.testing.assert_array_equal(given[:, :4], x)
    np.testing.assert_allclose(given[:, 4:], expected, rtol=1e-4)
    assert layer.compute_output_shape((None, 4)) == (None, 7)
    assert layer.kernel.shape == (4, 6) and expected.std() > 0.05


def test_discrimination_leaves_out_the_example_itself():
    layer = MinibatchDiscrimination(3)
    np.testing.assert_array_equal(layer(numbers(1, 4))[:, 4:], np.zeros((1, 3)))
    same = np.tile(numbers(1, 4), (6, 1))
    np.testing.assert_allclose(layer(same)[:, 4:], np.full((6, 3), 5.0), rtol=1e-6)


def test_discriminations_gradient_is_that_of_finite_differences():
    layer, x = MinibatchDiscrimination(3, dim=2), numbers(4, 3)
    layer.build(x.shape)
    step, weights = numbers(3, 6, seed=1), numbers(4, 3, seed=2)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(weights * layer(x)[:, 3:])
    slope = np.sum(tape.gradient(loss, layer.kernel.value) * step)
    kernel, h = layer.kernel.numpy().astype("float64"), 1e-6
    ends = [np.sum(weights * closeness(x, kernel + s * h * step, 3, 2)) for s in (1, -1)]
    np.testing.assert_allclose(slope, (ends[0] - ends[1]) / (2 * h), rtol=1e-3)


def test_discrimination_asks_for_flat_features():
    with pytest.raises(ValueError, match=r"flatten them. Received: \(2, 4, 4, 3\)"):
        MinibatchDiscrimination()(numbers(2, 4, 4, 3))


@pytest.mark.parametrize("shape", [(5,), (3, 2, 4)])
@pytest.mark.parametrize("batch, group", [(8, 4), (4, 4), (6, 3), (9, 3), (2, 2), (10, 2)])
def test_stddev_appends_the_mean_deviation_of_each_group(shape, batch, group):
    x = numbers(batch, *shape) * (1 + numbers(batch, *[1] * len(shape), seed=1))
    given = MinibatchStddev()(x).numpy()
    np.testing.assert_array_equal(given[..., :-1], x)
    groups = batch // group
    for first in range(groups):
        deviation = np.sqrt(x[first::groups].var(0) + 1e-8).mean()
        assert x[first::groups].shape[0] == group
        np.testing.assert_allclose(given[first::groups, ..., -1], deviation, rtol=1e-5)


def test_stddev_of_a_batch_without_groups_is_the_root_of_epsilon():
    np.testing.assert_allclose(MinibatchStddev()(numbers(5, 3))[:, -1], np.full(5, 1e-4), rtol=1e-5)


def test_stddev_of_equal_examples_has_finite_gradients():
    x = tf.ones((4, 3))
    with tf.GradientTape() as tape:
        tape.watch(x)
        given = MinibatchStddev()(x)
        loss = tf.reduce_sum(given[:, -1])
    np.testing.assert_allclose(loss, 4e-4, rtol=1e-5)
    assert np.isfinite(tape.gradient(loss, x)).all()


def test_stddev_takes_groups_of_another_size_and_batches_of_any():
    layer = MinibatchStddev(2)
    network = keras.Sequential([keras.Input((3, 3, 2)), layer])
    run = tf.function(lambda x: network(x), input_signature=[tf.TensorSpec((None, 3, 3, 2))])
    for batch in (2, 4, 7):
        x = numbers(batch, 3, 3, 2)
        np.testing.assert_allclose(run(x), layer(x), rtol=1e-6)
    assert network.output_shape == (None, 3, 3, 3)
    with pytest.raises(ValueError, match="Received: group=1"):
        MinibatchStddev(1)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_both_compute_in_float32_and_give_the_dtype_of_the_features(dtype):
    x = tf.cast(300 * numbers(8, 6), dtype)  # squares pass float16's 65,504
    exact = tf.cast(x, "float32")
    given = MinibatchStddev(dtype=f"mixed_{dtype}")(x)
    assert given.dtype == x.dtype
    np.testing.assert_allclose(
        tf.cast(given, "float32")[:, -1], MinibatchStddev()(exact)[:, -1], rtol=0.01
    )
    layer = MinibatchDiscrimination(3, dtype=f"mixed_{dtype}")
    near = tf.cast(numbers(8, 6) / 8, dtype)
    given = layer(near)
    expected = closeness(tf.cast(near, "float32").numpy(), layer.kernel.numpy(), 3, 5)
    assert given.dtype == near.dtype
    np.testing.assert_allclose(tf.cast(given, "float32")[:, 6:], expected, rtol=0.03)
