import numpy as np
import pytest

from ganzoo.metrics.inception_score import inception_score
from tests.metrics import peers


def logits(count, classes, scale=2.0, seed=0):
    return scale * np.random.default_rng(seed).standard_normal((count, classes))


def by_definition(logits):
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    mean = p.mean(axis=0)
    return np.exp(np.mean([sum(row * np.log(row / mean)) for row in p]))


@pytest.mark.parametrize("value", [0.0, -300.0])
def test_uniform_predictions_score_one(value):
    assert inception_score(np.full((100, 7), value)) == pytest.approx((1, 0), abs=1e-12)


@pytest.mark.parametrize("classes", [2, 10, 100])
def test_sure_and_balanced_predictions_score_the_number_of_classes(classes):
    sure = 1e4 * np.tile(np.eye(classes), (10, 1))
    assert inception_score(sure) == pytest.approx((classes, 0), rel=1e-12, abs=1e-9)


def test_splits_are_contiguous_and_scored_apart():
    halves = 1e4 * np.repeat(np.eye(2), 50, axis=0)  # all of one class, then all of the other
    assert inception_score(halves, splits=1) == pytest.approx((2, 0))
    assert inception_score(halves, splits=2) == pytest.approx((1, 0))


def test_classes_that_never_occur_are_no_nan():
    sure = 1e4 * np.tile(np.eye(3, 9), (10, 1))
    assert inception_score(sure, splits=5) == pytest.approx((3, 0))


@pytest.mark.parametrize("count", [40, 43])
def test_score_is_exp_of_the_mean_divergence(count):
    given = logits(count, 6)
    parts = [by_definition(given[i * count // 4 : (i + 1) * count // 4]) for i in range(4)]
    expected = np.mean(parts), np.std(parts)
    assert inception_score(given, splits=4) == pytest.approx(expected, rel=1e-12)


@pytest.mark.slow
def test_score_equals_torch_fidelity():
    torch = pytest.importorskip("torch")
    peer = peers.torch_fidelity("metric_isc")
    given = logits(5000, 1008).astype(np.float32)
    expected = peer.isc_features_to_metric(torch.from_numpy(given), splits=10, shuffle=False)
    mean, deviation = inception_score(given)
    assert mean == pytest.approx(expected[peer.KEY_METRIC_ISC_MEAN], rel=1e-6)
    assert deviation == pytest.approx(expected[peer.KEY_METRIC_ISC_STD], rel=1e-6)
