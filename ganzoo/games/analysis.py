"""What eigenvalues say of a game and of a method, and what is measured of play."""

from typing import Any

import numpy as np

from ganzoo.games.game import Game, differentiate
from ganzoo.games.methods import METHODS, Rate, first_state


def eigenvalues(game: Game, w: Any) -> np.ndarray:
    """Returns the eigenvalues of the field's Jacobian at a place, complex (2,).

    At an equilibrium: all real parts negative, and play in continuous time, or in small enough
    simultaneous steps, converges from near by; one positive, and it leaves; zero, and the Jacobian
    does not decide: continuous time may circle or creep in, and simultaneous steps of any constant
    size move away to first order (Mescheder, Nowozin & Geiger 2017, section 3).

    Args:
        game: The game.
        w: Place (2,).

    Raises:
        ValueError: If the field has no Jacobian there.
    """
    return _spectrum(game.jacobian(np.asarray(w, np.float64)), game, w)


def update_matrix(game: Game, method: str, w: Any, *, rate: Rate, **options: Any) -> np.ndarray:
    """Returns the derivative of one step by the state, at the state that rests at a place.

    Args:
        game: The game.
        method: Of `METHODS`.
        w: Place (2,) where the field is zero.
        rate: Of the step.
        **options: Of the method.

    Returns:
        (N, N), N = 2; 4 for `"optimistic"`, whose state holds the place before too.
    """
    state, step = first_state(method, w), METHODS[method]
    return differentiate(lambda at: step(game, at, rate, **options), state)


def spectral_radius(game: Game, method: str, w: Any, *, rate: Rate, **options: Any) -> float:
    """Returns the largest absolute eigenvalue of `update_matrix`, with the same arguments.

    Below 1, play converges from near by, and in the long run the distance shrinks by this factor a
    step; above 1, it leaves from almost everywhere (Ostrowski's theorem on fixed points; Mescheder,
    Nowozin & Geiger 2017, proposition 3).

    Raises:
        ValueError: If the field has no Jacobian there.
    """
    found = update_matrix(game, method, w, rate=rate, **options)
    return float(np.abs(_spectrum(found, game, w)).max())


def largest_rate(values: Any) -> float:
    """Returns below which rate simultaneous steps converge: the least -2 Re(e) / |e|^2.

    |1 + h e| < 1 says just that (Mescheder, Nowozin & Geiger 2017, lemma 4). For eigenvalues near
    the imaginary axis it is nearly 0, however good the equilibrium is.

    Args:
        values: Eigenvalues of the field's Jacobian at an equilibrium.

    Returns:
        At least 0, which means that no rate is small enough.
    """
    values = np.asarray(values, np.complex128)
    return max(0.0, float((-2 * values.real / np.abs(values) ** 2).min()))


def measured_rate(distances: Any) -> float:
    """Returns the factor by which distances grow or shrink a step, fitted to their logarithm.

    Args:
        distances: To the equilibrium, after each step (T,), T >= 2, all > 0.
    """
    logs = np.log(np.asarray(distances, np.float64))
    return float(np.exp(np.polyfit(np.arange(len(logs)), logs, 1)[0]))


def time_averages(places: Any, *, rates: Any = None) -> np.ndarray:
    """Returns the average of the places up to each one, weighted by the rates, (T, 2).

    Args:
        places: (T, 2), as `play` returns them.
        rates: Weight of each place (T,), by default the same for all.
    """
    places = np.asarray(places, np.float64)
    weights = np.ones(len(places)) if rates is None else np.asarray(rates, np.float64)
    sums = np.cumsum(places * weights[:, np.newaxis], axis=0)
    return sums / np.cumsum(weights)[:, np.newaxis]


def _spectrum(found: np.ndarray, game: Game, w: Any) -> np.ndarray:
    if not np.isfinite(found).all():
        raise ValueError(f"Expected a place where {game.name} has a Jacobian. Received: {w}.")
    return np.linalg.eigvals(found)
