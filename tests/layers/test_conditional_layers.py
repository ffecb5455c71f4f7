"""Layers of labels against NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.layers import ConditionalBatchNormalization, GlobalSumPooling, JoinVector, OneHot
from tests import small

LABELS = np.array([0, 2, 1, 2, 2, 0], "int32")


def inputs(*shape, seed=0):
    return np.random.default_rng(seed).normal(2, 3, (len(LABELS), *shape)).astype("float32")


def norm_with_tables(*shape):
    layer = ConditionalBatchNormalization(3)
    layer.build([(None, *shape), (None,)])
    rng = np.random.default_rng(1)
    for table in (layer.gains, layer.shifts):
        table.assign(rng.normal(size=table.shape))
    return layer


def test_conditional_batch_norm_starts_as_batch_norm_without_gain_and_shift():
    x = inputs(5, 5, 4)
    expected = (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 1e-5)
    found = ConditionalBatchNormalization(3)([x, LABELS], training=True)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(4,), (5, 5, 4)])
def test_conditional_batch_norm_has_a_gain_of_1_plus_g_and_a_shift_for_each_class(shape):
    layer, x = norm_with_tables(*shape), inputs(*shape)
    gains, shifts = (
        one.numpy()[LABELS].reshape(6, *[1] * (len(shape) - 1), 4)
        for one in (layer.gains, layer.shifts)
    )
    axes = tuple(range(len(shape)))
    mean, variance = x.mean(axes), x.var(axes)
    expected = (1 + gains) * (x - mean) / np.sqrt(variance + 1e-5) + shifts
    np.testing.assert_allclose(layer([x, LABELS], training=True), expected, atol=1e-4)
    # the pass has moved the averages by a tenth; inference goes by them
    moving = [0.1 * mean, 0.9 + 0.1 * variance]
    np.testing.assert_allclose(layer.norm.moving_mean, moving[0], atol=1e-5)
    np.testing.assert_allclose(layer.norm.moving_variance, moving[1], atol=1e-4)
    expected = (1 + gains) * (x - moving[0]) / np.sqrt(moving[1] + 1e-5) + shifts
    np.testing.assert_allclose(layer([x, LABELS]), expected, atol=1e-4)


def test_tables_have_dense_gradients_that_are_0_for_absent_classes():
    layer, x = norm_with_tables(5, 5, 4), inputs(5, 5, 4)
    labels = np.array([0, 2, 2, 2, 0, 0])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer([x, labels], training=True) ** 2)
    gradients = tape.gradient(loss, [layer.gains.value, layer.shifts.value])
    for gradient in gradients:
        assert isinstance(gradient, tf.Tensor)
        assert not gradient[1].numpy().any() and gradient.numpy()[[0, 2]].all()


def test_a_vector_is_joined_to_features_and_to_every_position():
    vector = inputs(3, seed=1)
    for shape in ((4,), (5, 7, 4)):
        x = inputs(*shape)
        found = JoinVector()([x, vector]).numpy()
        assert found.shape == (6, *shape[:-1], 7)
        np.testing.assert_array_equal(found[..., :4], x)
        places = found[..., 4:].reshape(6, -1, 3)
        np.testing.assert_array_equal(places, np.repeat(vector[:, None], places.shape[1], 1))


def test_sums_over_positions_do_not_lose_digits_in_half_precision():
    x = inputs(6, 7, 4)
    np.testing.assert_allclose(GlobalSumPooling()(x), x.sum((1, 2)), rtol=1e-5)
    ones = tf.ones((1, 64, 64, 1), tf.float16)  # beyond 2,048 a float16 sum stands still
    assert float(GlobalSumPooling(dtype="mixed_float16")(ones)[0, 0]) == 4096


def model():
    images, labels = keras.Input((5, 5, 4)), keras.Input((), dtype="int32")
    x = ConditionalBatchNormalization(3, momentum=0.7, epsilon=0.01, name="norm")([images, labels])
    x = JoinVector()([x, OneHot(3)(labels)])
    return keras.Model([images, labels], GlobalSumPooling()(x))


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_models_of_them_are_cloned_and_saved_and_know_their_shapes(precision, tmp_path):
    from ganzoo.strategy import precision_scope

    with precision_scope(precision):
        made = model()
        copy = keras.models.clone_model(made)
    for table in made.trainable_weights:
        table.assign(np.random.default_rng(0).normal(size=table.shape))
    copy.set_weights(made.get_weights())
    made.save(tmp_path / "x.keras")
    again = keras.models.load_model(tmp_path / "x.keras")
    x, expected = inputs(5, 5, 4), made([inputs(5, 5, 4), LABELS])
    assert made.output_shape == (None, 7) and made.output.dtype == expected.dtype
    for other in (copy, again):
        np.testing.assert_array_equal(other([x, LABELS]), expected)
        layer = other.get_layer("norm")
        assert (layer.momentum, layer.epsilon, layer.norm.momentum) == (0.7, 0.01, 0.7)
    assert len(small.values(made)) == 4
