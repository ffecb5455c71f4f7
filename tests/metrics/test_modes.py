import numpy as np
import pytest

from ganzoo.metrics.modes import count_modes, grid, ring

PERFECT = 1 - np.exp(-9 / 2)  # of a round Gaussian within 3 sigma
MIXTURES = {"ring": ring(), "grid": grid()}


def scored(samples, mixture):
    return count_modes(samples, mixture.centres, sigma=mixture.sigma)


def test_centres_are_the_papers():
    assert ring().centres.shape == (8, 2)
    assert np.allclose(np.linalg.norm(ring().centres, axis=1), 1)
    assert np.allclose(ring().centres[1], np.sqrt([0.5, 0.5]))
    places = {-4.0, -2.0, 0.0, 2.0, 4.0}
    assert {tuple(c) for c in grid().centres} == {(x, y) for x in places for y in places}
    assert (ring().sigma, grid().sigma) == (0.01, 0.05)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", MIXTURES)
def test_real_samples_cover_every_mode_at_the_closed_form_quality(name, seed):
    mixture = MIXTURES[name]
    found = scored(mixture.sample(2500, seed=seed), mixture)
    assert found.covered == found.total == {"ring": 8, "grid": 25}[name]
    assert found.high_quality == pytest.approx(PERFECT, abs=0.007)


def test_quality_approaches_the_closed_form():
    mixture = ring()
    found = scored(mixture.sample(100_000), mixture)
    assert found.high_quality == pytest.approx(PERFECT, abs=1e-3)


@pytest.mark.parametrize("name", MIXTURES)
def test_a_collapsed_sampler_covers_one_mode(name):
    mixture = MIXTURES[name]
    found = scored(np.tile(mixture.centres[3], (2500, 1)), mixture)
    assert (found.covered, found.high_quality) == (1, 1.0)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_count_as_bad(value):
    mixture = ring()
    samples = np.tile(mixture.centres, (10, 1))
    samples[:20, 1] = value
    found = scored(samples, mixture)
    assert (found.covered, found.high_quality) == (8, 0.75)
    found = scored(np.full((10, 2), value), mixture)
    assert (found.covered, found.total, found.high_quality) == (0, 8, 0)


def test_a_sample_is_near_within_three_sigma():
    found = count_modes([[0.0, 2.999], [3.001, 0.0], [50.0, 0.0]], [[0, 0], [99, 0]], sigma=1)
    assert (found.covered, found.high_quality) == (1, pytest.approx(1 / 3))


def test_between_two_modes_counts_for_neither():
    mixture = grid()
    found = scored(mixture.sample(2500) + np.float32([1, 0]), mixture)
    assert (found.covered, found.high_quality) == (0, 0)


def test_modes_are_equally_likely():
    mixture = grid()
    samples = mixture.sample(25_000)
    nearest = np.linalg.norm(samples[:, None] - mixture.centres, axis=2).argmin(axis=1)
    counts = np.bincount(nearest, minlength=25)
    assert ((counts - 1000) ** 2 / 1000).sum() < 51  # chi-square, 24 degrees: p = 0.001


@pytest.mark.parametrize(
    ("samples", "sigma", "message"),
    [
        (np.zeros((0, 2)), 1.0, "empty"),
        (np.zeros((5, 3)), 1.0, "3 and 2"),
        (np.full((5, 3), np.nan), 1.0, "3 and 2"),
        (np.zeros(5), 1.0, r"\(5,\)"),
        (np.zeros((5, 2)), 0.0, "sigma"),
        (np.zeros((5, 2)), np.nan, "sigma"),
    ],
)
def test_wrong_samples_are_refused(samples, sigma, message):
    with pytest.raises(ValueError, match=message):
        count_modes(samples, ring().centres, sigma=sigma)
