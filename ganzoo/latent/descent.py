"""Gradient descent in the space of latents, each row on its own."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from ganzoo.gans.model import TwoPlayers
from ganzoo.latent import conditions as layouts
from ganzoo.latent import rendering

# From images (B, H, W, C) float32, what the generator took, and rows of targets to losses (B,).
Loss = Callable[..., tf.Tensor]
MEAN_DECAY, SQUARE_DECAY, EPSILON = 0.9, 0.999, 1e-8


def search(
    gan: TwoPlayers,
    loss: Loss,
    targets: tuple[np.ndarray, ...],
    *,
    restarts: int,
    seed: int,
    ema: bool,
    conditions: dict[str, Any],
    **options: Any,
) -> tuple[list[np.ndarray], np.ndarray]:
    """Looks for the latents of least loss for every row of `targets`, from several starts.

    Of a conditional GAN whose `labels` are not given, the starts of a row try the classes in turn.

    Args:
        gan: A GAN of images; none of its weights changes.
        loss: From images (B, H, W, C), the arrays that the generator took, as a tuple, and rows of
            targets to float32 losses (B,).
        targets: Arrays of n rows.
        restarts: Starts a row, drawn as `generate` draws latents; the best end counts.
        seed: Seed of those.
        ema: Whether to use the moving average of the generator's weights.
        conditions: Of `gan.generate`, for all or one a row.
        **options: Of `descend`.

    Returns:
        What the generator takes, arrays of n rows with the latents first, and their losses (n,).
    """
    n = len(targets[0])
    rows, start = np.divmod(np.arange(n * restarts), restarts)
    asked = layouts.spread_all(conditions, rows)
    if "labels" in gan.conditions and asked.get("labels") is None:
        asked["labels"] = [number % len(gan.class_names) for number in start]
    parts = rendering.draw(gan, len(rows), seed=seed, **asked)
    generator = rendering.network(gan, ema)

    def value(latents: tf.Tensor, others: list[tf.Tensor], *wanted: tf.Tensor) -> tf.Tensor:
        taken = (latents, *others)
        fake = tf.cast(generator(rendering.packed(taken), training=False), tf.float32)
        return loss(fake, taken, *wanted)

    wanted = [one[rows] for one in targets]
    scale = float(np.prod(gan.image_shape))
    latents, losses = descend(value, parts[0], parts[1:], wanted, scale=scale, **options)
    best = np.arange(n) * restarts + losses.reshape(n, restarts).argmin(axis=1)
    return [latents[best], *(part[best] for part in parts[1:])], losses[best]


def descend(
    loss: Callable[..., tf.Tensor],
    latents: np.ndarray,
    others: list[np.ndarray],
    targets: list[np.ndarray],
    *,
    steps: int,
    learning_rate: float,
    scale: float = 1.0,
    batch_size: int = 32,
    progress: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Minimises the loss of each row by Adam (Kingma & Ba 2015, Algorithm 1).

    The rate falls to zero along half a cosine. What was best on the way is kept.

    Args:
        loss: From latents (B, D), the rows of `others`, a list, and rows of targets to (B,).
        latents: Where to start, float32 (N, D).
        others: Arrays of N rows that stay.
        targets: Arrays of N rows.
        steps: Steps of each row, 0 or more.
        learning_rate: Rate of the first step.
        scale: Factor of the gradients, which half precision would lose where a loss is a mean over
            pixels; Adam's steps do not depend on it.
        batch_size: Rows at a time.
        progress: Whether to show a progress bar.

    Returns:
        Latents (N, D) and their losses (N,), float32.
    """
    count, size = len(latents), min(batch_size, len(latents))
    arrays = [np.asarray(latents, np.float32), *others, *targets]
    filled = [np.concatenate([one, one[:1].repeat(-count % size, axis=0)]) for one in arrays]
    step, found = _step(loss, len(others), scale), []
    bar = tqdm(total=len(filled[0]) // size * steps, unit="step", disable=not progress)
    for first in range(0, count, size):
        start, *rest = (tf.constant(one[first : first + size]) for one in filled)
        state = (start, tf.zeros_like(start), tf.zeros_like(start), start)
        state = (*state, tf.fill((size,), np.float32(np.inf)))
        for number in range(steps + 1):  # the last looks at the end, and its step is not used
            rate = learning_rate * 0.5 * (1 + np.cos(np.pi * number / max(steps, 1)))
            state = step(*state, tf.constant(number + 1.0), tf.constant(rate, tf.float32), *rest)
            bar.update(number < steps)
        found.append([one.numpy() for one in state[3:]])
    bar.close()
    best, losses = (np.concatenate(one)[:count] for one in zip(*found, strict=True))
    return best, losses


def _step(loss: Callable[..., tf.Tensor], count: int, scale: float) -> Callable[..., Any]:
    """Returns a compiled step of Adam that keeps the best latents so far."""

    @tf.function(autograph=False)
    def step(latents, mean, square, best, lowest, number, rate, *rest):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(latents)
            value = loss(latents, list(rest[:count]), *rest[count:])  # (B,)
            scaled = value * scale
        gradient = tape.gradient(scaled, latents)
        better = value < lowest
        best = tf.where(better[:, tf.newaxis], latents, best)
        mean = MEAN_DECAY * mean + (1 - MEAN_DECAY) * gradient
        square = SQUARE_DECAY * square + (1 - SQUARE_DECAY) * gradient**2
        corrected = mean / (1 - MEAN_DECAY**number)
        root = tf.sqrt(square / (1 - SQUARE_DECAY**number))
        moved = latents - rate * corrected / (root + EPSILON)
        return moved, mean, square, best, tf.where(better, value, lowest)

    return step
