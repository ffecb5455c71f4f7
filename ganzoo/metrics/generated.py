"""What a GAN is asked for when it is scored, and what it gives."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ganzoo.gans import GAN
from ganzoo.labels import categorical_code
from ganzoo.metrics import per_class
from ganzoo.metrics.references import Reference


@dataclass(frozen=True, eq=False)
class Samples:
    """Images or points that are to be judged.

    Args:
        pixels: uint8 (N, H, W, C), or float32 points (N, D).
        labels: The labels that they were asked for by, int64 (N,), or None.
        codes: The values of a categorical code, as numbers from 0 on, int64 (N,), or None.
        gan: What made them, where that is known.
    """

    pixels: np.ndarray
    labels: np.ndarray | None = None
    codes: np.ndarray | None = None
    gan: GAN | None = None


def abilities(gan: Any) -> tuple[str, ...]:
    """Returns what a GAN can be scored by beside its images.

    `"labels"` of a conditional GAN or of a pair (images, labels); `"codes"` of one with a
    categorical code; `"classify"` of one that tells classes of images.
    """
    if isinstance(gan, tuple):
        return ("labels",)
    if not isinstance(gan, GAN):
        return ()
    found = ["labels"] if "labels" in gan.conditions else []
    found += ["codes"] if categorical_code(gan) else []
    return (*found, *(["classify"] if hasattr(gan, "classify") else []))


def samples(gan: GAN, real: Reference, count: int, *, seed: int, **options: Any) -> Samples:
    """Generates what is scored.

    A conditional GAN is asked for the real images' own labels, in an order drawn by the seed, so
    that classes are as frequent as among them; where those have no labels, for all classes in
    turn. An InfoGAN is asked for values of its first categorical code, uniform draws as in
    training.

    Args:
        gan: The GAN.
        real: What it is scored against.
        count: Number of images.
        seed: Seed of latents, of the labels' order and of codes.
        **options: Of `generate`.
    """
    options["seed"] = seed
    if "labels" in gan.conditions:
        if real.labels is None:
            labels = np.arange(count) % len(gan.class_names)
        else:
            labels = per_class.like(real.labels, count, seed=seed)
        return Samples(gan.generate(count, labels=labels, **options), labels, gan=gan)
    if code := categorical_code(gan):
        name, values = code
        codes = np.random.default_rng((seed, count)).integers(0, len(values), count)
        asked = {name: [values[i] for i in codes]}
        return Samples(gan.generate(count, codes=asked, **options), codes=codes, gan=gan)
    return Samples(gan.generate(count, **options), gan=gan)
