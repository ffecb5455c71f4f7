"""GANs of points in the plane, and what happens to them step by step."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np

from ganzoo import builders, registry
from ganzoo.metrics import modes

ENTRY = "non_saturating_ring"
BATCH_SIZE = 128
RATE = 1.0e-3


def adam(rate: float = RATE, **options: Any) -> dict[str, Any]:
    """Returns the settings of Adam at a constant rate, which failures to converge need to show."""
    return {"class": "adam", "learning_rate": rate, "beta_1": 0.5, **options}


def build(
    kind: str,
    *,
    seed: int,
    generator: Mapping[str, Any] | None = None,
    discriminator: Mapping[str, Any] | None = None,
    **options: Any,
) -> Any:
    """Returns a compiled GAN with the networks of `non_saturating_ring`.

    Args:
        kind: Its class, `"wgan_gp"` say.
        seed: Of weights and latents: all GANs of a seed begin with the same weights.
        generator: Settings of the generator's optimizer, by default `adam()`.
        discriminator: The same for the discriminator's.
        **options: Of the class.
    """
    changes = {
        "gan": {"class": kind, "latent_dim": 64, **options},
        "optimizers.generator": dict(generator or adam()),
        "optimizers.discriminator": dict(discriminator or adam()),
        "training.seed": seed,
    }
    return builders.build(registry.entry(ENTRY, changes), strategy="cpu")


class Look(NamedTuple):
    """A generator at a step.

    Attributes:
        step: Steps done.
        points: What it makes of the watched latents, (N, 2).
        modes: Modes covered.
        high_quality: Share of points near to a mode, in [0, 1].
    """

    step: int
    points: np.ndarray
    modes: int
    high_quality: float


class Watch(keras.callbacks.Callback):
    """Looks at the generator itself, not its average, by the same latents every `every` steps.

    Args:
        mixture: What it learns.
        every: Steps.
        dense: Step from which on it looks every step.
        seed: Of the latents.
        count: How many of them.
    """

    def __init__(
        self,
        mixture: modes.Mixture,
        *,
        every: int,
        dense: float = np.inf,
        seed: int = 0,
        count: int = 2500,
    ):
        super().__init__()
        self.mixture, self.every, self.dense, self.looks = mixture, every, dense, []
        rng = np.random.default_rng([seed, 2])
        self._latents = rng.standard_normal((count, 64)).astype(np.float32)

    def on_train_begin(self, logs: Any = None) -> None:
        self._look()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        step = int(self.model.steps_done)
        if step % self.every == 0 or step > self.dense:
            self._look()

    def _look(self) -> None:
        points = np.asarray(self.model.generator(self._latents, training=False))
        found = modes.count_modes(points, self.mixture.centres, sigma=self.mixture.sigma)
        step = int(self.model.steps_done)
        self.looks.append(Look(step, points, found.covered, found.high_quality))


def train(
    gan: Any, mixture: modes.Mixture, *, steps: int, every: int, seed: int, last: int = 0
) -> list[Look]:
    """Trains a GAN on fresh points; returns what it was like every `every` steps.

    `steps` and `every` have to be multiples of 50. Of the `last` steps, each is looked at.
    """
    watch = Watch(mixture, every=every, dense=steps - last, seed=seed)
    gan.compile(steps_per_execution=1 if last else 50)
    points = mixture.sample(BATCH_SIZE * gan.updates_per_batch * steps, seed=seed + 1)
    gan.fit(points, batch_size=BATCH_SIZE, shuffle=False, verbose=0, callbacks=[watch])
    return watch.looks


def train_discriminator(
    gan: Any, sample: Callable[[int], np.ndarray], steps: int, watch: Callable[[int], None]
) -> None:
    """Trains the discriminator alone, against the generator as it is.

    Args:
        gan: A compiled GAN.
        sample: From a step to real examples of a batch.
        steps: Updates of the discriminator.
        watch: Called with the number of updates before each, and after the last.
    """
    import tensorflow as tf

    @tf.function(autograph=False)
    def update(real: tf.Tensor) -> None:
        real = gan.real_images(real)
        gan.update_discriminator(gan.discriminator_game, real, gan.fixed_fakes(real))

    for step in range(steps):
        watch(step)
        update(tf.constant(sample(step)))
    watch(steps)
