"""Codes by themselves: how they are drawn, written and read, against closed forms."""

import math

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

from ganzoo.config.checks import Options
from ganzoo.gans import codes

DIGIT, KIND, LEAN, SIZE = codes.parse(
    {"digit": 3, "kind": ["shoe", "shirt"], "lean": [-1, 1], "size": [2, 6]}
)


def test_equal_shares_of_the_unit_interval_are_the_values_of_a_categorical_code():
    uniform = tf.constant([0.0, 0.33, 0.34, 0.66, 0.67, np.nextafter(np.float32(1), np.float32(0))])
    np.testing.assert_array_equal(DIGIT.encode(uniform), np.eye(3)[[0, 0, 1, 1, 2, 2]])


def test_the_unit_interval_is_stretched_to_that_of_a_uniform_code():
    encoded = SIZE.encode(tf.constant([0.0, 0.5, 0.75]))
    np.testing.assert_allclose(encoded, [[2], [4], [5]])


def test_entropies_are_those_of_equal_values_and_of_an_interval():
    assert DIGIT.entropy == pytest.approx(math.log(3)) and LEAN.entropy == pytest.approx(np.log(2))
    assert SIZE.entropy == pytest.approx(scipy.stats.uniform(2, 4).entropy())


def test_the_likelihood_of_a_categorical_code_is_a_softmax():
    logits = np.random.default_rng(0).normal(0, 2, (7, 3)).astype("float32")
    values = np.arange(7) % 3
    expected = scipy.special.log_softmax(logits, axis=1)[range(7), values]
    found = DIGIT.log_likelihood(tf.one_hot(values, 3), tf.constant(logits))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("learned", [True, False])
def test_the_likelihood_of_a_uniform_code_is_a_gaussian_on_its_own_interval(learned):
    (code,) = codes.parse({"size": [2, 6]}, learned_variance=learned)
    rng = np.random.default_rng(1)
    values = rng.uniform(2, 6, (7, 1)).astype("float32")
    outputs = rng.normal(0, 1, (7, code.parameters)).astype("float32")
    deviation = 2 * np.sqrt(np.exp(outputs[:, 1]) + 0.01**2) if learned else 2
    expected = scipy.stats.norm(4 + 2 * outputs[:, 0], deviation).logpdf(values[:, 0])
    found = code.log_likelihood(tf.constant(values), tf.constant(outputs))
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    np.testing.assert_allclose(code.infer(outputs), 4 + 2 * outputs[:, 0], rtol=1e-5)


def test_the_likelihood_stays_bounded_where_the_variance_vanishes():
    value, outputs = tf.constant([[0.5]]), tf.Variable([[0.5, -200.0]])
    with tf.GradientTape() as tape:
        found = LEAN.log_likelihood(value, outputs)
    assert float(found[0]) == pytest.approx(scipy.stats.norm(0, 0.01).logpdf(0), rel=1e-5)
    assert np.isfinite(tape.gradient(found, outputs)).all()


def test_values_are_written_as_latents_hold_them():
    np.testing.assert_array_equal(DIGIT.rows(2), [[0, 0, 1]])
    np.testing.assert_array_equal(DIGIT.rows(np.array([0, 1])), [[1, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(KIND.rows(["shirt", 0]), [[0, 1], [1, 0]])
    np.testing.assert_array_equal(SIZE.rows((2, 6.0)), [[2], [6]])


@pytest.mark.parametrize(
    ("code", "value", "message"),
    [
        (DIGIT, 3, "digit, a whole number from 0 to 2. Received: 3; nearest: 2"),
        (DIGIT, -1, "Received: -1; nearest: 0"),
        (DIGIT, 1.5, "digit, a whole number from 0 to 2. Received: 1.5"),
        (DIGIT, True, "Received: True"),
        (KIND, "shoo", "Unknown kind 'shoo'; did you mean 'shoe'"),
        (KIND, 2, "from 0 to 1, or one of shoe, shirt"),
        (SIZE, 6.5, r"size, a number in \[2, 6\]. Received: 6.5; nearest: 6"),
        (SIZE, [3, 1.5], "Received: 1.5; nearest: 2"),
        (SIZE, float("nan"), r"in \[2, 6\]. Received: nan"),
        (SIZE, "wide", r"in \[2, 6\]. Received: 'wide'"),
    ],
)
def test_a_value_beyond_the_range_is_refused_with_the_nearest(code, value, message):
    with pytest.raises(ValueError, match=message):
        code.rows(value)


def test_names_map_to_ranges_and_a_config_reads_back_equal():
    parsed = codes.parse(Options({"digit": 3, "kind": ("shoe", "shirt"), "size": (2, 6)}))
    assert [code.values for code in parsed] == [range(3), ("shoe", "shirt"), (2.0, 6.0)]
    assert codes.parse({code.name: code.config for code in parsed}) == parsed


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ({"lean": [-1, 1], "digit": 3}, ValueError, "categorical codes first: digit, lean"),
        ({}, ValueError, "one code or more"),
        (10, TypeError, "Expected codes, a mapping"),
        ({"digit": 1}, ValueError, "whole number >= 2 of values.*Received: 'digit': 1"),
        ({"digit": True}, ValueError, "Received: 'digit': True"),
        ({"lean": [1, -1]}, ValueError, r"an interval \[low, high\]"),
        ({"lean": [0, float("inf")]}, ValueError, "Received"),
        ({"kind": ["shoe", "shoe"]}, ValueError, "two labels or more"),
        ({"": 3}, ValueError, "Expected codes by name"),
    ],
)
def test_a_config_of_no_codes_is_refused(given, kind, message):
    with pytest.raises(kind, match=message):
        codes.parse(given)


def test_uniform_numbers_just_below_one_stay_within_all_numbers_of_values():
    last = np.nextafter(np.float32(1), np.float32(0))
    for values in (2, 10, 97, 1000):
        (code,) = codes.parse({"c": values})
        row = keras.ops.convert_to_numpy(code.encode(tf.constant([last])))
        assert row.sum() == 1 and row[0, -1] == 1
