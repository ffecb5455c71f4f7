import itertools

import numpy as np
import pytest

from ganzoo.metrics.kernel import kernel_distance
from tests.metrics import peers


def drawn(count, dimension=6, seed=0, shift=0.0):
    return np.random.default_rng(seed).standard_normal((count, dimension)) + shift


def by_loops(real, fake):
    """The unbiased estimate, pair by pair."""

    def kernel(x, y):
        return (sum(a * b for a, b in zip(x, y, strict=True)) / len(x) + 1) ** 3

    within = [
        np.mean([kernel(x, y) for x, y in itertools.permutations(points, 2)])
        for points in (real, fake)
    ]
    return sum(within) - 2 * np.mean([kernel(x, y) for x in real for y in fake])


def test_whole_sets_give_the_estimate_by_loops():
    real, fake = drawn(12), drawn(12, seed=1, shift=0.5)
    mean, deviation = kernel_distance(real, fake, subsets=3, subset_size=12)
    assert mean == pytest.approx(by_loops(real, fake), rel=1e-12)
    assert deviation == pytest.approx(0, abs=1e-12)


def test_points_on_two_axes_have_the_closed_form():
    # d = 2: k = 27/8 within (1, 0), within (0, 1) too, 1 across
    noise = np.array([[1e-9, 0], [0, 0], [-1e-9, 0]])  # features may not be constant
    mean, _ = kernel_distance(noise + [1, 0], noise + [0, 1], subsets=1, subset_size=3)
    assert mean == pytest.approx(2 * 1.5**3 - 2, abs=1e-7)


def test_the_estimate_is_unbiased_and_so_may_be_negative():
    real, fake = drawn(2000), drawn(2000, seed=1)
    estimates = [
        kernel_distance(real, fake, subsets=1, subset_size=50, seed=s)[0] for s in range(60)
    ]
    assert min(estimates) < 0 < max(estimates)
    assert abs(np.mean(estimates)) < 3 * np.std(estimates) / np.sqrt(60)


def test_mean_and_deviation_are_those_of_the_subsets():
    real, fake = drawn(40), drawn(30, seed=1, shift=0.5)
    rng = np.random.RandomState(7)
    estimates = []
    for _ in range(5):
        x = real[rng.choice(40, 10, replace=False)]
        estimates.append(by_loops(x, fake[rng.choice(30, 10, replace=False)]))
    mean, deviation = kernel_distance(real, fake, subsets=5, subset_size=10, seed=7)
    assert mean == pytest.approx(np.mean(estimates), rel=1e-12)
    assert deviation == pytest.approx(np.std(estimates), rel=1e-12)


def test_float32_features_are_computed_in_float64():
    real, fake = drawn(40).astype(np.float32), drawn(40, seed=1, shift=0.5).astype(np.float32)
    expected = kernel_distance(real.astype(float), fake.astype(float), subset_size=20)
    assert kernel_distance(real, fake, subset_size=20) == expected


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0.02, 0.3])
def test_distance_equals_torch_fidelity(shift):
    torch = pytest.importorskip("torch")
    peer = peers.torch_fidelity("metric_kid")
    real, fake = drawn(700, 2048), drawn(600, 2048, seed=1, shift=shift)
    options = {"kid_subsets": 8, "kid_subset_size": 400, "rng_seed": 2020, "verbose": False}
    expected = peer.kid_features_to_metric(
        torch.from_numpy(real), torch.from_numpy(fake), **options
    )
    mean, deviation = kernel_distance(real, fake, subsets=8, subset_size=400, seed=2020)
    assert mean == pytest.approx(expected[peer.KEY_METRIC_KID_MEAN], rel=1e-10)
    assert deviation == pytest.approx(expected[peer.KEY_METRIC_KID_STD], rel=1e-10)
