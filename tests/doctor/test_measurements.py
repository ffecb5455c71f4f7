"""Each measurement against SciPy, scikit-learn or a closed form."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import distance
from sklearn.metrics import roc_auc_score

from ganzoo.doctor import measurements
from ganzoo.doctor.measurements import Data
from ganzoo.metrics import modes


def normal(count, dimension=2, *, seed=0, mean=0.0):
    return np.random.default_rng(seed).normal(mean, 1.0, (count, dimension))


def test_auc_is_the_area_under_the_roc_curve_ties_included():
    rng = np.random.default_rng(0)
    real, fake = rng.integers(0, 6, 40) / 2.0, rng.integers(-3, 4, 30) / 2.0
    truth = [1] * 40 + [0] * 30
    expected = roc_auc_score(truth, np.concatenate([real, fake]))
    assert measurements.auc(real[:, None], fake[:, None]) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("real", "fake", "expected"),
    [
        ([1, 2], [-1, -3], 1.0),
        ([-1, -1], [1, 1], 0.0),
        ([0, 0], [0, 0], 0.5),
        ([1, -1], [-1], 0.75),
    ],
)
def test_accuracy_is_of_signs_each_kind_counting_half(real, fake, expected):
    assert measurements.accuracy(np.array(real), np.array(fake)) == expected


@pytest.mark.parametrize("dimension", [1, 2, 4, 5, 64])
def test_pairwise_distances_are_scipys(dimension):
    first, second = normal(9, dimension), normal(7, dimension, seed=1)
    expected = distance.cdist(first, second)
    np.testing.assert_allclose(measurements.pairwise(first, second), expected, atol=1e-7)


def test_neighbours_are_of_other_rows_alone():
    samples = np.array([[0.0], [1.0], [3.0], [3.0]])
    mean, nearest = measurements.neighbours(samples)
    assert mean == pytest.approx(distance.pdist(samples).mean())
    assert nearest.tolist() == [1.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize("dimension", [1, 2, 50])
def test_lines_are_unit_vectors_and_the_same_each_time(dimension):
    lines = measurements.lines(dimension)
    np.testing.assert_allclose(np.linalg.norm(lines, axis=0), 1.0)
    np.testing.assert_array_equal(lines, measurements.lines(dimension))
    assert lines.shape == (dimension, 1 if dimension == 1 else measurements.LINES)


def test_distance_of_quantiles_is_about_the_wasserstein_distance_on_a_line():
    first, second = normal(4000, 1), 1.7 * normal(4000, 1, seed=1) + 2.0
    axis = measurements.lines(1)
    found = measurements.apart(*(measurements.quantiles(one, axis) for one in (first, second)))
    assert found == pytest.approx(stats.wasserstein_distance(first[:, 0], second[:, 0]), rel=0.03)


def test_a_shift_in_the_plane_is_seen_at_two_over_pi_of_its_length():
    lines, points = measurements.lines(2), normal(500)
    angle = 0.3
    moved = points + 3.0 * np.array([np.cos(angle), np.sin(angle)])
    found = measurements.apart(*(measurements.quantiles(one, lines) for one in (points, moved)))
    assert found == pytest.approx(3.0 * 2 / np.pi, rel=0.02)  # the mean of |cos|


def test_cells_find_every_far_mode_and_nothing_within_one():
    ring = modes.ring(8)
    points = ring.sample(200, seed=1)
    found = measurements.cells(points, 25, least=0.2)
    assert len(found) == 8
    apart = distance.cdist(found, ring.centres)
    assert apart.min(axis=1).max() < 0.02 and len(set(apart.argmin(axis=1))) == 8


def test_cells_are_where_lloyds_algorithm_stays():
    points = normal(120, 3)
    centres = measurements.cells(points, 4)
    for _ in range(50):
        owners = distance.cdist(points, centres).argmin(axis=1)
        centres = np.stack([points[owners == cell].mean(axis=0) for cell in range(4)])
    inertia = [
        np.square(distance.cdist(points, some).min(axis=1)).sum()
        for some in (measurements.cells(points, 4), centres)
    ]
    assert inertia[0] <= 1.1 * inertia[1]


def test_what_is_left_out_is_the_datas_share_of_cells_that_get_too_little():
    real = np.array([0.5, 0.3, 0.2])
    assert measurements.missing(real, np.array([0.5, 0.3, 0.2])) == 0.0
    assert measurements.missing(real, np.array([0.95, 0.05, 0.0])) == pytest.approx(0.5)
    assert measurements.missing(real, np.array([0.94, 0.06, 0.0])) == pytest.approx(0.2)
    assert measurements.missing(real, np.zeros(3)) == pytest.approx(1.0)


def test_samples_of_the_data_are_near_to_them_and_as_diverse():
    for mixture in (modes.ring(), modes.grid()):
        data = Data(mixture.sample(256, seed=1))
        found = data.compared(mixture.sample(256, seed=2))
        assert found["diversity"] == pytest.approx(1.0, abs=0.05)
        assert found["distance"] < 0.15 and found["missing"] == 0.0 and found["duplicates"] < 0.02


def test_a_point_in_the_middle_of_the_data_is_at_distance_one_and_a_copy_of_itself():
    data = Data(normal(400, 1))
    middle = data.quantiles.mean()
    found = data.compared(np.full((50, 1), middle))
    assert found["distance"] == pytest.approx(1.0)
    assert found["diversity"] == 0.0 and found["duplicates"] == 1.0


def test_two_of_eight_modes_leave_out_three_quarters_of_the_data():
    ring = modes.ring(8)
    data = Data(ring.sample(400, seed=1), ring.centres)
    two = ring.centres[np.arange(100) % 2]
    found = data.compared(two)
    expected = 1.0 - data.shares[:2].sum()
    assert found["missing"] == pytest.approx(expected) and 0.6 < expected < 0.9
    assert found["shares"].tolist() == [0.5, 0.5, 0, 0, 0, 0, 0, 0]


def test_images_are_measured_as_vectors_of_any_length():
    rng = np.random.default_rng(0)
    data = Data(rng.uniform(-1, 1, (64, 192)))
    same, grey = data.compared(rng.uniform(-1, 1, (64, 192))), data.compared(np.zeros((64, 192)))
    assert same["distance"] < 0.4 < grey["distance"] and grey["diversity"] == 0.0


def test_shares_count_the_nearest_centre():
    points = np.array([[0.1, 0], [0.2, 0], [0.9, 0], [5, 5]])
    found = measurements.shares(points, np.array([[0, 0], [1, 0], [0, 9]]))
    assert found.tolist() == [0.5, 0.5, 0]
