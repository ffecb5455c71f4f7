"""Three small games, each the shortest one that shows what it is for."""

from typing import Any

import numpy as np
from numpy.polynomial import Polynomial

from ganzoo.games.game import Game, matrix


def bilinear() -> Game:
    """V(x, y) = x y: x descends it, y ascends it, and the only equilibrium is (0, 0).

    The field (-y, x) turns about it, and its Jacobian has the eigenvalues i and -i: in continuous
    time play stays on a circle for ever (an exercise of Goodfellow's NIPS 2016 tutorial,
    arXiv:1701.00160). Best responses are within [-1, 1].
    """

    def pair(w: Any) -> tuple[np.ndarray, np.ndarray]:
        w = np.asarray(w)
        return w[..., 0], w[..., 1]

    def losses(w: Any) -> np.ndarray:
        x, y = pair(w)
        return np.stack([x * y, -x * y], axis=-1)

    def gradients(w: Any) -> np.ndarray:
        x, y = pair(w)
        return np.stack([y, -x], axis=-1)

    def best_responses(w: Any) -> np.ndarray:
        x, y = pair(w)
        return np.stack([np.where(y < 0, 1.0, -1.0), np.where(x < 0, -1.0, 1.0)], axis=-1)

    return Game(
        name="V = x y",
        losses=losses,
        gradients=gradients,
        jacobian=lambda w: matrix(*(np.full(np.shape(w)[:-1], n) for n in (0.0, -1.0, 1.0, 0.0))),
        equilibria=np.zeros((1, 2)),
        best_responses=best_responses,
    )


def duality_gap(w: Any) -> np.ndarray:
    """Returns what both players could gain together in `bilinear` played within [-1, 1].

    max_y V(x, y) - min_x V(x, y) = |x| + |y|: at least 0, and 0 at the equilibrium alone.

    Args:
        w: Places (..., 2).
    """
    return np.abs(np.asarray(w)).sum(axis=-1)


def leader_follower(*, bend: float = 0.5, coupling: float = 1.0, damping: float = 0.25) -> Game:
    """V(x, y) = -bend x^2 / 2 + coupling x y - damping y^2 / 2: x descends it, y ascends it.

    Alone, x would run away from 0; it is held there only by a y that answers at once. So (0, 0) is
    no Nash equilibrium, but that of a leader x and a follower y (a Stackelberg equilibrium) where
    coupling^2 > bend damping. With y moving r times as fast as x, the Jacobian [[bend, -coupling],
    [r coupling, -r damping]] has a positive determinant there and the trace bend - r damping:
    play in continuous time converges if, and only if, r > bend / damping (the threshold that
    Fiez & Ratliff 2020, arXiv:2009.14820, show to exist in general).

    Args:
        bend: How strongly x runs away, > 0.
        coupling: What joins the players.
        damping: How strongly y holds itself back, > 0.
    """

    def gradients(w: Any) -> np.ndarray:
        x, y = np.asarray(w)[..., 0], np.asarray(w)[..., 1]
        return np.stack([coupling * y - bend * x, damping * y - coupling * x], axis=-1)

    def losses(w: Any) -> np.ndarray:
        x, y = np.asarray(w)[..., 0], np.asarray(w)[..., 1]
        value = -bend * x**2 / 2 + coupling * x * y - damping * y**2 / 2
        return np.stack([value, -value], axis=-1)

    rows = (bend, -coupling, coupling, -damping)
    return Game(
        name="leader and follower",
        losses=losses,
        gradients=gradients,
        jacobian=lambda w: matrix(*(np.full(np.shape(w)[:-1], n) for n in rows)),
        equilibria=np.zeros((1, 2)),
    )


def stuck(*, pull: float = 0.2, coupling: float = 0.1) -> Game:
    """Each player alone in a well, with a deeper one on the other side of a hill.

    x descends (x^2 - 1)^2 / 4 - pull x - coupling x y, and y the same with the names exchanged.
    With 0 < coupling < pull, both small, four places are local Nash equilibria: no small move of
    one player helps that player. One of them is a Nash equilibrium, with both numbers near 1, and
    both players lose less there than at any other. Near (-1, -1) each would gain by a jump to the
    other well, whatever the other does, and no gradient says so.

    Args:
        pull: How much deeper the right wells are.
        coupling: How much each prefers the other one's side.

    Raises:
        ValueError: If the numbers give another number of local equilibria than four.
    """
    own = Polynomial([-pull, -1.0, 0.0, 1.0])  # x^3 - x - pull, equal to coupling y at rest

    def gradients(w: Any) -> np.ndarray:
        w = np.asarray(w)
        return own(w) - coupling * w[..., ::-1]

    def losses(w: Any) -> np.ndarray:
        w = np.asarray(w)
        return (w**2 - 1) ** 2 / 4 - pull * w - coupling * w * w[..., ::-1]

    def jacobian(w: Any) -> np.ndarray:
        x, y = np.asarray(w)[..., 0], np.asarray(w)[..., 1]
        return matrix(1 - 3 * x**2, coupling, coupling, 1 - 3 * y**2)

    def equilibria() -> np.ndarray:
        y = own / coupling
        x = (own(y) - Polynomial([0.0, coupling])).roots()
        x = np.sort(x[np.abs(x.imag) < 1e-9].real)
        places = np.stack([x, y(x)], axis=-1)
        for _ in range(3):  # roots of a polynomial of degree 9 are not that exact
            slopes = np.linalg.inv(jacobian(places))
            places = places + np.einsum("...ij,...j->...i", slopes, gradients(places))
        places = places[(3 * places**2 > 1).all(axis=-1)]  # a small move costs each player
        return places[np.argsort(losses(places).sum(axis=-1))]

    if not 0 < coupling < pull or len(equilibria()) != 4:
        raise ValueError(
            "Expected 0 < coupling < pull, small enough to leave four local equilibria. "
            f"Received: pull={pull}, coupling={coupling}."
        )
    return Game(
        name="two wells each",
        losses=losses,
        gradients=gradients,
        jacobian=jacobian,
        equilibria=equilibria(),
    )
