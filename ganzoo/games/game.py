"""A game of two players, each with one number to choose, as a vector field. NumPy, float64."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

Function = Callable[[np.ndarray], np.ndarray]

_STEP = 1e-30


@dataclasses.dataclass(frozen=True, eq=False)
class Game:
    """Two players who each descend a loss of their own, which the other one's choice changes too.

    A place w = (x, y) holds the choices of both. Every function takes places (..., 2), float64, and
    all but `losses` complex ones too, see `differentiate`.

    Args:
        name: What pictures and tables call it.
        losses: From places to both players' losses, (..., 2).
        gradients: The derivative of each player's loss by that player's own choice, (..., 2).
        jacobian: The derivative of `field` by the place, (..., 2, 2), rows for its components.
        equilibria: Places (K, 2) where no player gains by a small move, or, in a game that says
            so, where the field is zero; the best first.
        players: What the two choices are called.
        best_responses: From a place to each player's best choice against the other's, (..., 2),
            where the choices are bounded and there is one.
    """

    name: str
    losses: Function
    gradients: Function
    jacobian: Function
    equilibria: np.ndarray
    players: tuple[str, str] = ("x", "y")
    best_responses: Function | None = None

    def field(self, w: Any) -> np.ndarray:
        """Returns the direction v(w) in which both players move at once, (..., 2).

        It is minus `gradients`, the v of Mescheder, Nowozin & Geiger 2017 (arXiv:1705.10461).
        """
        return -self.gradients(np.asarray(w))


def with_consensus(game: Game, *, gamma: float) -> Game:
    """Returns the game whose players descend gamma ||v||^2 / 2 beside their losses.

    Its field is v - gamma v'^T v: consensus optimization (Mescheder, Nowozin & Geiger 2017,
    Algorithm 2) in continuous time.

    Args:
        game: The game that v is the field of.
        gamma: Weight of what is added, >= 0.
    """

    def losses(w: np.ndarray) -> np.ndarray:
        return game.losses(w) + gamma / 2 * np.sum(game.field(w) ** 2, axis=-1, keepdims=True)

    def gradients(w: np.ndarray) -> np.ndarray:
        v, jacobian = game.field(w), game.jacobian(w)
        return -v + gamma * np.einsum("...ji,...j->...i", jacobian, v)

    return dataclasses.replace(
        game,
        name=f"{game.name}, consensus",
        losses=losses,
        gradients=gradients,
        jacobian=lambda w: differentiate(lambda at: -gradients(at), w),
        best_responses=None,
    )


def differentiate(function: Function, w: Any) -> np.ndarray:
    """Returns the derivative of a function of places, exact to rounding.

    A complex step: f(w + i h e) = f(w) + i h f'(w) e up to h^2, and no difference is taken that
    could cancel (Squire & Trapp 1998, SIAM Review 40, 110-112).

    Args:
        function: From (..., N) to (..., M), made of functions that NumPy knows for complex numbers.
        w: Real, (..., N).

    Returns:
        (..., M, N).
    """
    w = np.asarray(w, np.float64)
    sides = np.eye(w.shape[-1]) * (1j * _STEP)
    return np.stack([np.imag(function(w + side)) / _STEP for side in sides], axis=-1)


def matrix(a: Any, b: Any, c: Any, d: Any) -> np.ndarray:
    """Returns [[a, b], [c, d]] of numbers or arrays, (..., 2, 2)."""
    entries = np.broadcast_arrays(a, b, c, d)
    return np.stack(entries, axis=-1).reshape(*entries[0].shape, 2, 2)
