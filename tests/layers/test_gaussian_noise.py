"""Noise by Keras's seed or by numbers from elsewhere, and weight normalization set by data."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from ganzoo.layers import GaussianNoise, WeightNormalization
from ganzoo.layers.gaussian_noise import noise_from
from ganzoo.layers.weight_normalization import awaits_data, initialize
from ganzoo.strategy import precision_scope


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def test_numbers_from_elsewhere_are_added_in_training_times_the_deviation():
    layer, x, noise = GaussianNoise(0.25), numbers(4, 3), numbers(4, 3, seed=1)
    shapes = []
    with noise_from(lambda shape: shapes.append(shape) or tf.constant(noise)):
        np.testing.assert_allclose(layer(x, training=True), x + 0.25 * noise, atol=1e-6)
        np.testing.assert_array_equal(layer(x, training=False), x)
        np.testing.assert_array_equal(GaussianNoise(0.0)(x, training=True), x)
    assert shapes == [(3,)]


def test_scopes_nest_and_without_one_it_is_keras_s_own_layer():
    x = np.zeros((4000, 5), "float32")
    layer = GaussianNoise(0.5, seed=3)
    with noise_from(tf.zeros):
        with noise_from(lambda shape: tf.ones((4000, *shape))):
            assert np.all(np.array(layer(x, training=True)) == 0.5)
        with pytest.raises(RuntimeError), noise_from(None):
            raise RuntimeError
        with pytest.raises(Exception, match="shape|broadcast"):
            layer(x, training=True) + tf.zeros((7, 7))
    alone = np.array(layer(x, training=True))
    np.testing.assert_array_equal(alone, keras.layers.GaussianNoise(0.5, seed=3)(x, training=True))
    assert abs(alone.std() - 0.5) < 0.02


def test_half_precision_and_saving(tmp_path):
    with precision_scope("mixed_float16"):
        network = keras.Sequential([keras.Input((3,)), GaussianNoise(0.5), layers.Dense(2)])
    with noise_from(lambda shape: tf.ones((4, *shape))):
        assert network(numbers(4, 3), training=True).dtype == "float16"
    network.save(tmp_path / "x.keras")
    again = keras.models.load_model(tmp_path / "x.keras")
    assert type(again.layers[0]) is GaussianNoise and again.layers[0].stddev == 0.5


def stack(*, train_gain=False, noise=0.0):
    x = images = keras.Input((6, 6, 2))
    x = WeightNormalization(layers.Conv2D(5, 3, name="conv"), train_gain=train_gain)(x)
    x = layers.ReLU()(x)
    x = layers.Flatten()(GaussianNoise(noise)(x))
    x = WeightNormalization(layers.Dense(7, name="hidden"), train_gain=train_gain)(x)
    x = layers.ReLU()(x)
    return keras.Model(images, WeightNormalization(layers.Dense(3, name="logits"))(x))


def test_initialised_by_data_every_layer_gives_mean_0_and_deviation_1():
    network, images = stack(), 3 + 2 * numbers(50, 6, 6, 2)
    directions = [np.array(network.get_layer(name).kernel) for name in ("conv", "hidden")]
    assert awaits_data(network)
    initialize(network, images)
    for name in ("conv", "hidden", "logits"):
        found = np.array(keras.Model(network.input, network.get_layer(name).output)(images))
        axes = tuple(range(found.ndim - 1))
        np.testing.assert_allclose(found.mean(axes), 0, atol=1e-4)
        np.testing.assert_allclose(found.std(axes), 1, atol=1e-4)
    assert not awaits_data(network)
    for name, before in zip(("conv", "hidden"), directions, strict=True):
        np.testing.assert_array_equal(network.get_layer(name).kernel, before)


def test_the_noise_counts_as_an_input():
    network, images = stack(noise=1.0), numbers(400, 6, 6, 2)
    initialize(network, images)
    hidden = keras.Model(network.input, network.get_layer("hidden").output)
    assert np.abs(np.array(hidden(images, training=True)).std(0) - 1).max() < 0.15
    assert np.array(hidden(images)).std(0).max() < 0.8


def test_layers_without_a_bias_or_with_an_activation_stay_as_they_are():
    inputs = keras.Input((4,))
    x = WeightNormalization(layers.Dense(3, use_bias=False, name="a"))(inputs)
    network = keras.Model(inputs, WeightNormalization(layers.Dense(2, "relu", name="b"))(x))
    before = [np.array(v) for v in network.weights]
    assert not awaits_data(network)
    initialize(network, numbers(20, 4))
    for a, b in zip(before, network.weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_fixed_gain_is_no_trainable_variable_and_comes_back(tmp_path):
    for fixed, found in ((True, 7), (False, 9)):
        network = stack(train_gain=not fixed)
        assert len(network.trainable_weights) == found and len(network.weights) == 9
        network.save(tmp_path / "x.keras")
        again = keras.models.load_model(tmp_path / "x.keras")
        names = [[v.name for v in one.trainable_weights] for one in (again, network)]
        assert names[0] == names[1]
        copy = keras.models.clone_model(network)
        assert len(copy.trainable_weights) == found
