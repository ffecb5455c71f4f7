import numpy as np
import pytest
from scipy import linalg

from ganzoo.metrics import frechet
from ganzoo.metrics.frechet import Moments, frechet_distance, moments
from tests.metrics import peers


def drawn(count, dimension, seed=0, shift=0.0):
    """Correlated features, not negative, as those of a network with rectifiers."""
    rng = np.random.default_rng(seed)
    mixing = rng.standard_normal((dimension, dimension)) / np.sqrt(dimension)
    return np.maximum(rng.standard_normal((count, dimension)) @ mixing + shift, 0)


def by_square_root(first, second):
    """The definition, with SciPy's root of the matrix product."""
    root = linalg.sqrtm(first.covariance @ second.covariance)
    shift = first.mean - second.mean
    return shift @ shift + np.trace(first.covariance + second.covariance - 2 * root.real)


def with_moments(mean, scale, count=500, dimension=16):
    """Features whose sample mean and covariance (scale^2 I) are exact."""
    noise = np.random.default_rng(count).standard_normal((count, dimension))
    noise = linalg.orth(noise - noise.mean(axis=0))
    return mean + scale * np.sqrt(count - 1) * noise


def test_gaussians_have_the_closed_form_distance():
    first = Moments(np.zeros(16), np.eye(16), 1000)
    second = Moments(np.full(16, 0.5), 4 * np.eye(16), 1000)
    assert frechet_distance(first, second) == pytest.approx(20.0, abs=1e-9)


def test_features_with_these_moments_have_the_closed_form_distance():
    first, second = with_moments(0.0, 1.0), with_moments(0.5, 2.0, count=700)
    assert frechet_distance(first, second) == pytest.approx(20.0, abs=1e-9)


def test_fewer_features_than_dimensions_have_the_closed_form_distance():
    # s e_i and t e_i, i = 1..n: Tr S1 = s^2, Tr S2 = t^2, Tr (S1 S2)^(1/2) = s t
    corners, s, t = np.eye(20, 50), 3.0, 5.0
    expected = (s - t) ** 2 / 20 + (s - t) ** 2
    assert frechet_distance(s * corners, t * corners) == pytest.approx(expected, rel=1e-12)


def test_covariances_that_do_not_commute_agree_with_the_matrix_root():
    first, second = moments(drawn(400, 24)), moments(drawn(300, 24, seed=1, shift=0.3))
    expected = by_square_root(first, second)
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("count", [20, 200])
@pytest.mark.parametrize("convert", [lambda x: x, moments], ids=["features", "moments"])
def test_distance_to_itself_is_zero(count, convert):
    features = convert(drawn(count, 64))
    trace = np.trace(moments(drawn(count, 64)).covariance)
    assert 0 <= frechet_distance(features, features) < 1e-9 * trace


@pytest.mark.parametrize("counts", [(20, 30), (20, 200), (200, 300)])
def test_distance_is_symmetric(counts):
    first, second = drawn(counts[0], 64), drawn(counts[1], 64, seed=1)
    there, back = frechet_distance(first, second), frechet_distance(second, first)
    assert there == pytest.approx(back, rel=1e-12)
    assert there > 0.1


@pytest.mark.parametrize("counts", [(20, 30), (20, 64), (65, 64), (20, 200), (200, 300)])
def test_moments_and_features_give_the_same_distance(counts):
    first, second = drawn(counts[0], 64), drawn(counts[1], 64, seed=1)
    expected = frechet_distance(first, second)
    for one, other in [(moments(first), second), (moments(first), moments(second))]:
        assert frechet_distance(one, other) == pytest.approx(expected, rel=1e-9)


def test_features_that_are_always_zero_change_nothing():
    first, second = drawn(200, 20), drawn(300, 20, seed=1, shift=0.3)
    silent = [np.insert(x, [0, 5, 5, 20], 0, axis=1) for x in (first, second)]
    assert frechet_distance(*silent) == pytest.approx(frechet_distance(first, second), rel=1e-9)


def test_moments_are_the_unbiased_ones_across_blocks(monkeypatch):
    monkeypatch.setattr(frechet, "_ROWS", 7)
    features = drawn(100, 5)
    found = moments(features)
    assert np.allclose(found.mean, features.mean(axis=0), rtol=1e-13)
    assert np.allclose(found.covariance, np.cov(features, rowvar=False), rtol=1e-12)
    assert found.count == 100


def test_float32_features_far_from_zero_keep_their_covariance():
    features = (1e4 + np.random.default_rng(0).standard_normal((5000, 3))).astype(np.float32)
    expected = np.cov(features.astype(np.float64), rowvar=False)
    assert np.allclose(moments(features).covariance, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(
    ("mean", "covariance", "count", "message"),
    [
        (np.zeros(3), np.eye(2), 10, "covariance"),
        (np.zeros((3, 1)), np.eye(3), 10, "mean"),
        (np.array([0, np.nan]), np.eye(2), 10, "finite"),
        (np.zeros(2), np.array([[1, 0.5], [0, 1]]), 10, "symmetric"),
        (np.zeros(2), np.diag([1, -1]), 10, "variances"),
        (np.zeros(2), np.eye(2), 1, "count"),
    ],
)
def test_wrong_moments_are_refused(mean, covariance, count, message):
    with pytest.raises(ValueError, match=message):
        Moments(mean, covariance, count)


def test_moments_of_another_dimension_are_refused():
    with pytest.raises(ValueError, match="3 and 4"):
        frechet_distance(moments(drawn(10, 3)), drawn(10, 4))


@pytest.mark.slow
@pytest.mark.parametrize(("count", "tolerance"), [(3000, 1e-9), (1000, 2e-5)])
def test_distance_equals_torch_fidelity(count, tolerance):
    torch = pytest.importorskip("torch")
    peer = peers.torch_fidelity("metric_fid")
    first, second = drawn(count, 2048), drawn(count, 2048, seed=1, shift=0.1)
    statistics = [peer.fid_features_to_statistics(torch.from_numpy(x)) for x in (first, second)]
    expected = peer.fid_statistics_to_metric(*statistics, verbose=False)[peer.KEY_METRIC_FID]
    assert frechet_distance(first, second) == pytest.approx(expected, rel=tolerance)
    by_moments = frechet_distance(moments(first), moments(second))
    assert by_moments == pytest.approx(expected, rel=tolerance)
