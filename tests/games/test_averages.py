"""Time averages on V = x y: exactly where they converge, and where they do not."""

import numpy as np
import pytest

from ganzoo import games

START = np.array([1.0, 0.0])


def course(method, rate, steps):
    places = games.play(games.bilinear(), method, START, rate=rate, steps=steps)
    rates = np.array([rate(t) if callable(rate) else rate for t in range(steps)])
    return places, rates


def power(scale, exponent):
    return lambda t: scale / (t + 1) ** exponent


def test_averages_are_the_weighted_means_of_the_places():
    places, rates = np.random.default_rng(0).normal(size=(9, 2)), np.arange(1.0, 10)
    plain, weighted = games.time_averages(places), games.time_averages(places, rates=rates)
    for n in range(9):
        np.testing.assert_allclose(plain[n], places[: n + 1].mean(axis=0))
        np.testing.assert_allclose(
            weighted[n], np.average(places[: n + 1], axis=0, weights=rates[: n + 1])
        )


@pytest.mark.parametrize("rate", [0.1, power(0.5, 0.5), power(0.9, 1.0)])
def test_no_schedule_of_rates_brings_simultaneous_play_nearer(rate):
    places, rates = course("simultaneous", rate, 500)
    ratios = np.linalg.norm(places[1:], axis=1) / np.linalg.norm(places[:-1], axis=1)
    np.testing.assert_allclose(ratios, np.sqrt(1 + rates**2), rtol=1e-12)


@pytest.mark.parametrize("rate", [0.1, power(0.5, 0.5), power(0.9, 1.0)])
def test_the_average_weighted_by_rates_is_as_far_as_the_way_over_the_time(rate):
    places, rates = course("simultaneous", rate, 500)
    found = np.linalg.norm(games.time_averages(places[:-1], rates=rates), axis=1)
    way = np.linalg.norm(places[1:] - START, axis=1)
    np.testing.assert_allclose(found, way / np.cumsum(rates), rtol=1e-9)


def test_in_continuous_time_averages_converge_where_play_circles():
    times = np.arange(0, 200, 0.01)
    places = games.flow(games.bilinear(), START, times)
    np.testing.assert_allclose(np.linalg.norm(places, axis=1), 1, atol=1e-8)
    found = np.linalg.norm(games.time_averages(places), axis=1)[1000:]
    expected = 2 * np.abs(np.sin(times / 2)) / np.maximum(times, 1e-9)
    np.testing.assert_allclose(found, expected[1000:], atol=2e-3)
    assert found[-1] < 0.011


def exponent(values, *, last=10):
    """The power of n that values grow by over the last part of a course."""
    n = len(values)
    return np.log(values[-1] / values[n // last - 1]) / np.log(last)


@pytest.mark.parametrize(("scale", "converges"), [(0.5, True), (1.5, False)])
def test_with_rates_c_over_root_t_averages_converge_for_small_c_alone(scale, converges):
    places, _ = course("simultaneous", power(scale, 0.5), 20_000)
    play, average = (np.linalg.norm(one, axis=1) for one in (places, games.time_averages(places)))
    assert exponent(play) == pytest.approx(scale**2 / 2, abs=0.01)  # play leaves in either case
    assert exponent(average) == pytest.approx((scale**2 - 1) / 2, abs=0.02)
    assert (exponent(average) < 0) == converges


def test_with_constant_rates_averages_diverge_unless_play_is_bounded():
    for method, limit in (("alternating", 0.01), ("projected", 0.01)):
        places, _ = course(method, 0.1, 4000)
        assert np.linalg.norm(places, axis=1).min() > 0.9  # no place is near
        assert np.linalg.norm(games.time_averages(places)[-1]) < limit
    places, _ = course("simultaneous", 0.1, 4000)
    assert np.linalg.norm(games.time_averages(places)[-1]) > 1e6


@pytest.mark.parametrize("rate", [0.1, power(0.5, 0.5)])
def test_the_gap_of_the_average_within_bounds_is_at_most_both_regrets(rate):
    """Zinkevich 2003, theorem 1: regret <= D^2 / (2 h_n) + G^2 / 2 sum h, here D = 2 and G = 1."""
    places, rates = course("projected", rate, 5000)
    counts = np.arange(1, 5001)
    bound = 2 * (4 / (2 * rates) + np.cumsum(rates) / 2) / counts
    gaps = games.duality_gap(games.time_averages(places[:-1]))
    assert (gaps <= bound).all()
    assert np.abs(places).max() <= 1


def test_alternating_averages_are_as_near_as_the_way_over_the_time():
    places, _ = course("alternating", 0.1, 3000)
    averages = np.cumsum(places, axis=0)
    # y answers each new x: y_n - y_0 = h sum of x_1 ... x_n
    np.testing.assert_allclose(
        places[1:, 1] - START[1], 0.1 * (averages[1:, 0] - START[0]), atol=1e-9
    )
    assert np.linalg.norm(averages[-1] / 3001) < 2.2 / (0.1 * 3000)
