import tracemalloc

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from ganzoo.metrics import neighbours
from ganzoo.metrics.neighbours import density_coverage, nearest, prdc, precision_recall


def line(*places):
    return np.array(places, float)[:, np.newaxis]


def normal(count, dimension=8, seed=0, scale=1.0, dtype=np.float32):
    return (scale * np.random.default_rng(seed).standard_normal((count, dimension))).astype(dtype)


def lattice(count, dimension=4, seed=0, dtype=np.float32):
    """Points with few different coordinates: most distances tie, also at the balls' surfaces."""
    return np.random.default_rng(seed).integers(0, 3, (count, dimension)).astype(dtype)


def copied(count, dimension=8):
    """Real points, and fake ones of which a third are copies of them."""
    real, fake = normal(count, dimension), normal(count, dimension, seed=1)
    fake[: count // 3] = real[: count // 3]
    return real, fake


def by_definition(real, fake, k, inclusive=False):
    """All four scores from whole matrices of distances."""
    between = cdist(real, fake)
    real_radii, fake_radii = (np.sort(cdist(x, x), axis=1)[:, k] for x in (real, fake))
    compare = np.less_equal if inclusive else np.less
    within = between < real_radii[:, np.newaxis]
    return {
        "precision": compare(between, real_radii[:, np.newaxis]).any(axis=0).mean(),
        "recall": compare(between, fake_radii).any(axis=1).mean(),
        "density": within.sum(axis=0).mean() / k,
        "coverage": within.any(axis=1).mean(),
    }


SETS = {
    "normal": (normal(70), normal(60, seed=1, scale=0.8)),
    "ties": (lattice(70), lattice(60, seed=1)),
    "copies": copied(60),
    "wide copies": copied(61, 701),
    "float64": (normal(70, dtype=float), normal(60, seed=1, scale=0.8, dtype=float)),
    "float64 ties": (lattice(70, dtype=float), lattice(60, seed=1, dtype=float)),
}


def test_scores_of_points_on_a_line():
    # radii to the first neighbour: 1, 1, 2, 4 of the real points, 1.5, 1.5, 7.5 of the fake ones
    real, fake = line(0, 1, 3, 7), line(0.5, 2, 9.5)
    assert precision_recall(real, fake, k=1) == (1.0, 1.0)
    assert density_coverage(real, fake, k=1) == (pytest.approx(4 / 3), 1.0)
    # 10 lies in the ball of 7 alone, 20 and 30 in none; they reach to 10 and 10, and 10's to 10
    assert precision_recall(real, line(10, 20, 30), k=1) == (pytest.approx(1 / 3), 1.0)
    assert density_coverage(real, line(10, 20, 30), k=1) == (pytest.approx(1 / 3), 1 / 4)


def test_a_point_on_the_surface_is_inside_for_precision_and_recall_alone():
    real, fake = line(0, 1), line(2, 3)  # 2 lies on the ball around 1, which lies on that around 2
    assert precision_recall(real, fake, k=1) == (0.5, 0.5)
    assert precision_recall(real, fake, k=1, inclusive=False) == (0, 0)
    assert density_coverage(real, fake, k=1) == (0, 0)


def test_equal_sets_are_precise_and_covered():
    points = normal(200)
    assert precision_recall(points, points) == (1, 1)
    density, coverage = density_coverage(points, points)
    # every point lies in its own ball, and in those of which it is one of the 4 inner neighbours
    assert (density, coverage) == (pytest.approx(1.0), 1)


def test_far_sets_score_nothing():
    assert prdc(normal(50), normal(50, seed=1) + 100) == neighbours.Scores(0, 0, 0, 0)


@pytest.mark.parametrize("inclusive", [True, False])
@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("name", SETS)
def test_scores_equal_their_definitions(name, k, inclusive):
    real, fake = SETS[name]
    expected = by_definition(real, fake, k, inclusive)
    found = prdc(real, fake, precision_k=k, density_k=k, inclusive=inclusive)
    assert vars(found) == pytest.approx(expected, abs=1e-12)
    pair = precision_recall(real, fake, k=k, inclusive=inclusive)
    assert pair == (found.precision, found.recall)
    assert density_coverage(real, fake, k=k) == (found.density, found.coverage)


@pytest.mark.parametrize("name", SETS)
def test_each_score_has_its_own_k(name):
    found = prdc(*SETS[name], precision_k=2, density_k=6)
    assert (found.precision, found.recall) == precision_recall(*SETS[name], k=2)
    assert (found.density, found.coverage) == density_coverage(*SETS[name], k=6)


def test_defaults_are_the_papers():
    real, fake = SETS["ties"]
    expected = by_definition(real, fake, 3, inclusive=True)
    assert precision_recall(real, fake) == (expected["precision"], expected["recall"])
    expected = by_definition(real, fake, 5)
    assert density_coverage(real, fake) == pytest.approx(
        (expected["density"], expected["coverage"])
    )


@pytest.mark.parametrize("size", [64, 1000, 10_000])
@pytest.mark.parametrize("name", SETS)
def test_blocks_change_nothing(monkeypatch, name, size):
    expected = prdc(*SETS[name])
    monkeypatch.setattr(neighbours, "_BLOCK_BYTES", size)
    assert prdc(*SETS[name]) == expected


def test_memory_grows_with_the_block_not_with_the_square(monkeypatch):
    monkeypatch.setattr(neighbours, "_BLOCK_BYTES", 1 << 17)
    real, fake = normal(1500), normal(1500, seed=1)
    tracemalloc.start()
    try:
        prdc(real, fake)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20  # the square has 18 MB


def test_distances_have_the_precision_of_the_points():
    points = normal(20), normal(20, dtype=float)
    kinds = {nearest(x, y)[0].dtype.name for x, y in [points, points[::-1], points[1:] * 2]}
    assert kinds == {"float64"}
    assert nearest(points[0])[0].dtype == np.float32  # so that sums rounded elsewhere still tie


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_copies_are_at_distance_zero(dtype):
    points = normal(50, 300, scale=100, dtype=dtype)
    distances, indices = nearest(points[::-1].copy(), points)
    assert not distances.any()
    assert list(indices[:, 0]) == list(range(50))[::-1]


@pytest.mark.parametrize("k", [1, 4, 30])
def test_nearest_among_others_agrees_with_scikit_learn(k):
    points, others = normal(40), normal(30, seed=1)
    distances, indices = nearest(points, others, k=k)
    expected = NearestNeighbors(algorithm="kd_tree").fit(others).kneighbors(points, k)
    assert np.allclose(distances, expected[0], rtol=1e-6)
    assert np.array_equal(indices, expected[1])


@pytest.mark.parametrize("size", [1000, 1 << 20])
@pytest.mark.parametrize("k", [1, 4])
def test_nearest_leaves_out_the_point_itself(monkeypatch, k, size):
    monkeypatch.setattr(neighbours, "_BLOCK_BYTES", size)
    points = normal(40)
    points[7] = points[3]
    distances, indices = nearest(points, k=k)
    assert (indices != np.arange(40)[:, np.newaxis]).all()
    assert (distances[7, 0], indices[7, 0]) == (0, 3)
    expected = NearestNeighbors(algorithm="kd_tree").fit(points).kneighbors(None, k)[0]
    assert np.allclose(distances, expected, rtol=1e-6, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("k", [3, 5])
@pytest.mark.parametrize("name", [*SETS, "network"])
def test_scores_are_identical_to_prdc(name, k):
    peer = pytest.importorskip("prdc")
    if name == "network":
        SETS[name] = [np.maximum(normal(900, 2048, seed=s), 0) for s in (0, 1)]
    expected = peer.compute_prdc(*SETS[name], nearest_k=k)
    assert vars(prdc(*SETS[name], precision_k=k, density_k=k, inclusive=False)) == expected
    if not name.endswith(("ties", "copies")):  # nothing on a surface: the papers' test agrees too
        assert vars(prdc(*SETS[name], precision_k=k, density_k=k)) == expected
