"""Ways to play: closed forms on V = x y, and rates as the eigenvalues predict them."""

import numpy as np
import pytest

from ganzoo import games

START = (0.6, -0.8)  # at the distance 1
TURN = np.array([[0.0, -1.0], [1.0, 0.0]])


def played(method, rate, steps=200, game=None, **options):
    return games.play(game or games.bilinear(), method, START, rate=rate, steps=steps, **options)


def distances(*arguments, **options):
    return np.linalg.norm(played(*arguments, **options), axis=1)


@pytest.mark.parametrize("rate", [0.01, 0.3, 2.0])
def test_simultaneous_play_spirals_out_by_the_closed_form(rate):
    steps = np.arange(201)
    angles = np.arctan2(-0.8, 0.6) + steps * np.arctan(rate)
    radius = (1 + rate**2) ** (steps / 2)
    spiral = radius[:, np.newaxis] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    np.testing.assert_allclose(played("simultaneous", rate) / radius[:, None],
                               spiral / radius[:, None], atol=1e-12)  # fmt: skip


@pytest.mark.parametrize("rate", [0.1, 1.0, 1.9])
def test_alternating_play_stays_on_an_ellipse(rate):
    places = played("alternating", rate, steps=5000)
    x, y = places.T
    invariant = x**2 + y**2 - rate * x * y
    np.testing.assert_allclose(invariant, invariant[0], rtol=1e-9)
    assert np.linalg.norm(places, axis=1).max() < (invariant[0] / (1 - rate / 2)) ** 0.5 * 1.001


def test_in_alternating_play_the_second_player_sees_the_first_ones_new_choice():
    after = played("alternating", 0.5, steps=1)[1]
    x = 0.6 - 0.5 * -0.8
    np.testing.assert_allclose(after, [x, -0.8 + 0.5 * x])


def test_alternating_play_leaves_beyond_the_rate_two():
    assert games.spectral_radius(games.bilinear(), "alternating", (0, 0), rate=2.05) > 1.1
    assert distances("alternating", 2.05)[-1] > 1e6


def optimistic_radius(rate):
    root = np.sqrt(complex(1 - 4 * rate**2))
    return max(abs(1 + sign * root + 2j * rate) / 2 for sign in (1, -1))


# what an update does to the distance on V = x y, in the long run
RADII = {
    "simultaneous": lambda h: np.sqrt(1 + h**2),
    "alternating": lambda h: 1.0,
    "two_time_scale": lambda h: np.sqrt(1 + 4 * h**2),  # four times the rate for y
    "implicit": lambda h: 1 / np.sqrt(1 + h**2),
    "extragradient": lambda h: np.sqrt(1 - h**2 + h**4),
    "optimistic": optimistic_radius,
    "consensus": lambda h: np.sqrt((1 - h) ** 2 + h**2),
}


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.56])
@pytest.mark.parametrize("method", RADII)
def test_spectral_radii_on_the_bilinear_game_are_the_closed_forms(method, rate):
    radius = games.spectral_radius(games.bilinear(), method, (0, 0), rate=rate)
    assert radius == pytest.approx(RADII[method](rate), rel=1e-12)


@pytest.mark.parametrize("method", RADII)
def test_rates_measured_are_the_radii_predicted(method):
    found = games.measured_rate(distances(method, 0.3, steps=1000)[500:])
    assert found == pytest.approx(RADII[method](0.3), abs=2e-4)


@pytest.mark.parametrize(("method", "most", "options"), [
    ("extragradient", 1.0, {}),
    ("optimistic", 1 / np.sqrt(3), {}),
    ("consensus", 2 * 0.5 / (1 + 0.5**2), {"gamma": 0.5}),
])  # fmt: skip
def test_a_spectral_radius_of_one_is_where_play_stops_converging(method, most, options):
    for rate, below in ((0.99 * most, True), (1.01 * most, False)):
        radius = games.spectral_radius(games.bilinear(), method, (0, 0), rate=rate, **options)
        assert (radius < 1) == below
        ends = distances(method, rate, steps=4000, **options)
        assert (ends[-1] < 1e-6) == below and (ends[-1] > 1e3) == (not below)


def test_update_matrices_follow_from_the_jacobian():
    game, one = games.bilinear(), np.eye(2)
    expected = {
        "simultaneous": one + 0.3 * TURN,
        "implicit": np.linalg.inv(one - 0.3 * TURN),
        "extragradient": one + 0.3 * TURN @ (one + 0.3 * TURN),
        "consensus": one + 0.3 * (TURN - TURN.T @ TURN),
        "optimistic": np.block([[one + 0.6 * TURN, -0.3 * TURN], [one, 0 * one]]),
    }
    for method, matrix in expected.items():
        found = games.update_matrix(game, method, (0, 0), rate=0.3)
        np.testing.assert_allclose(found, matrix, atol=1e-14, err_msg=method)


@pytest.mark.parametrize("method", ["implicit", "consensus", "optimistic", "extragradient"])
def test_matrices_of_games_that_are_not_linear_agree_with_differences(method):
    game = games.dirac_gan(r1_gamma=0.4)
    step = games.METHODS[method]
    state = np.tile([0.0, 0.0], 2 if method == "optimistic" else 1)
    sides = np.eye(len(state)) * 1e-6
    columns = [(step(game, state + s, 0.3) - step(game, state - s, 0.3)) / 2e-6 for s in sides]
    found = games.update_matrix(game, method, (0, 0), rate=0.3)
    np.testing.assert_allclose(found, np.stack(columns, axis=1), atol=1e-8)


def test_the_largest_rate_is_where_simultaneous_steps_stop_converging():
    game = games.dirac_gan(r1_gamma=0.5)
    most = games.largest_rate(games.eigenvalues(game, (0, 0)))
    assert most == pytest.approx(2 * 0.25 / 0.25)  # -1/4 +- i sqrt(3)/4: 2 Re / abs^2
    for rate, below in ((0.99 * most, True), (1.01 * most, False)):
        assert (games.spectral_radius(game, "simultaneous", (0, 0), rate=rate) < 1) == below
    assert games.largest_rate([1j, -1j]) == 0 and games.largest_rate([-1, 0.1]) == 0


def test_an_implicit_step_solves_its_equation():
    game = games.dirac_gan("non_saturating", r1_gamma=0.3)
    before, after = games.play(game, "implicit", (1.0, 1.5), rate=0.8, steps=1)
    np.testing.assert_allclose(after, before + 0.8 * game.field(after), atol=1e-12)


def test_fictitious_plays_averages_converge_while_its_plays_do_not():
    steps = 20_000
    averages = games.play(
        games.bilinear(), "fictitious_play", (1, 1), rate=games.harmonic, steps=steps
    )
    plays = np.diff(averages * np.arange(1, steps + 2)[:, np.newaxis], axis=0)
    np.testing.assert_allclose(np.abs(plays), 1, atol=1e-9)  # each is a pure best response
    assert (np.abs(np.diff(plays[-2000:], axis=0)) > 1).any(axis=0).all()  # and goes on changing
    gaps = games.duality_gap(averages)
    tops = [gaps[n // 2 : n].max() for n in (200, 2000, 20_000)]
    exponents = np.diff(np.log10(tops))
    np.testing.assert_allclose(exponents, -0.5, atol=0.15)


def test_rates_may_differ_by_player_and_by_step():
    found = played("simultaneous", np.array([0.1, 0.4]))
    np.testing.assert_array_equal(found, played("two_time_scale", 0.1))
    seen = []
    played("simultaneous", lambda t: seen.append(t) or 0.1, steps=4)
    assert seen == [0, 1, 2, 3]


def test_wrong_names_and_places_are_refused():
    game = games.bilinear()
    with pytest.raises(ValueError, match="did you mean 'extragradient'"):
        games.play(game, "extra_gradient", (1, 1), rate=0.1, steps=1)
    with pytest.raises(ValueError, match=r"Expected a place \(2,\). Received: shape \(3,\)"):
        games.play(game, "implicit", (1, 1, 1), rate=0.1, steps=1)
    with pytest.raises(
        ValueError, match="Expected a game with best responses. Received: two wells"
    ):
        games.play(games.stuck(), "fictitious_play", (1, 1), rate=0.1, steps=1)


def test_wrong_rates_steps_options_and_times_are_refused():
    game, start = games.bilinear(), (1.0, 0.0)
    for steps in (-1, 2.5, "3"):
        with pytest.raises(ValueError, match="whole number of steps"):
            games.play(game, "simultaneous", start, rate=0.1, steps=steps)
    for rate in (0.0, -0.1, float("nan"), (0.1, 0.2, 0.3)):
        with pytest.raises(ValueError, match="Expected a rate > 0"):
            games.play(game, "simultaneous", start, rate=rate, steps=2)
    with pytest.raises(ValueError, match="did you mean 'gamma'"):
        games.play(game, "consensus", start, rate=0.1, steps=2, gama=1.0)
    with pytest.raises(ValueError, match="Valid: none"):
        games.play(game, "optimistic", start, rate=0.1, steps=2, gamma=1.0)
    for times in ([0.0], [0.0, 0.0], [1.0, 0.5], [[0.0, 1.0]]):
        with pytest.raises(ValueError, match="times that grow"):
            games.flow(game, start, times)
    assert games.play(game, "two_time_scale", start, rate=(0.1, 0.2), steps=0).tolist() == [[1, 0]]
