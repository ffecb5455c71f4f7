"""Made-up series of looks at a GAN."""

import numpy as np


def look(step, *, shift=0.0, **own):
    """A look at a healthy GAN, its samples shifted along one line, with `own` measurements."""
    quantiles = np.linspace(-1.5, 1.5, 16)[None] + shift
    found = {
        "step": step,
        "finite": 1.0,
        "diversity": 1.0,
        "duplicates": 0.0,
        "missing": 0.02,
        "distance": 0.08,
        "quantiles": quantiles.tolist(),
        "g_gradient": 0.5,
        "g_logit_gradient": 1.0,
        "d_gradient": 0.5,
        "g_weights": 10.0,
        "auc": 0.6,
        "skipped": 0.0,
        "in_a_row": 0.0,
    }
    return {key: value for key, value in {**found, **own}.items() if value is not None}


def run(count=20, *, every=100, **own):
    """Looks of which each measurement is a number, or a function of the look's place in [0, 1]."""
    return [
        look(
            every * (number + 1),
            **{k: v(number / (count - 1)) if callable(v) else v for k, v in own.items()},
        )
        for number in range(count)
    ]


def from_the_middle(before, after):
    """A measurement that changes in the middle of the run."""
    return lambda place: before if place < 0.5 else after


STUCK = {"distance": 1.2, "missing": 0.9, "diversity": 0.6}
FAILING = {
    "vanishing_gradients": {**STUCK, "g_gradient": 1e-7, "auc": 1.0},
    "mode_collapse": STUCK,
    "non_convergence": {**STUCK, "shift": lambda place: 2.0 * np.sin(40 * place)},
    "divergence": {"finite": from_the_middle(1.0, 0.0)},
}
