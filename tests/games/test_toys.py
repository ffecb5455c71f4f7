"""The small games: fields are the losses' gradients, equilibria what they are said to be."""

import numpy as np
import pytest

from ganzoo import games

GAMES = {
    "bilinear": games.bilinear,
    "leader_follower": games.leader_follower,
    "stuck": games.stuck,
    "minimax": games.dirac_gan,
    "non_saturating": lambda: games.dirac_gan("non_saturating", r1_gamma=0.3, noise=0.7),
    "noise": lambda: games.dirac_gan(noise=1.3),
    "wgan_gp": lambda: games.dirac_gan("wasserstein", gp_weight=0.4, noise=0.5),
    "consensus": lambda: games.with_consensus(games.dirac_gan(r1_gamma=0.2), gamma=0.6),
}
PLACES = np.random.default_rng(0).uniform(-1.5, 1.5, (7, 2))


def central(function, w, step=1e-6):
    sides = np.eye(2) * step
    return np.stack([(function(w + s) - function(w - s)) / (2 * step) for s in sides], axis=-1)


@pytest.mark.parametrize("name", GAMES)
def test_each_player_moves_down_its_own_loss(name):
    game = GAMES[name]()
    slopes = np.diagonal(central(game.losses, PLACES), axis1=-2, axis2=-1)
    np.testing.assert_allclose(game.field(PLACES), -slopes, atol=2e-9)


@pytest.mark.parametrize("name", GAMES)
def test_the_jacobian_is_the_fields_derivative(name):
    game = GAMES[name]()
    expected = np.stack([central(game.field, w) for w in PLACES])
    found = np.stack([game.jacobian(w) for w in PLACES])
    np.testing.assert_allclose(found, expected, atol=2e-9)
    np.testing.assert_allclose(game.jacobian(PLACES), found, atol=1e-15)


@pytest.mark.parametrize("name", sorted(GAMES.keys() - {"wgan_gp"}))
def test_the_field_is_zero_at_the_equilibria(name):
    game = GAMES[name]()
    np.testing.assert_allclose(game.field(game.equilibria), 0, atol=1e-12)


def test_the_bilinear_game_turns_with_the_eigenvalues_plus_and_minus_i():
    values = games.eigenvalues(games.bilinear(), (0, 0))
    np.testing.assert_allclose(np.sort_complex(values), [-1j, 1j], atol=1e-15)


def test_continuous_play_of_the_bilinear_game_is_a_circle():
    times = np.linspace(0, 50, 101)
    places = games.flow(games.bilinear(), (1.0, 0.0), times)
    circle = np.stack([np.cos(times), np.sin(times)], axis=1)
    np.testing.assert_allclose(places, circle, atol=1e-8)


@pytest.mark.parametrize(("bend", "damping"), [(0.5, 0.25), (0.2, 0.3)])
def test_the_follower_has_to_be_faster_than_the_threshold(bend, damping):
    game = games.leader_follower(bend=bend, damping=damping)
    threshold = bend / damping
    for ratio, converges in ((0.98 * threshold, False), (1.02 * threshold, True)):
        speeds = np.diag([1.0, ratio])
        real = np.linalg.eigvals(speeds @ game.jacobian(np.zeros(2))).real.max()
        assert (real < 0) == converges
        options = {"rate": 1e-4, "ratio": ratio}
        radius = games.spectral_radius(game, "two_time_scale", (0, 0), **options)
        assert (radius < 1) == converges
    # moving x alone is worth while: no Nash equilibrium
    assert game.losses(np.array([0.1, 0.0]))[0] < game.losses(np.zeros(2))[0]


def unilateral(game, w, player, choices):
    places = np.tile(w, (len(choices), 1))
    places[:, player] = choices
    return game.losses(places)[:, player] - game.losses(w)[player]


def test_of_four_local_equilibria_one_is_a_nash_equilibrium_and_best_for_both():
    game = games.stuck()
    near, far = np.linspace(-0.05, 0.05, 101), np.linspace(-3, 3, 6001)
    assert game.equilibria.shape == (4, 2)
    stays = []
    for w in game.equilibria:
        assert games.eigenvalues(game, w).real.max() < -0.5  # it draws play in
        for player in (0, 1):  # no small move helps
            assert unilateral(game, w, player, w[player] + near).min() > -1e-12
        stays.append([unilateral(game, w, p, far).min() > -1e-5 for p in (0, 1)])
    assert stays == [[True, True], [True, False], [False, True], [False, False]] or stays == [
        [True, True], [False, True], [True, False], [False, False]]  # fmt: skip
    losses = game.losses(game.equilibria)
    assert (losses[0] < losses[1:] - 0.1).all()


def test_both_players_get_stuck_in_the_worse_equilibrium_and_stay():
    game = games.stuck()
    places = games.play(game, "simultaneous", (-0.5, -0.6), rate=0.1, steps=400)
    np.testing.assert_allclose(places[-1], game.equilibria[-1], atol=1e-9)
    assert (game.equilibria[-1] < -0.9).all() and (game.equilibria[0] > 1.1).all()


def test_a_game_without_four_wells_is_refused():
    for options in ({"pull": 0.1, "coupling": 0.2}, {"pull": 0.6}, {"coupling": 0.0}):
        with pytest.raises(ValueError, match=r"Expected 0 < coupling < pull.*Received: pull="):
            games.stuck(**options)


def test_the_complex_step_is_exact_to_rounding():
    w = np.array([0.3, -1.2])
    found = games.differentiate(lambda at: np.exp(at) * at[..., ::-1] ** 3, w)
    a, b = w
    expected = [[np.exp(a) * b**3, 3 * np.exp(a) * b**2], [3 * np.exp(b) * a**2, np.exp(b) * a**3]]
    np.testing.assert_allclose(found, expected, rtol=1e-15)


def test_the_duality_gap_is_what_both_could_gain_within_bounds():
    game, choices = games.bilinear(), np.linspace(-1, 1, 201)
    for w in PLACES / 1.5:
        gains = [-unilateral(game, w, player, choices).min() for player in (0, 1)]
        assert games.duality_gap(w) == pytest.approx(sum(gains))
