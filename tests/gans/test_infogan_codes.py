"""Generation by InfoGAN's codes."""

import numpy as np
import pytest
import tensorflow as tf

from tests.gans import coded
from tests.gans.coded import CODES, LATENT_DIM, NOISE_DIM

NAMES = tuple(CODES)


@pytest.fixture(scope="module")
def gan():
    """For tests that leave its weights as they are."""
    return coded.gan()


def test_codes_have_their_ranges_the_categorical_ones_first(gan):
    expected = {"digit": range(3), "kind": ("shoe", "shirt"), "lean": (-1, 1), "size": (2, 6)}
    assert gan.codes == expected and list(gan.codes) == list(NAMES)
    assert gan.conditions == ("codes",) and gan.kind_of_labels == "unconditional"


def test_a_given_code_stands_in_the_latents_and_changes_nothing_else(gan):
    drawn = coded.rows(gan, 6)
    given = coded.rows(gan, 6, codes={"kind": "shirt", "size": [2, 3, 4, 5, 6, 2.5]})
    np.testing.assert_array_equal(given[:, 7:9], [[0, 1]] * 6)
    np.testing.assert_array_equal(given[:, 10], [2, 3, 4, 5, 6, 2.5])
    np.testing.assert_array_equal(np.delete(given, [7, 8, 10], 1), np.delete(drawn, [7, 8, 10], 1))


def test_codes_that_are_not_named_are_drawn_by_the_seed(gan):
    first, again, other = (coded.rows(gan, 3000, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[:, 4:], other[:, 4:])
    np.testing.assert_allclose(first[:, 4:9].mean(axis=0), [1 / 3] * 3 + [1 / 2] * 2, atol=0.05)
    assert np.abs(np.corrcoef(first[:, [0, 1, 2, 3, 9, 10]], rowvar=False) - np.eye(6)).max() < 0.1


def test_images_are_those_of_the_latents_with_the_codes(gan):
    made = gan.generate(4, seed=2, codes={"digit": 1})
    np.testing.assert_array_equal(
        made, gan.generate(latents=coded.rows(gan, 4, codes={"digit": 1}))
    )
    assert not np.array_equal(made, gan.generate(4, seed=2, codes={"digit": 2}))
    assert gan.generate(codes={"digit": 1, "lean": 0.5}).shape == (1, 8, 8, 1)
    assert gan.generate(codes={"digit": 1, "lean": [0.5, -1, 1]}).shape == (3, 8, 8, 1)


def test_latents_are_whole_or_noise_alone(gan):
    whole = np.random.default_rng(0).normal(0, 3, (5, LATENT_DIM)).astype("float32")
    np.testing.assert_array_equal(coded.rows(gan, latents=whole), whole)
    changed = coded.rows(gan, latents=whole, codes={"lean": -0.5})
    np.testing.assert_array_equal(changed[:, 9], [-0.5] * 5)
    np.testing.assert_array_equal(np.delete(changed, 9, 1), np.delete(whole, 9, 1))
    completed = coded.rows(gan, latents=whole[:, :NOISE_DIM], codes={"lean": 1.0})
    np.testing.assert_array_equal(completed[:, :NOISE_DIM], whole[:, :NOISE_DIM])
    drawn = coded.rows(gan, 5)
    np.testing.assert_array_equal(completed[:, 4:9], drawn[:, 4:9])


@pytest.mark.parametrize("array", [np.array, tf.constant])
def test_a_value_may_be_an_array_or_a_tensor_without_axes(gan, array):
    given = coded.rows(gan, 3, codes={"digit": array(2), "lean": array(0.5)})
    np.testing.assert_array_equal(given, coded.rows(gan, 3, codes={"digit": 2, "lean": 0.5}))
    assert gan.generate(codes={"digit": array(1)}).shape == (1, 8, 8, 1)
    with pytest.raises(ValueError, match="Received: .*nearest: 2"):
        gan.generate(codes={"digit": array(3)})


def test_truncation_is_of_the_noise_alone(gan):
    latents = coded.rows(gan, 500, truncation=0.3)
    assert np.abs(latents[:, :NOISE_DIM]).max() <= 0.3 < np.abs(latents[:, 9]).max()


@pytest.mark.parametrize(
    ("n", "codes", "message"),
    [
        (2, {"digits": 1}, "Unknown code 'digits'; did you mean 'digit'"),
        (2, {"digit": 3}, "from 0 to 2. Received: 3; nearest: 2"),
        (2, {"lean": 1.01}, "nearest: 1"),
        (2, {"lean": [0, 0, 0]}, "Expected one lean or 2 of them, one an image. Received: 3"),
        (None, {"lean": [0, 0, 0], "size": [2, 2]}, "as many values of each code"),
        (None, {"lean": []}, "an empty list"),
        (None, None, "Expected n, a whole number >= 1, or latents"),
        (None, {}, "Expected n, a whole number >= 1, or latents"),
    ],
)
def test_codes_that_do_not_fit_are_refused(gan, n, codes, message):
    with pytest.raises(ValueError, match=message):
        gan.generate(n, codes=codes)


def test_what_is_no_mapping_or_no_condition_is_refused(gan):
    with pytest.raises(TypeError, match="Expected codes, a mapping"):
        gan.generate(2, codes=3)
    with pytest.raises(TypeError, match="Expected codes.*Received: labels"):
        gan.generate(2, labels=3)
    with pytest.raises(ValueError, match=r"Expected latents of shape \('n', 11\)"):
        gan.generate(latents=np.zeros((2, 5)))
