"""Inversion: the latents from which a generator draws a given image.

By descent on the latents (Zhu, Krähenbühl, Shechtman & Efros 2016, arXiv:1609.03552, section 4, and
Lipton & Tripathi 2017, arXiv:1702.04782); then, if asked for, on the generator around them (Roich,
Mokady, Bermano & Cohen-Or 2021, "Pivotal Tuning", arXiv:2106.05744).
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from ganzoo.gans import players
from ganzoo.gans.model import TwoPlayers
from ganzoo.grids import whole
from ganzoo.latent import descent, pictures, rendering
from ganzoo.latent.fidelity import psnr


@dataclass(frozen=True, eq=False)
class Inversion:
    """What `invert` returns.

    Args:
        given: The images looked for, uint8 (n, H, W, C).
        latents: float32 (n, latent_dim).
        labels: Labels that go with them, int (n,), of a conditional GAN; else None.
        images: What the generator draws from them, uint8 (n, H, W, C).
        psnr: Decibels between these and the given ones, (n,).
        generator: The tuned copy of the generator, or None.
        tuned: What that one draws, or None.
        tuned_psnr: As `psnr`, or None.
    """

    given: np.ndarray
    latents: np.ndarray
    labels: np.ndarray | None
    images: np.ndarray
    psnr: np.ndarray
    generator: keras.Model | None = None
    tuned: np.ndarray | None = None
    tuned_psnr: np.ndarray | None = None

    def picture(self, *, scale: int | None = None) -> np.ndarray:
        """Returns a row an image: given, found, and from the tuned generator, where there is one.

        uint8 (height, width, C).
        """
        columns = [self.given, self.images, *([] if self.tuned is None else [self.tuned])]
        return pictures.side_by_side(*columns, scale=scale)


def invert(
    gan: TwoPlayers,
    images: Any,
    *,
    steps: int = 300,
    restarts: int = 4,
    learning_rate: float = 0.1,
    prior_weight: float = 0.0,
    tune_steps: int = 0,
    tune_learning_rate: float = 3e-4,
    seed: int = 0,
    ema: bool = True,
    batch_size: int = 32,
    progress: bool = True,
    **conditions: Any,
) -> Inversion:
    """Finds latents whose images are like given ones; the GAN itself never changes.

    Minimises the mean squared error over pixels in [-1, 1] plus `prior_weight` times the mean
    square of the latents, which is the negative log likelihood of N(0, 1) but for constants. The
    generator runs in inference mode, so images do not depend on each other.

    Args:
        gan: A GAN of images. Codes within its latent vector are looked for like noise, as any
            numbers. Of one with labels, the starts try the classes in turn if none are given:
            at least as many restarts as classes are needed for all.
        images: uint8, or float in [-1, 1], (n, H, W, C) of this GAN's shape.
        steps: Steps of Adam from each start.
        restarts: Starts an image, drawn from N(0, 1); the best end counts.
        learning_rate: Of the first step; it falls to zero along half a cosine.
        prior_weight: See above; above 0, images are likelier ones and less alike.
        tune_steps: Steps of Adam on the weights of a copy of the generator afterwards, latents
            fixed: one copy for all images. The paper's locality regularisation and its perceptual
            distance are left out.
        tune_learning_rate: Of those, constant.
        seed: Seed of the starts.
        ema: Whether to use the moving average of the generator's weights.
        batch_size: Starts at a time.
        progress: Whether to show progress bars.
        **conditions: As for `gan.generate`: one for all or one an image. Given codes are where the
            starts are.

    Raises:
        ValueError: If the images have another shape than this GAN's, a number is too small, or a
            copy is to be tuned within a strategy's scope.
    """
    given, floats = rendering.target(gan, images)
    if whole("tune_steps", tune_steps, 0) and tf.distribute.has_strategy():
        # its variables would be mirrored, and nothing here runs on replicas
        raise ValueError("Expected tune_steps outside of a strategy's scope. Received: within one.")

    def loss(fake: tf.Tensor, taken: tuple, wanted: tf.Tensor) -> tf.Tensor:
        error = tf.reduce_mean((fake - wanted) ** 2, axis=(1, 2, 3))
        return error + prior_weight * tf.reduce_mean(taken[0] ** 2, axis=1)

    parts, _ = descent.search(
        gan,
        loss,
        (floats,),
        steps=whole("steps", steps, 0),
        restarts=whole("restarts", restarts, 1),
        learning_rate=learning_rate,
        seed=seed,
        ema=ema,
        conditions=conditions,
        batch_size=whole("batch_size", batch_size, 1),
        progress=progress,
    )
    generator = rendering.network(gan, ema)
    found = rendering.images(generator, parts)
    labels = parts[1] if len(parts) > 1 else None
    result = {"given": given, "latents": parts[0], "labels": labels, "images": found}
    if tune_steps:
        tuned = keras.models.clone_model(gan.generator)  # the average's layers are not trainable
        players.copy_weights(generator, tuned)
        _tune(tuned, parts, floats, tune_steps, tune_learning_rate, progress)
        drawn = rendering.images(tuned, parts)
        result |= {"generator": tuned, "tuned": drawn, "tuned_psnr": psnr(drawn, given)}
    return Inversion(psnr=psnr(found, given), **result)


def _tune(
    generator: keras.Model,
    parts: list[np.ndarray],
    wanted: np.ndarray,
    steps: int,
    learning_rate: float,
    progress: bool,
) -> None:
    """Trains a generator to draw what is wanted from what `parts` holds, in inference mode."""
    optimizer, variables = keras.optimizers.Adam(learning_rate), generator.trainable_variables
    optimizer.build(variables)
    # half precision would lose the gradients of a mean over pixels; Adam's steps are the same
    scale = float(np.prod(wanted.shape[1:]))

    @tf.function(autograph=False)
    def step(target: tf.Tensor, *taken: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            fake = tf.cast(generator(rendering.packed(taken), training=False), tf.float32)
            loss = scale * tf.reduce_mean((fake - target) ** 2)
        optimizer.apply(tape.gradient(loss, variables), variables)

    size = min(len(wanted), 32)
    order = np.resize(np.arange(len(wanted)), steps * size).reshape(steps, size)
    for rows in tqdm(order, desc="generator", unit="step", disable=not progress):
        step(*(tf.constant(one[rows]) for one in (wanted, *parts)))
