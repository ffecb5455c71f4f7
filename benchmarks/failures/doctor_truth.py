"""What became of a run, measured at its end without the doctor."""

from typing import Any

import keras
import numpy as np

SNAPSHOTS = 12
LAST = 0.3  # of the run
SAMPLES = 1000


class Snapshots(keras.callbacks.Callback):
    """Keeps samples of the same latents, and the generator's gradient, at times of the run's end.

    Args:
        steps: Steps of the run.
        real: Real examples for the gradient, as a batch of `fit`.
    """

    def __init__(self, steps: int, real: Any):
        super().__init__()
        self.steps, self.real = steps, real
        self.due = sorted({round(steps * (1 - LAST * i / SNAPSHOTS)) for i in range(SNAPSHOTS)})
        self.samples: list[np.ndarray] = []
        self.gradients: list[float] = []

    def on_train_begin(self, logs=None):
        gan = self.model
        self.first = gradient(gan, self.real)
        self.inputs = gan.generator_inputs(SAMPLES, seed=7, latents=None, truncation=None)

    def on_train_batch_end(self, batch, logs=None):
        step = int(self.model.steps_done)
        if not self.due or step < self.due[0]:
            return
        self.due = [one for one in self.due if one > step]
        samples = np.asarray(self.model.generator(self.inputs, training=False), np.float64)
        self.samples.append(samples.reshape(len(samples), -1))
        self.gradients.append(gradient(self.model, self.real))


def gradient(gan: Any, real: Any) -> float:
    """Returns the root mean square of the generator's gradient, over its weights."""
    import tensorflow as tf

    variables = gan.generator.trainable_variables
    state = [(gan.seed_generator.state, np.full(gan.seed_generator.state.shape, 99, np.uint32))]
    with keras.StatelessScope(state_mapping=state), tf.GradientTape() as tape:
        examples = gan.real_examples(real)
        loss, _ = gan.generator_game(examples, gan.fakes(examples))
    found = [g.numpy().ravel() for g in tape.gradient(loss, variables) if g is not None]
    return float(np.sqrt(np.mean(np.concatenate(found) ** 2)))


def energy(first: np.ndarray, second: np.ndarray) -> float:
    """Returns the energy distance of two samples (N, D), a metric (Szekely & Rizzo 2013).

    It is over that of the data's own mean distance by who calls it.
    """
    from scipy.spatial.distance import cdist

    between = cdist(first, second).mean()
    within = cdist(first, first).mean() / 2 + cdist(second, second).mean() / 2
    return float(np.sqrt(max(between - within, 0.0)))


def judged(snapshots: Snapshots, real: np.ndarray, labels_of: Any, kinds: int) -> dict[str, Any]:
    """Returns the truth of a run, and the numbers that it comes from.

    Args:
        snapshots: Of the run.
        real: Real samples (N, D), N about as many.
        labels_of: Function from samples to the mode or class of each, -1 for none.
        kinds: Modes or classes that there are.
    """
    from scipy.spatial.distance import cdist

    samples = snapshots.samples
    if not all(np.isfinite(one).all() for one in samples) or not samples:
        return {"truth": "divergence"}
    unit = np.sqrt(cdist(real, real).mean() / 2)
    some = [one[:500] for one in samples]
    error = float(np.mean([energy(one, real) for one in some])) / unit
    pairs = [(i, j) for i in range(len(some)) for j in range(i)]
    wander = float(np.mean([energy(some[i], some[j]) for i, j in pairs])) / unit
    counts = [np.bincount(labels_of(one) + 1, minlength=kinds + 1)[1:] for one in samples]
    kept = float(np.mean([np.sum(c >= 0.2 * len(samples[0]) / kinds) for c in counts])) / kinds
    fallen = float(np.median(snapshots.gradients)) / max(snapshots.first, 1e-30)
    numbers = {
        "error": error,
        "wander": wander,
        "kept": kept,
        "gradient": float(np.median(snapshots.gradients)),
        "fallen": fallen,
    }
    return {"truth": named(numbers), **{k: float(f"{v:.4g}") for k, v in numbers.items()}}


def named(found: dict[str, float]) -> str:
    """Returns what a run's numbers are called."""
    if found["kept"] >= 0.75 and found["error"] < 0.35:
        return "healthy"
    if found["wander"] > 0.2:
        return "non_convergence"
    if found["gradient"] < 1e-6 or found["fallen"] < 1e-3:
        return "vanishing_gradients"
    if found["kept"] <= 0.6:
        return "mode_collapse"
    return "unclear"
