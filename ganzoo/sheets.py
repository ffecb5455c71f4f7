"""A GAN's usual picture: samples in a square, or classes in columns where it knows any."""

from typing import Any

import numpy as np

from ganzoo import labels

IMAGES = 64
ROWS = 8
MOST_COLUMNS = 20


def layout(gan: Any) -> tuple[int, int | None]:
    """Returns how many images a GAN's picture has, and in how many columns; None for a square.

    A conditional GAN has a column for each class, an InfoGAN one for each value of its first
    categorical code, with 8 images each; a GAN of more than 20 classes has a square, as others.
    """
    classes = labels.classes_of(gan)
    return (ROWS * classes, classes) if 0 < classes <= MOST_COLUMNS else (IMAGES, None)


def samples(gan: Any, n: int | None = None, *, seed: int | None = None, **options: Any):
    """Generates the images of a GAN's picture, uint8 (n, H, W, C): its classes in turn.

    Args:
        gan: The GAN.
        n: How many, by default as `layout` says.
        seed: Seed of the latents.
        **options: Of `generate`.
    """
    n = layout(gan)[0] if n is None else n
    return gan.generate(n, seed=seed, **in_turn(gan, n), **options)


def in_turn(gan: Any, n: int) -> dict[str, Any]:
    """Returns conditions of n images that have a GAN's classes, or values of its code, in turn."""
    if "labels" in gan.conditions:
        return {"labels": np.arange(n) % len(gan.class_names)}
    if code := labels.categorical_code(gan):
        name, values = code
        return {"codes": {name: [values[i % len(values)] for i in range(n)]}}
    return {}
