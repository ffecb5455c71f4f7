"""What a generator takes, apart: latents, and the labels that some take beside them."""

from typing import Any

import numpy as np
import tensorflow as tf

from ganzoo.gans import inputs
from ganzoo.gans.model import TwoPlayers
from ganzoo.grids import to_uint8


def draw(gan: TwoPlayers, n: int, *, seed: int, **conditions: Any) -> list[np.ndarray]:
    """Draws what the generator takes, as `gan.generate(n, seed=seed)` does.

    Returns:
        Latents (n, latent_dim), float32, and other arrays of n rows, labels (n,) say.
    """
    taken = gan.generator_inputs(n, seed=seed, latents=None, truncation=None, **conditions)
    return [np.asarray(one) for one in tf.nest.flatten(taken)]


def network(gan: TwoPlayers, ema: bool) -> Any:
    """Returns the generator, or the moving average of its weights."""
    return gan.generator_ema if ema else gan.generator


def packed(parts: Any) -> Any:
    """Returns what `draw` returned as the generator takes it: an array, or a tuple."""
    return parts[0] if len(parts) == 1 else tuple(parts)


def images(generator: Any, parts: Any, *, batch_size: int = 64) -> np.ndarray:
    """Returns the uint8 images of what `draw` returned, as `gan.generate` computes them."""
    return inputs.in_passes(generator, packed(parts), batch_size)


def target(gan: TwoPlayers, given: Any) -> tuple[np.ndarray, np.ndarray]:
    """Returns given images as uint8 and as float32 in [-1, 1], (N, H, W, C) both.

    Raises:
        ValueError: If these are no images, or of another shape than this GAN's.
    """
    if len(gan.image_shape) != 3:
        raise ValueError(f"Expected a GAN of images. Received: one of points {gan.image_shape}.")
    pixels = to_uint8(given)
    if pixels.shape[1:] != gan.image_shape:
        raise ValueError(
            f"Expected images of shape (N, {', '.join(map(str, gan.image_shape))}), as this GAN's. "
            f"Received: {pixels.shape}."
        )
    return pixels, pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)
