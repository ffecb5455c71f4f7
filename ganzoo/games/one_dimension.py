"""The optimal discriminator p_data / (p_data + p_model), on data that are single numbers.

Goodfellow et al. 2014, arXiv:1406.2661, proposition 1 and figure 1.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit, ndtr, ndtri

from ganzoo.errors import unknown

PLAYERS = ("both", "discriminator", "generator")
_LATENTS = 4001


def optimal_discriminator(p_data: Any, p_model: Any) -> np.ndarray:
    """Returns p_data / (p_data + p_model), NaN where both are 0 (proposition 1).

    Args:
        p_data: Density of the data, any shape, at least 0.
        p_model: Density of what is generated, at the same places.
    """
    p_data, p_model = np.asarray(p_data, np.float64), np.asarray(p_model, np.float64)
    with np.errstate(invalid="ignore"):
        return p_data / (p_data + p_model)


def model_density(gan: Any, edges: Any, *, ema: bool = False) -> np.ndarray:
    """Returns the density of generated numbers, its mean over each cell, (N - 1,).

    No samples are drawn. The generator, a function of one latent, is followed along 4,001 of them
    from -6 to 6 and taken as straight between two; what lies between them has the probability that
    N(0, 1) gives it, and falls evenly between their images.

    Args:
        gan: A GAN with `latent_dim` 1 whose data are points (B, 1).
        edges: Borders of the cells, growing (N,).
        ema: Whether to follow the moving average of the generator.

    Raises:
        ValueError: If the GAN is another one.
    """
    _check(gan)
    edges = np.asarray(edges, np.float64)
    latents = np.linspace(-6, 6, _LATENTS)
    shares = np.diff(ndtr(latents)) / (ndtr(6.0) - ndtr(-6.0))
    images = _generated(gan, latents, ema)
    low, high = np.minimum(images[:-1], images[1:]), np.maximum(images[:-1], images[1:])
    width = np.maximum(high - low, 1e-9)
    below = np.clip((edges[:, np.newaxis] - low) / width, 0, 1) @ shares  # (N,)
    return np.diff(below) / np.diff(edges)


@dataclasses.dataclass(frozen=True, eq=False)
class Snapshot:
    """Where both players of a game on numbers are, beside the closed form.

    Args:
        x: Places (N,), at equal distances.
        p_data: Density of the data there.
        p_model: Density of what is generated.
        learned: The discriminator's D(x).
        latents: Some latents (K,), at equal probabilities.
        images: What they become.
    """

    x: np.ndarray
    p_data: np.ndarray
    p_model: np.ndarray
    learned: np.ndarray
    latents: np.ndarray
    images: np.ndarray

    @property
    def optimal(self) -> np.ndarray:
        """The closed form D*(x), NaN where there is neither data nor model."""
        return optimal_discriminator(self.p_data, self.p_model)

    @property
    def error(self) -> float:
        """Mean of |D - D*| over what the discriminator is shown, half of it real."""
        return self._mean(np.abs(self.learned - self.optimal))

    @property
    def from_half(self) -> float:
        """Mean of |D - 1/2| over what the discriminator is shown."""
        return self._mean(np.abs(self.learned - 0.5))

    @property
    def distance(self) -> float:
        """Total variation of data and model, 0 to 1: the mean of |2 D* - 1|."""
        return self._mean(np.abs(2 * self.optimal - 1))

    def _mean(self, values: np.ndarray) -> float:
        weights = self.p_data + self.p_model
        return float(np.sum(np.where(weights > 0, values, 0) * weights) / np.sum(weights))


def snapshot(
    gan: Any,
    density: Callable[[np.ndarray], np.ndarray],
    *,
    limits: tuple[float, float] = (-4.0, 4.0),
    cells: int = 200,
    ema: bool = False,
) -> Snapshot:
    """Reads both players' state off.

    Args:
        gan: As for `model_density`.
        density: From places (N,) to the density of the data.
        limits: Least and greatest x.
        cells: Places, and cells that the model's density is averaged over.
        ema: Whether to look at the moving average of the generator.

    Raises:
        ValueError: If the GAN is another one.
    """
    edges = np.linspace(*limits, cells + 1)
    x = (edges[:-1] + edges[1:]) / 2
    p_model = model_density(gan, edges, ema=ema)
    logits = gan.discriminator(x[:, np.newaxis].astype("float32"), training=False)
    latents = _equally_likely(17)
    return Snapshot(
        x=x,
        p_data=np.asarray(density(x), np.float64),
        p_model=p_model,
        learned=expit(np.asarray(logits, np.float64)[:, 0]),
        latents=latents,
        images=_generated(gan, latents, ema),
    )


def learner(gan: Any, player: str = "both") -> Callable[..., None]:
    """Returns a function that lets one player learn while the other stays, or both in turn.

    `learn(sample, steps=..., batch_size=256)` takes so many steps of Algorithm 1 (the GAN's
    `train_step`), or updates of the one player; `sample` makes float32 data (count, D) of a count.

    Args:
        gan: A compiled GAN.
        player: `"both"`, `"discriminator"` or `"generator"`.

    Raises:
        ValueError: If there is no such player.
    """
    import tensorflow as tf

    if player not in PLAYERS:
        raise unknown("player", player, PLAYERS)

    def discriminator(real: tf.Tensor) -> None:
        gan.update_discriminator(gan.discriminator_game, real, gan.fixed_fakes(real))

    def generator(real: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            fake = gan.fakes(real)
        gan.update_generator(gan.generator_game, real, fake, tape=tape)

    steps_of = {"both": gan.train_step, "discriminator": discriminator, "generator": generator}
    step = tf.function(steps_of[player], autograph=False)

    def learn(sample: Callable[[int], np.ndarray], *, steps: int, batch_size: int = 256) -> None:
        count = batch_size * (gan.updates_per_batch if player == "both" else 1)
        for _ in range(steps):
            step(tf.convert_to_tensor(sample(count), tf.float32))

    return learn


def _equally_likely(count: int) -> np.ndarray:
    return ndtri((np.arange(count) + 0.5) / count)


def _generated(gan: Any, latents: np.ndarray, ema: bool) -> np.ndarray:
    network = gan.generator_ema if ema else gan.generator
    inputs = latents[:, np.newaxis].astype("float32")
    return np.asarray(network(inputs, training=False), np.float64)[:, 0]


def _check(gan: Any) -> None:
    if gan.latent_dim != 1 or gan.image_shape != (1,):
        raise ValueError(
            "Expected a GAN with latent_dim=1 whose data have shape (1,). "
            f"Received: latent_dim={gan.latent_dim}, shape {gan.image_shape}."
        )
