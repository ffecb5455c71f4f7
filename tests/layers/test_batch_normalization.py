"""Batch norm against Keras's, and its second derivative against finite differences."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from ganzoo.layers import BatchNormalization

SHAPES = [(5,), (3, 2, 4)]
OPTIONS = {"momentum": 0.9, "epsilon": 1e-5}


def prepared(kind, shape, **options):
    rng = np.random.default_rng(0)
    made = kind(**{**OPTIONS, **options})
    made.build((None, *shape))
    made.set_weights([rng.uniform(0.5, 1.5, weight.shape) for weight in made.weights])
    return made


def examples(shape, count=6):
    return np.random.default_rng(1).normal(0.5, 2.0, (count, *shape)).astype("float32")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False, "scale": False}])
def test_training_gives_what_keras_gives(shape, options):
    own, keras_own = (
        prepared(one, shape, **options) for one in (BatchNormalization, layers.BatchNormalization)
    )
    way = np.random.default_rng(2).normal(size=(6, *shape)).astype("float32")
    found = []
    for layer in (own, keras_own):
        with tf.GradientTape() as tape:
            x = tf.constant(examples(shape))
            tape.watch(x)
            outputs = layer(x, training=True)
            total = tf.reduce_sum(outputs * way)
        gradients = tape.gradient(total, [x, *layer.trainable_variables])
        found.append([outputs, *gradients, *layer.get_weights()])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("options", [{"training": False}, {"training": True, "frozen": True}])
def test_inference_and_frozen_layers_use_the_moving_statistics(options):
    own, keras_own = (
        prepared(one, (3, 2, 4)) for one in (BatchNormalization, layers.BatchNormalization)
    )
    own.trainable = keras_own.trainable = not options.get("frozen", False)
    x, before = examples((3, 2, 4)), own.get_weights()
    outputs = own(x, training=options["training"])
    np.testing.assert_array_equal(outputs, keras_own(x, training=options["training"]))
    for one, other in zip(own.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def penalty(x, mixed, gain, direction, shares):
    """Sum of shares * (d f / d x)^2, f = sum(direction * batch norm of x @ mixed), in float64."""
    axes, x = tuple(range(x.ndim - 1)), x @ mixed
    deviation = x - x.mean(axes)
    inverse = 1 / np.sqrt((deviation**2).mean(axes) + OPTIONS["epsilon"])
    unit = deviation * inverse
    along = (direction * unit).mean(axes)
    gradient = gain * inverse * (direction - direction.mean(axes) - unit * along)
    return (shares * (gradient @ mixed.T) ** 2).sum()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_penalty_on_its_gradient_has_the_right_gradient(shape):
    made, x = prepared(BatchNormalization, shape), examples(shape, 4).astype(np.float64)
    rng = np.random.default_rng(2)
    # gradients sum to zero over the examples: with equal shares, an error that is the same for all
    # of them would not be seen
    direction, shares = rng.normal(size=x.shape), rng.uniform(size=x.shape)
    mixed = rng.normal(size=(x.shape[-1], x.shape[-1]))
    gain = made.gamma.numpy().astype(np.float64)
    with tf.GradientTape() as outer:
        points = tf.constant(x, tf.float32)
        outer.watch(points)
        with tf.GradientTape() as inner:
            inner.watch(points)
            outputs = made(tf.tensordot(points, mixed.astype("float32"), 1), training=True)
            total = tf.reduce_sum(outputs * direction.astype("float32"))
        found = tf.reduce_sum(shares.astype("float32") * inner.gradient(total, points) ** 2)
    assert float(found) == pytest.approx(penalty(x, mixed, gain, direction, shares), rel=1e-5)
    expected, step = np.empty(x.size), 1e-5
    for place in range(x.size):
        moved = np.zeros(x.size)
        moved[place] = step
        moved = moved.reshape(x.shape)
        ends = [penalty(x + one, mixed, gain, direction, shares) for one in (moved, -moved)]
        expected[place] = (ends[0] - ends[1]) / (2 * step)
    gradient = outer.gradient(found, points).numpy().ravel()
    np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def test_half_precision_comes_in_and_goes_out_and_statistics_do_not_overflow():
    made = prepared(BatchNormalization, (5,), dtype="mixed_float16")
    exact = prepared(layers.BatchNormalization, (5,))
    x = (examples((5,)) * 1000).astype("float16")  # squares beyond float16
    found = made(tf.constant(x), training=True)
    assert found.dtype == tf.float16
    np.testing.assert_allclose(found, exact(x.astype("float32"), training=True), atol=5e-3)
    np.testing.assert_allclose(made.moving_variance, exact.moving_variance, rtol=1e-5)


def test_one_example_leaves_finite_statistics():
    made = prepared(BatchNormalization, (5,))
    before = made.moving_variance.numpy()
    outputs = made(examples((5,), 1), training=True)
    np.testing.assert_allclose(outputs, np.broadcast_to(made.beta, (1, 5)), atol=1e-4)
    np.testing.assert_allclose(made.moving_variance, 0.9 * before, rtol=1e-6)


def test_batches_of_any_size_compile_to_one_function():
    made = prepared(BatchNormalization, (3, 2, 4))
    step = tf.function(lambda x: made(x, training=True))
    step = step.get_concrete_function(tf.TensorSpec((None, 3, 2, 4)))
    for count in (2, 6):
        exact = prepared(layers.BatchNormalization, (3, 2, 4))
        x = examples((3, 2, 4), count)
        np.testing.assert_allclose(step(tf.constant(x)), exact(x, training=True), atol=1e-5)


def test_a_saved_layer_comes_back():
    made = prepared(BatchNormalization, (3, 2, 4))
    again = keras.layers.deserialize(keras.layers.serialize(made))
    assert type(again) is BatchNormalization
    again.set_weights(made.get_weights())
    x = examples((3, 2, 4))
    np.testing.assert_array_equal(again(x, training=True), made(x, training=True))
