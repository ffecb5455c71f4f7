"""Walks between random latents: images, a picture, an animation."""

from typing import Any

import numpy as np

from ganzoo.errors import unknown
from ganzoo.grids import grid, whole
from ganzoo.latent import conditions
from ganzoo.latent.lines import lerp, slerp
from ganzoo.metrics.modes import Mixture
from ganzoo.scatter import limits_of, scatter

PATHS = {"slerp": slerp, "lerp": lerp}


def interpolate(
    gan: Any,
    n: int = 8,
    steps: int = 8,
    *,
    seed: int = 0,
    path: str = "slerp",
    **options: Any,
) -> np.ndarray:
    """Generates images on the way between pairs of latents drawn from N(0, 1).

    Args:
        gan: A GAN: anything with `latent_dim` and `generate(latents=)`; of conditional ones also
            `conditions`, `class_names` and `codes`.
        n: Number of pairs.
        steps: Images a pair, both ends included, 2 or more.
        seed: Seed of the latents.
        path: `"slerp"`, the arc, or `"lerp"`, the straight line, in whose middle latents are
            shorter than those that the generator learnt from.
        **options: Of `gan.generate`. Conditions are one for all or one a pair; by default the pairs
            have the classes in turn, or the values of a categorical code, and continuous codes
            stand in the middle.

    Returns:
        uint8 images (n * steps, H, W, C), pair after pair: `grid(..., columns=steps)` has a pair
        in each row. Of a GAN of points, points (n * steps, D).

    Raises:
        ValueError: If `n` or `steps` is too small, or there is no such path.
    """
    n, steps = whole("n", n, 1), whole("steps", steps, 2)
    if path not in PATHS:
        raise unknown("path", path, PATHS)
    size = conditions.noise_dim(gan)
    ends = np.random.default_rng(seed).standard_normal((2, n, size), np.float32)
    latents = PATHS[path](ends[0], ends[1], np.linspace(0, 1, steps))  # (steps, n, size)
    asked = conditions.laid_out(gan, np.repeat(np.arange(n), steps), options)
    return gan.generate(latents=latents.swapaxes(0, 1).reshape(n * steps, size), **asked)


def interpolation_grid(
    gan: Any,
    n: int = 8,
    steps: int = 8,
    *,
    seed: int = 0,
    padding: int = 2,
    scale: int | None = 1,
    **options: Any,
) -> np.ndarray:
    """Returns a picture of `interpolate`, a pair in each row; arguments as there and for `grid`."""
    images = interpolate(gan, n, steps, seed=seed, **options)
    return grid(images, columns=steps, padding=padding, scale=scale)


def interpolation_frames(
    gan: Any,
    n: int = 16,
    stops: int = 4,
    steps: int = 12,
    *,
    seed: int = 0,
    padding: int = 2,
    scale: int | None = None,
    mixture: Mixture | None = None,
    **options: Any,
) -> np.ndarray:
    """Returns pictures for `animate`: a grid of images that walk through latents and back.

    Args:
        gan: As for `interpolate`.
        n: Images in the grid.
        stops: Latents that each passes, 2 or more; from the last it goes back to the first.
        steps: Frames from one stop to the next.
        seed: Seed of the latents.
        padding: As for `grid`.
        scale: As for `grid`, chosen automatically by default.
        mixture: As for `scatter`, where the GAN makes points.
        **options: Of `gan.generate`; each image of the grid keeps its conditions, by default those
            that the pairs of `interpolate` have.

    Returns:
        uint8 pictures (stops * steps, height, width, C), without a jump from the last to the first.

    Raises:
        ValueError: If a number is too small.
    """
    n, stops, steps = whole("n", n, 1), whole("stops", stops, 2), whole("steps", steps, 1)
    shape = (stops, n, conditions.noise_dim(gan))
    ends = np.random.default_rng(seed).standard_normal(shape, np.float32)
    part = np.linspace(0, 1, steps, endpoint=False)
    latents = slerp(ends, np.roll(ends, -1, axis=0), part)  # (steps, stops, n, size)
    latents = latents.swapaxes(0, 1).reshape(-1, shape[-1])
    asked = conditions.laid_out(gan, np.tile(np.arange(n), stops * steps), options)
    images = gan.generate(latents=latents, **asked)
    images = images.reshape(stops * steps, n, *images.shape[1:])
    if images.ndim == 3:
        limits = limits_of(images.reshape(-1, images.shape[-1]), mixture)
        return np.stack([scatter(row, mixture=mixture, limits=limits) for row in images])
    return np.stack([grid(row, padding=padding, scale=scale) for row in images])
