"""The Dirac-GAN: its eigenvalues by hand, and where play goes with each penalty."""

import numpy as np
import pytest

from ganzoo import games

START = (1.0, 1.0)


def pair(real, square):
    """The eigenvalues real +- sqrt(square)."""
    root = np.sqrt(complex(square))
    return np.sort_complex(np.array([real - root, real + root]))


@pytest.mark.parametrize(("game", "expected"), [
    (games.dirac_gan(), pair(0, -0.25)),
    (games.dirac_gan("non_saturating"), pair(0, -0.25)),
    (games.dirac_gan("wasserstein"), pair(0, -1)),
    (games.dirac_gan(r1_gamma=0.4), pair(-0.2, 0.04 - 0.25)),
    (games.dirac_gan(r1_gamma=3.0), pair(-1.5, 2.25 - 0.25)),
    (games.dirac_gan(noise=1.2), pair(-0.36, 0.36**2 - 0.25)),
    (games.dirac_gan("non_saturating", noise=2.0), pair(-1, 1 - 0.25)),
    (games.dirac_gan("wasserstein", noise=1.2), pair(0, -1)),  # a straight line: f'' = 0
    (games.with_consensus(games.dirac_gan(), gamma=0.8), pair(-0.2, -0.25)),
])  # fmt: skip
def test_eigenvalues_at_the_equilibrium_are_the_papers(game, expected):
    """Mescheder 2018: f' = 1/2 and f'' = -1/4 at 0; consensus has -gamma f'^2 +- i f'."""
    found = np.sort_complex(games.eigenvalues(game, (0, 0)))
    np.testing.assert_allclose(found, expected, atol=1e-12)


def ends(game, time=200.0):
    return np.linalg.norm(games.flow(game, START, [0.0, time])[-1])


def test_without_penalties_continuous_play_keeps_its_distance():
    # of the minimax game the distance itself is conserved: theta v_theta + psi v_psi = 0
    assert ends(games.dirac_gan()) == pytest.approx(2**0.5, abs=1e-7)
    assert ends(games.dirac_gan("wasserstein")) == pytest.approx(2**0.5, abs=1e-7)


@pytest.mark.parametrize("loss", ["minimax", "non_saturating"])
@pytest.mark.parametrize("penalty", [{"r1_gamma": 0.5}, {"noise": 1.0}])
def test_r1_and_instance_noise_make_play_converge(loss, penalty):
    game = games.dirac_gan(loss, **penalty)
    assert ends(game) < 1e-8
    places = games.play(game, "simultaneous", START, rate=0.2, steps=1000)
    assert np.linalg.norm(places[-1]) < 1e-8


def test_consensus_converges_where_plain_steps_leave():
    plain, other = (
        np.linalg.norm(games.play(games.dirac_gan(), method, START, rate=0.2, steps=1000)[-1])
        for method in ("simultaneous", "consensus")
    )
    assert plain > 2 * 2**0.5 and other < 1e-8


def test_the_non_saturating_game_creeps_in_as_the_root_of_eight_over_t():
    """d r^2 / dt = -2 theta psi tanh(theta psi / 2), near -r^4 / 8 on average over a turn."""
    game = games.dirac_gan("non_saturating")
    times = np.linspace(0, 800, 1601)
    squares = np.sum(games.flow(game, START, times) ** 2, axis=1)
    assert (np.diff(squares) <= 1e-12).all()
    assert squares[-1] * 800 == pytest.approx(8, rel=0.08)


def test_wgan_gp_goes_round_a_cycle_from_within_and_from_without():
    game = games.dirac_gan("wasserstein", gp_weight=0.25)
    with pytest.raises(ValueError, match=r"has a Jacobian. Received: \(0, 0\)"):
        games.eigenvalues(game, (0, 0))
    last = []
    for size in (0.05, 4.0):
        places = games.play(game, "simultaneous", (size, 0.0), rate=0.01, steps=12_000)
        last.append(np.linalg.norm(places[-2000:], axis=1))
    assert min(last[0].min(), last[1].min()) > 0.5  # neither comes near
    np.testing.assert_allclose(last[0].mean(), last[1].mean(), rtol=0.01)


def test_noise_is_averaged_as_drawing_it_would():
    rng = np.random.default_rng(0)
    theta, psi, noise = 0.7, -1.1, 0.9
    real, fake = noise * rng.standard_normal((2, 400_000)) + [[0.0], [theta]]
    softplus = lambda a: np.logaddexp(0, a)  # noqa: E731
    d_loss = softplus(-psi * real).mean() + softplus(psi * fake).mean()
    found = games.dirac_gan("non_saturating", noise=noise).losses(np.array([theta, psi]))
    np.testing.assert_allclose(found, [softplus(-psi * fake).mean(), d_loss], atol=5e-3)


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="did you mean 'wasserstein'"):
        games.dirac_gan("waserstein")
    with pytest.raises(ValueError, match="Expected noise >= 0. Received: noise=-1"):
        games.dirac_gan(noise=-1)
