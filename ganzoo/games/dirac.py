"""The Dirac-GAN: one point to imitate, one number for each player.

Mescheder, Geiger & Nowozin 2018, "Which Training Methods for GANs do actually Converge?",
arXiv:1801.04406, section 2.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from ganzoo.errors import unknown
from ganzoo.games.game import Game, matrix

_NODES = 40


@dataclasses.dataclass(frozen=True)
class _Term:
    """A function of logits with its first and second derivative."""

    value: Callable
    slope: Callable
    bend: Callable


def _sigmoid(a: np.ndarray) -> np.ndarray:
    return (1 + np.tanh(a / 2)) / 2  # for complex numbers too, and never overflows


def _softplus(a: np.ndarray) -> np.ndarray:
    return np.logaddexp(0.0, a)


def _bend(a: np.ndarray) -> np.ndarray:
    return _sigmoid(a) * _sigmoid(-a)


_REAL = _Term(lambda a: _softplus(-a), lambda a: -_sigmoid(-a), _bend)
_FAKE = _Term(_softplus, _sigmoid, _bend)
_MINUS = _Term(lambda a: -a, lambda a: -np.ones_like(a), np.zeros_like)

# The discriminator's loss on real and on generated points, and the generator's.
LOSSES: dict[str, tuple[_Term, _Term, _Term]] = {
    "minimax": (_REAL, _FAKE, _Term(lambda a: -_softplus(a), lambda a: -_sigmoid(a),
                                    lambda a: -_bend(a))),
    "non_saturating": (_REAL, _FAKE, _REAL),
    "wasserstein": (_MINUS, _Term(lambda a: a, np.ones_like, np.zeros_like), _MINUS),
}  # fmt: skip


def dirac_gan(
    loss: str = "minimax", *, r1_gamma: float = 0.0, gp_weight: float = 0.0, noise: float = 0.0
) -> Game:
    """Data are the point 0, the generator gives theta, the logit of x is psi x.

    The players are (theta, psi), the equilibrium is (0, 0). Without regularisation the Jacobian
    there is [[0, f], [-f, 0]] with f = 1/2 (1 for `"wasserstein"`): eigenvalues f i and -f i,
    nothing that draws play in. With R1 they are
    -gamma / 2 +- sqrt(gamma^2 / 4 - f^2); with noise -s +- sqrt(s^2 - f^2), s = noise^2 / 4: both
    have negative real parts. Noise does so by the bend of the loss at 0: of `"wasserstein"`, a
    straight line, it leaves the eigenvalues as they are. The penalty of WGAN-GP makes the field
    jump at psi = 0, where the equilibrium is, and there is no Jacobian (NaN); play ends on a cycle
    around it.

    psi has the sign of the zoo, whose logits are high for real data; the paper's is the other.

    Args:
        loss: `"minimax"`, `"non_saturating"` or `"wasserstein"`, as in `ganzoo.losses`.
        r1_gamma: Adds gamma / 2 psi^2 to the discriminator's loss, R1 and R2 alike.
        gp_weight: Adds weight (|psi| - 1)^2, the penalty of WGAN-GP.
        noise: Standard deviation of normal noise on what the discriminator sees of both kinds;
            means over it are Gauss-Hermite sums.

    Raises:
        ValueError: If there is no such loss, or a number is negative.
    """
    if loss not in LOSSES:
        raise unknown("loss", loss, LOSSES)
    for name, value in {"r1_gamma": r1_gamma, "gp_weight": gp_weight, "noise": noise}.items():
        if not value >= 0:
            raise ValueError(f"Expected {name} >= 0. Received: {name}={value!r}.")
    real, fake, generator = LOSSES[loss]
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES) if noise else (np.zeros(1), [1.0])
    shifts, weights = noise * nodes, np.asarray(weights) / np.sum(weights)

    def mean(values: np.ndarray) -> np.ndarray:
        return values @ weights

    def split(w: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        w = np.asarray(w)[..., np.newaxis]
        return w[..., 0, :], w[..., 1, :], w[..., 0, :] + shifts  # theta, psi, points seen

    def losses(w: Any) -> np.ndarray:
        _, psi, points = split(w)
        one = psi[..., 0]
        penalty = r1_gamma / 2 * one**2 + gp_weight * (np.abs(one) - 1) ** 2
        d_loss = mean(real.value(psi * shifts)) + mean(fake.value(psi * points)) + penalty
        return np.stack([mean(generator.value(psi * points)), d_loss], axis=-1)

    def gradients(w: Any) -> np.ndarray:
        _, psi, points = split(w)
        one = psi[..., 0]
        penalty = r1_gamma * one + 2 * gp_weight * (one - np.sign(one.real))
        on_real, on_fake = shifts * real.slope(psi * shifts), points * fake.slope(psi * points)
        d_gradient = mean(on_real) + mean(on_fake) + penalty
        return np.stack([mean(psi * generator.slope(psi * points)), d_gradient], axis=-1)

    def jacobian(w: Any) -> np.ndarray:
        _, psi, points = split(w)
        a, at_rest = psi * points, psi * shifts
        jump = np.where(psi[..., 0] == 0, np.nan, 2.0) * gp_weight if gp_weight else 0.0
        return -matrix(
            mean(psi**2 * generator.bend(a)),
            mean(generator.slope(a) + a * generator.bend(a)),
            mean(fake.slope(a) + a * fake.bend(a)),
            mean(shifts**2 * real.bend(at_rest)) + mean(points**2 * fake.bend(a)) + r1_gamma + jump,
        )

    marks = {"R1": r1_gamma, "WGAN-GP": gp_weight, "instance noise": noise}
    added = [name for name, value in marks.items() if value]
    return Game(
        name=", ".join([f"Dirac-GAN, {loss.replace('_', '-')}", *added]),
        losses=losses,
        gradients=gradients,
        jacobian=jacobian,
        equilibria=np.zeros((1, 2)),
        players=("theta", "psi"),
    )
