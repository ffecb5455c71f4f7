"""Ways to play a game, each a step from one state to the next that reads like its formula.

h is the rate, a number or one for each player, v the field of the game, w = (x, y) both choices.
"""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from ganzoo.errors import unknown
from ganzoo.games.game import Game

Rate = Any  # a number, or an array (2,): one for each player
Step = Callable[..., np.ndarray]

_NEWTON_STEPS = 8


def simultaneous(game: Game, w: np.ndarray, h: Rate) -> np.ndarray:
    """Takes w + h v(w): both players answer what they see now."""
    return w + h * game.field(w)


def alternating(game: Game, w: np.ndarray, h: Rate) -> np.ndarray:
    """First x moves, then y answers the new x, as most GANs are trained."""
    one, other = np.eye(2)
    w = w + h * game.field(w) * one
    return w + h * game.field(w) * other


def two_time_scale(game: Game, w: np.ndarray, h: Rate, *, ratio: float = 4.0) -> np.ndarray:
    """Moves y `ratio` times as fast as x (Heusel et al. 2017, arXiv:1706.08500)."""
    return w + h * np.array([1.0, ratio]) * game.field(w)


def implicit(game: Game, w: np.ndarray, h: Rate) -> np.ndarray:
    """Solves next = w + h v(next) by Newton's method: the proximal point step (Rockafellar 1976).

    Raises:
        ValueError: If it finds no solution: the rate is too large for this game.
    """
    after = w
    for _ in range(_NEWTON_STEPS):
        residual = w + h * game.field(after) - after
        scaled = np.reshape(h * np.ones(2), (2, 1)) * game.jacobian(after)
        after = after + np.linalg.solve(np.eye(2) - scaled, residual)
    if not np.allclose(after, w + h * game.field(after), rtol=1e-9, atol=1e-12):
        raise ValueError(
            f"Expected a rate that an implicit step has a solution for. Received: {h}."
        )
    return after


def extragradient(game: Game, w: np.ndarray, h: Rate) -> np.ndarray:
    """Takes w + h v(w + h v(w)) (Korpelevich 1976; Gidel et al. 2019, arXiv:1802.10551)."""
    ahead = w + h * game.field(w)
    return w + h * game.field(ahead)


def optimistic(game: Game, state: np.ndarray, h: Rate) -> np.ndarray:
    """Takes w + 2 h v(w) - h v(before) (Popov 1980; Daskalakis et al. 2018, arXiv:1711.00141).

    The state is (w, before), both the starting place at first.
    """
    w, before = state[:2], state[2:]
    after = w + 2 * h * game.field(w) - h * game.field(before)
    return np.concatenate([after, w])


def consensus(game: Game, w: np.ndarray, h: Rate, *, gamma: float = 1.0) -> np.ndarray:
    """Takes w + h (v - gamma v'^T v) (Mescheder, Nowozin & Geiger 2017, Algorithm 2)."""
    v = game.field(w)
    return w + h * (v - gamma * game.jacobian(w).T @ v)


def projected(game: Game, w: np.ndarray, h: Rate, *, bound: float = 1.0) -> np.ndarray:
    """Simultaneous steps of players that are held within [-bound, bound]."""
    return np.clip(w + h * game.field(w), -bound, bound)


def fictitious_play(game: Game, w: np.ndarray, h: Rate) -> np.ndarray:
    """Each plays its best answer to the other's average: w + h (best(w) - w) (Brown 1951).

    w is the average of all that was played; with the rate `harmonic` all plays count alike.

    Raises:
        ValueError: If the game has no best responses.
    """
    if game.best_responses is None:
        raise ValueError(f"Expected a game with best responses. Received: {game.name}.")
    return w + h * (game.best_responses(w) - w)


METHODS: dict[str, Step] = {
    step.__name__: step
    for step in (
        simultaneous,
        alternating,
        two_time_scale,
        implicit,
        extragradient,
        optimistic,
        consensus,
        projected,
        fictitious_play,
    )
}
"""Name -> step(game, state, rate, **options), which returns the next state."""

_MEMORY = {"optimistic": 2}  # places that a state holds, the present one first


def first_state(method: str, place: Any) -> np.ndarray:
    """Returns the state in which a method starts at a place (2,).

    Raises:
        ValueError: If there is no such method, or the place is not one.
    """
    if method not in METHODS:
        raise unknown("method", method, METHODS)
    place = np.asarray(place, np.float64)
    if place.shape != (2,):
        raise ValueError(f"Expected a place (2,). Received: shape {place.shape}.")
    return np.tile(place, _MEMORY.get(method, 1))


def harmonic(t: int) -> float:
    """Returns 1 / (t + 2), the rate that makes of step t an average of all plays so far."""
    return 1 / (t + 2)


def play(
    game: Game,
    method: str,
    start: Any,
    *,
    rate: Rate | Callable[[int], Rate],
    steps: int,
    **options: Any,
) -> np.ndarray:
    """Plays a game and returns the places before each step and after the last, (steps + 1, 2).

    Places that grow beyond float64 become infinite or NaN, without a warning.

    Args:
        game: What is played.
        method: Of `METHODS`.
        start: Both players' first choices, (2,).
        rate: Of every step, > 0, or a function of the step's number from 0 on.
        steps: How many, >= 0.
        **options: Of the method: `ratio`, `gamma`, `bound`.

    Raises:
        ValueError: If there is no such method, the start is no place, the rate or the number of
            steps is out of range, or the method does not take an option.
    """
    state, step = first_state(method, start), METHODS[method]
    if not isinstance(steps, (int, np.integer)) or steps < 0:
        raise ValueError(f"Expected a whole number of steps, 0 or more. Received: steps={steps!r}.")
    if not callable(rate) and not (np.shape(rate) in ((), (2,)) and np.all(np.asarray(rate) > 0)):
        raise ValueError(
            f"Expected a rate > 0, one for each player, or a function. Received: rate={rate!r}."
        )
    known = [name for name in inspect.signature(step).parameters if name not in ("game", "w", "h")]
    for name in options:
        if name not in known:
            raise unknown(f"option of {method}", name, {*known} - {"state"})
    places = np.empty((steps + 1, 2))
    places[0] = state[:2]
    with np.errstate(over="ignore", invalid="ignore"):
        for t in range(steps):
            state = step(game, state, rate(t) if callable(rate) else rate, **options)
            places[t + 1] = state[:2]
    return places


def flow(game: Game, start: Any, times: Any) -> np.ndarray:
    """Follows the field in continuous time, w' = v(w), and returns the places at `times`, (T, 2).

    An explicit Runge-Kutta method of order 8 with steps that keep the error near 1e-10.

    Args:
        game: What is played.
        start: Place (2,) at the first of the times.
        times: Growing, (T,), T >= 2.

    Raises:
        ValueError: If the start is no place, or the times do not grow.
    """
    start, times = first_state("simultaneous", start), np.asarray(times, np.float64)
    if times.ndim != 1 or len(times) < 2 or not (np.diff(times) > 0).all():
        raise ValueError(f"Expected times that grow, (T,), T >= 2. Received: {times!r}.")
    solved = solve_ivp(
        lambda t, w: game.field(w),
        (times[0], times[-1]),
        start,
        method="DOP853",
        t_eval=times,
        rtol=1e-11,
        atol=1e-13,
    )
    return solved.y.T
