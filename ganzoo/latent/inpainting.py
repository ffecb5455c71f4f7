"""Semantic inpainting: what is missing of an image, from a GAN's idea of the whole.

Yeh, Chen, Lim, Schwing, Hasegawa-Johnson & Do 2017, "Semantic Image Inpainting with Deep Generative
Models", arXiv:1607.07539.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from ganzoo.errors import unknown
from ganzoo.gans.model import TwoPlayers
from ganzoo.grids import whole
from ganzoo.latent import descent, holes, pictures, rendering
from ganzoo.latent.blending import poisson
from ganzoo.latent.fidelity import psnr

BLENDS = ("poisson", "paste")
GREY = 128


@dataclass(frozen=True, eq=False)
class Inpainting:
    """What `inpaint` returns.

    Args:
        given: The whole images, uint8 (n, H, W, C).
        masks: bool (n, H, W), True where a pixel was known.
        latents: float32 (n, latent_dim).
        labels: Labels that go with them, int (n,), of a conditional GAN; else None.
        generated: What the generator draws from them, uint8 (n, H, W, C).
        images: The results: known pixels as they were, the holes filled, uint8 (n, H, W, C).
        psnr: Decibels between the results and the given images, over all pixels, (n,).
        hole_psnr: The same over missing pixels alone.
    """

    given: np.ndarray
    masks: np.ndarray
    latents: np.ndarray
    labels: np.ndarray | None
    generated: np.ndarray
    images: np.ndarray
    psnr: np.ndarray
    hole_psnr: np.ndarray

    def picture(self, *, scale: int | None = None) -> np.ndarray:
        """Returns a row an image: what was known, generated, result, the given image; uint8."""
        shown = np.where(self.masks[..., np.newaxis], self.given, np.uint8(GREY))
        return pictures.side_by_side(shown, self.generated, self.images, self.given, scale=scale)


def inpaint(
    gan: TwoPlayers,
    images: Any,
    masks: Any = "center",
    *,
    prior_weight: float = 0.003,
    window: int | None = 7,
    blend: str = "poisson",
    steps: int = 500,
    restarts: int = 2,
    learning_rate: float = 0.1,
    seed: int = 0,
    ema: bool = True,
    batch_size: int = 32,
    progress: bool = True,
    **conditions: Any,
) -> Inpainting:
    """Fills holes in images with what a GAN generates there; the GAN itself never changes.

    Looks for the latents z that minimise the context loss ||W (G(z) - y)||_1, a sum over pixels in
    [-1, 1], plus `prior_weight` times the prior loss log(1 - D(G(z))), both networks in inference
    mode. Then the hole of the image y is filled from G(z). Unlike the paper, latents come from N(0,
    1) and are not kept within [-1, 1]; several starts are tried, and the rate falls.

    Args:
        gan: A GAN of images, with labels as `invert` has it.
        images: uint8, or float in [-1, 1], (n, H, W, C) of this GAN's shape. Missing pixels are
            used for the decibels alone.
        masks: bool (n, H, W) or (H, W), True where a pixel is known, or a kind: `"center"`,
            `"random"`, `"half"`, see `masks`.
        prior_weight: The paper's lambda.
        window: Side of the window that weighs known pixels by the share of missing ones around
            them, 7 in the paper; None: all known pixels weigh 1.
        blend: `"poisson"`, the paper's: the gradients of G(z) joined to the pixels around the hole;
            or `"paste"`: its pixels.
        steps: Steps of Adam from each start.
        restarts: Starts an image, drawn from N(0, 1); the best end counts.
        learning_rate: Of the first step; it falls to zero along half a cosine.
        seed: Seed of the starts and of drawn masks.
        ema: Whether to use the moving average of the generator's weights.
        batch_size: Starts at a time.
        progress: Whether to show a progress bar.
        **conditions: As for `invert`.

    Raises:
        ValueError: If images or masks have another shape than this GAN's, a mask knows no pixel,
            an option is out of range, or the discriminator gives no logits (B, 1) of images.
    """
    given, floats = rendering.target(gan, images)
    known = _masks(masks, given.shape[:3], seed)
    if blend not in BLENDS:
        raise unknown("blend", blend, BLENDS)
    if prior_weight:
        _check_discriminator(gan)

    def loss(fake: tf.Tensor, taken: tuple, wanted: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        away = tf.abs(fake - wanted) * weights[..., tf.newaxis]
        context = tf.reduce_sum(away, axis=(1, 2, 3))
        if not prior_weight:
            return context
        return context + prior_weight * prior_loss(gan, fake, taken[1:])

    visible = floats * known[..., np.newaxis]  # so that nothing missing can matter
    parts, _ = descent.search(
        gan,
        loss,
        (visible, holes.weights(known, window)),
        steps=whole("steps", steps, 0),
        restarts=whole("restarts", restarts, 1),
        learning_rate=learning_rate,
        seed=seed,
        ema=ema,
        conditions=conditions,
        batch_size=whole("batch_size", batch_size, 1),
        progress=progress,
    )
    generated = rendering.images(rendering.network(gan, ema), parts)
    filled = fill(given, generated, known, blend)
    return Inpainting(
        given=given,
        masks=known,
        latents=parts[0],
        labels=parts[1] if len(parts) > 1 else None,
        generated=generated,
        images=filled,
        psnr=psnr(filled, given),
        hole_psnr=psnr(filled, given, ~known),
    )


def prior_loss(gan: TwoPlayers, fake: tf.Tensor, labels: tuple = ()) -> tf.Tensor:
    """Returns log(1 - D(G(z))) of images, float32 (B,), D in inference mode."""
    taken = fake if len(gan.discriminator.inputs) == 1 else [fake, *labels]
    logits = tf.nest.flatten(gan.discriminator(taken, training=False))[0]
    return -tf.nn.softplus(tf.cast(logits, tf.float32))[:, 0]


def fill(
    given: np.ndarray, generated: np.ndarray, masks: np.ndarray, blend: str = "poisson"
) -> np.ndarray:
    """Returns uint8 images with their holes filled from generated ones.

    Args:
        given: uint8 (n, H, W, C).
        generated: uint8 (n, H, W, C).
        masks: bool (n, H, W), True where a pixel stays.
        blend: As for `inpaint`.
    """
    if blend == "paste":
        return np.where(masks[..., np.newaxis], given, generated)
    filled = [poisson(*one) for one in zip(given, generated, masks, strict=True)]
    return np.clip(np.rint(filled), 0, 255).astype(np.uint8)


def _masks(masks: Any, shape: tuple[int, int, int], seed: int) -> np.ndarray:
    n, *size = shape
    if isinstance(masks, str):
        return holes.masks(masks, n, tuple(size), seed=seed)
    masks = np.asarray(masks)
    fits = masks.shape in (tuple(size), shape) and masks.dtype == bool
    if not fits or not masks.any(axis=(-2, -1)).all():
        raise ValueError(
            f"Expected bool masks {shape} or {tuple(size)}, True where a pixel is known and not "
            f"False everywhere. Received: {masks.dtype} {masks.shape}."
        )
    return np.broadcast_to(masks, shape)


def _check_discriminator(gan: TwoPlayers) -> None:
    """Raises ValueError unless the discriminator gives logits (B, 1) of this GAN's images."""
    shapes = [tuple(tf.nest.flatten(one)[0].shape) for one in
              (gan.discriminator.inputs, gan.discriminator.outputs)]  # fmt: skip
    if shapes != [(None, *gan.image_shape), (None, 1)]:
        raise ValueError(
            f"Expected a discriminator from images {gan.image_shape} to logits (None, 1), for the "
            f"prior loss. Received: from {shapes[0]} to {shapes[1]}; prior_weight=0 needs none."
        )
