"""Layer norm against NumPy, and its second derivative against finite differences."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.layers import LayerNormalization

SHAPES = [(6,), (3, 2, 4)]


def layer(shape, **options):
    rng = np.random.default_rng(0)
    made = LayerNormalization(epsilon=1e-5, **options)
    made.build((None, *shape))
    made.set_weights([rng.normal(1, 0.3, shape[-1:]), rng.normal(0, 0.3, shape[-1:])])
    return made


def examples(shape, count=3):
    return np.random.default_rng(1).normal(0.5, 2.0, (count, *shape))


def normalized(x, gain, shift):
    """Layer norm of float64 rows by NumPy."""
    axes = tuple(range(1, x.ndim))
    deviation = x - x.mean(axes, keepdims=True)
    return deviation / np.sqrt(deviation.var(axes, keepdims=True) + 1e-5) * gain + shift


@pytest.mark.parametrize("shape", SHAPES)
def test_it_normalises_each_example_over_positions_and_channels(shape):
    made, x = layer(shape), examples(shape)
    np.testing.assert_allclose(made(x), normalized(x, *made.get_weights()), atol=2e-6)


@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("center", [False, True])
def test_gain_and_shift_may_be_left_out(scale, center):
    made, x = LayerNormalization(epsilon=1e-5, scale=scale, center=center), examples((3, 2, 4))
    made.build(x.shape)
    made.set_weights([np.linspace(1, 2, 4)] * len(made.weights))
    assert len(made.weights) == scale + center
    gain, shift = np.linspace(1, 2, 4) if scale else 1, np.linspace(1, 2, 4) if center else 0
    expected = normalized(x, gain, shift)
    np.testing.assert_allclose(made(x), expected, atol=2e-6)


@pytest.mark.parametrize("axis", [1, 3, None])
def test_channels_that_are_not_last_are_refused(axis):
    with pytest.raises(ValueError, match=f"Expected axis=-1, channels last. Received: axis={axis}"):
        LayerNormalization(axis=axis)


def penalty(x, mixed, gain, shift, direction):
    """|d f / d x|^2 of f = sum(direction * layer norm of x @ mixed) in float64, by closed form."""
    axes, x = tuple(range(1, x.ndim)), x @ mixed
    deviation = x - x.mean(axes, keepdims=True)
    inverse = 1 / np.sqrt((deviation**2).mean(axes, keepdims=True) + 1e-5)
    unit, way = deviation * inverse, direction * gain
    along = (way * unit).mean(axes, keepdims=True)
    gradient = inverse * (way - way.mean(axes, keepdims=True) - unit * along)
    return ((gradient @ mixed.T) ** 2).sum()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_penalty_on_its_gradient_has_the_right_gradient(shape):
    made, x = layer(shape), examples(shape)
    rng = np.random.default_rng(2)
    # a linear layer before it: what goes back through that need not sum to zero, which would hide
    # an error that is the same for all inputs
    direction, mixed = rng.normal(size=x.shape), rng.normal(size=(x.shape[-1], x.shape[-1]))
    with tf.GradientTape() as outer:
        points = tf.constant(x, tf.float32)
        outer.watch(points)
        with tf.GradientTape() as inner:
            inner.watch(points)
            outputs = made(tf.tensordot(points, mixed.astype("float32"), 1))
            total = tf.reduce_sum(outputs * direction.astype("float32"))
        found = tf.reduce_sum(inner.gradient(total, points) ** 2)
    weights = [w.astype(np.float64) for w in made.get_weights()]
    assert float(found) == pytest.approx(penalty(x, mixed, *weights, direction), rel=1e-5)
    expected, step = np.empty(x.size), 1e-5
    for place in range(x.size):
        moved = np.zeros(x.size)
        moved[place] = step
        moved = moved.reshape(x.shape)
        ends = [penalty(x + one, mixed, *weights, direction) for one in (moved, -moved)]
        expected[place] = (ends[0] - ends[1]) / (2 * step)
    gradient = outer.gradient(found, points).numpy().ravel()
    np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def test_half_precision_comes_in_and_goes_out_and_statistics_do_not_overflow():
    made = layer((6,), dtype="mixed_float16")
    x = examples((6,)) * 1000  # squares beyond float16
    found = made(tf.constant(x, tf.float16))
    assert found.dtype == tf.float16
    np.testing.assert_allclose(found, normalized(x, *made.get_weights()), atol=5e-3)


def test_a_saved_layer_comes_back():
    made = layer((3, 2, 4))
    again = keras.layers.deserialize(keras.layers.serialize(made))
    again.set_weights(made.get_weights())
    x = examples((3, 2, 4))
    np.testing.assert_array_equal(again(x), made(x))
