import numpy as np
import pytest

from ganzoo.metrics.copies import copies


def pictures(count, seed=0, shape=(6, 6, 1)):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), np.uint8)


def features(count, seed=0):
    return np.random.default_rng(seed).standard_normal((count, 8)).astype(np.float32)


def line(*places):
    return np.array(places, float)[:, np.newaxis]


@pytest.mark.parametrize("kind", [pictures, features])
@pytest.mark.parametrize("held_out", [True, False])
def test_planted_copies_are_found(kind, held_out):
    fake, train = kind(80), kind(500, seed=1)
    fake[[5, 70]] = train[[499, 3]]
    found = copies(fake, train, held_out=kind(200, seed=2) if held_out else None, pairs=2)
    assert found.identical == 2
    assert 2 <= found.count <= 5
    assert found.total == 80
    assert [tuple(p) for p in found.pairs] == [(5, 499), (70, 3)]


def test_near_copies_are_suspected():
    fake, train = pictures(80), pictures(500, seed=1)
    fake[11] = np.clip(train[42].astype(int) + 3, 0, 255)
    found = copies(fake, train)
    assert (found.identical, tuple(found.pairs[0])) == (0, (11, 42))
    assert found.distances[11] == pytest.approx(np.linalg.norm(np.minimum(255 - train[42], 3.0)))
    assert found.distances[11] < found.threshold
    assert found.count >= 1


@pytest.mark.parametrize("seed", range(3))
def test_new_images_are_suspected_as_often_as_expected(seed):
    fake, train, held_out = (features(2000, seed=10 * seed + i) for i in range(3))
    for real in (None, held_out):
        found = copies(fake, train, held_out=real, expected=0.05)
        assert found.count / found.total == pytest.approx(0.05, abs=0.025)
        assert found.ratio == pytest.approx(1, abs=0.05)


def test_a_generator_that_repeats_the_training_set_shows():
    train = features(500)
    fake = train + 0.01 * features(500, seed=1)
    found = copies(fake, train)
    assert found.count == 500
    assert found.ratio < 0.05
    assert np.array_equal(found.indices, np.arange(500))


def test_distances_on_a_line():
    found = copies(line(1.5, 9, 40), line(0, 1, 3, 10), held_out=line(2, 13, 19), pairs=2)
    assert found.threshold == 1  # of 1, 3 and 9
    assert (found.count, found.identical, found.total) == (1, 0, 3)
    assert list(found.distances) == [0.5, 1, 30]
    assert list(found.indices) == [1, 3, 3]
    assert found.pairs.tolist() == [[0, 1], [1, 3]]
    assert found.ratio == pytest.approx(1 / 3)


def test_images_that_the_training_set_holds_twice_leave_the_threshold():
    train = pictures(300)
    once = copies(pictures(300, seed=1), train)
    twice = copies(pictures(300, seed=1), np.concatenate([train, train[:40]]))
    assert once.threshold > 100
    assert twice.threshold > 100


@pytest.mark.parametrize(
    ("fake", "train", "message"),
    [
        (pictures(5), pictures(5, shape=(6, 6, 3)), r"fake and train.*\(6, 6, 1\) and \(6, 6, 3\)"),
        (features(5), pictures(5), "fake and train"),
        (pictures(0), pictures(5), "fake: expected some images"),
        (pictures(5), pictures(1), "train: expected at least 2"),
        (pictures(5), np.repeat(pictures(1), 5, axis=0), "all equal one"),
        (features(5) * np.nan, features(5), "fake: .*NaN"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(fake, train, message):
    with pytest.raises(ValueError, match=message):
        copies(fake, train)


@pytest.mark.parametrize("expected", [-0.1, 1, float("nan")])
def test_a_wrong_share_is_refused(expected):
    with pytest.raises(ValueError, match="share"):
        copies(pictures(5), pictures(5), expected=expected)
