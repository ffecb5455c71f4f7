"""The squared maximum mean discrepancy."""

import numpy as np
import pytest
from keras import ops
from scipy import stats

from ganzoo import losses
from tests.losses import by_hand

WIDTHS = (0.5, 1.0, 3.0)


def features(count, shift=0.0, seed=0):
    return np.random.default_rng(seed).normal(shift, 1.0, (count, 3)).astype("float32")


def pair_by_pair(real, fake):
    return by_hand.mmd(real, fake, WIDTHS)


def mmd(real, fake):
    return losses.mmd(real, fake, bandwidths=WIDTHS)


def test_mmd_is_the_sum_over_all_pairs():
    real, fake = features(6), features(9, 0.5, seed=1)
    found = mmd(real, fake)
    assert found.dtype == "float32" and found.shape == ()
    np.testing.assert_allclose(float(found), pair_by_pair(real, fake), rtol=1e-5)


def test_features_of_any_shape_are_flattened():
    real, fake = features(6), features(4, 0.5, seed=1)
    images = (real.reshape(6, 1, 3, 1), fake.reshape(4, 1, 3, 1))
    np.testing.assert_allclose(float(mmd(*images)), float(mmd(real, fake)), rtol=1e-6)


def test_mmd_of_two_gaussians_is_the_known_one():
    """E k over two independent Gaussians is a Gaussian of their distance, in closed form."""
    shift, width, count = 0.8, 0.7, 1500
    real = stats.norm.ppf((np.arange(count) + 0.5) / count)[:, None]
    total = width**2 + 2
    expected = 2 * width / np.sqrt(total) * (1 - np.exp(-(shift**2) / (2 * total)))
    found = losses.mmd(real.astype("float32"), (real + shift).astype("float32"), bandwidths=[width])
    np.testing.assert_allclose(float(found), expected, rtol=2e-3)


def test_mmd_of_the_same_samples_is_0_and_it_grows_with_the_distance():
    real = features(20)
    values = [float(mmd(real, real + shift)) for shift in (0.0, 0.3, 1.0, 3.0, 50.0)]
    assert abs(values[0]) < 1e-6 and values == sorted(values)
    assert values[-1] < 2 * len(WIDTHS)


def test_the_gradient_equals_finite_differences():
    real, fake = features(4), features(3, 0.5, seed=1)
    for found, expected in zip(
        by_hand.slopes(mmd, real, fake), by_hand.differences(pair_by_pair, real, fake), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-6)


def test_features_far_from_0_keep_their_digits():
    # 1000.25 is exact in float32: the distances are those of before
    real, fake = (np.round(features(8, s, seed=3) * 64) / 64 for s in (0.0, 0.5))
    near, far = float(mmd(real, fake)), float(mmd(real + 1000.25, fake + 1000.25))
    np.testing.assert_allclose(far, near, rtol=1e-4)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_mmd_and_its_gradient_are_finite_and_float32_far_out_and_on_top_of_each_other(dtype):
    for real, fake in ((-100.0, 100.0), (100.0, 100.0), (0.0, 0.0)):
        pair = (np.full((3, 5), real), np.full((2, 5), fake))
        found = mmd(*(ops.cast(x, dtype) for x in pair))
        expected = 0.0 if real == fake else 2.0 * len(WIDTHS)
        assert found.dtype == "float32"
        np.testing.assert_allclose(float(found), expected, atol=1e-5)
        for slope in by_hand.slopes(mmd, *pair, dtype=dtype):
            assert np.isfinite(slope.astype("float32")).all()
