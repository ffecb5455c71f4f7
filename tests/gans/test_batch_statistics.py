"""Batch norms by the statistics of chosen examples, and back."""

import keras
import numpy as np
import pytest

from ganzoo.gans.batch_statistics import statistics_of
from tests import small


def network():
    layer = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
    inputs = keras.Input((2,))
    return keras.Model(inputs, layer(inputs)), layer


def test_others_are_normalised_by_the_examples_alone():
    model, layer = network()
    examples, others = small.points(50), small.points(7, seed=1)
    before = small.values(model)
    with statistics_of(model, examples):
        found = model(others, training=False)
    expected = (others - examples.mean(axis=0)) / np.sqrt(examples.var(axis=0) + 1e-5)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert not any(small.moved(before, model)) and layer.momentum == 0.9


def test_an_error_leaves_the_network_as_it_was():
    model, layer = network()
    before = small.values(model)
    with pytest.raises(KeyError), statistics_of(model, small.points(50)):
        raise KeyError
    assert not any(small.moved(before, model)) and layer.momentum == 0.9
