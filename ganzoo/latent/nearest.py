"""Nearest training neighbours: the real images that samples are most alike."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ganzoo import data as data_room
from ganzoo.grids import to_uint8, whole
from ganzoo.latent import pictures
from ganzoo.metrics.neighbours import search


@dataclass(frozen=True, eq=False)
class Neighbours:
    """What `neighbours` returns.

    Args:
        samples: uint8 (n, H, W, C).
        images: Nearest real images of each, the nearest first, uint8 (n, k, H, W, C).
        distances: Their distances, float (n, k): Euclidean over all pixels, in grey levels.
        indices: Their numbers among the real images, int (n, k).
    """

    samples: np.ndarray
    images: np.ndarray
    distances: np.ndarray
    indices: np.ndarray

    def picture(self, *, scale: int | None = None) -> np.ndarray:
        """Returns a row a sample: it and, after a gap, its nearest real images."""
        gap = np.full_like(self.samples, pictures.WHITE)
        return pictures.side_by_side(self.samples, gap, *self.images.swapaxes(0, 1), scale=scale)


def neighbours(
    gan: Any, data: Any, *, n: int = 8, k: int = 5, seed: int = 0, **options: Any
) -> Neighbours:
    """Finds the real images nearest to generated ones, in the space of pixels.

    A sample that is a copy shows at once. One that is not proves little: pixels find no copy that
    is shifted or mirrored; `ganzoo.metrics.copies` tells how near is too near.

    Args:
        gan: A GAN of images, or samples of one, uint8 (n, H, W, C).
        data: The training images: an array, `ganzoo.data.Images`, or another source of images as
            large as the samples.
        n: Samples to generate.
        k: Neighbours of each.
        seed: Seed of the samples.
        **options: Of `gan.generate`: conditions, say.

    Raises:
        ValueError: If the images are not as large as the samples, or fewer than k.
    """
    k = whole("k", k, 1)
    if hasattr(gan, "generate"):
        samples = gan.generate(whole("n", n, 1), seed=seed, **options)
    else:
        samples = to_uint8(gan)
    if not isinstance(data, data_room.Images):
        data = data_room.open_source(data, image_size=samples.shape[1], channels=samples.shape[3])
    real = data.images
    if real.shape[1:] != samples.shape[1:] or len(real) < k:
        raise ValueError(
            f"Expected at least {k} images of shape {samples.shape[1:]}, as the samples. "
            f"Received: {real.shape}."
        )
    distances, indices = search(samples.reshape(len(samples), -1), real.reshape(len(real), -1), k=k)
    return Neighbours(samples, np.asarray(real)[indices], distances, indices)
