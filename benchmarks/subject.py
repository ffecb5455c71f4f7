"""The GAN that the benchmarks measure, and images made up for it."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from ganzoo import builders
from ganzoo.config import ZooConfig, load_config
from ganzoo.gans import GAN

ADAM = {"class": "adam", "learning_rate": 2e-4, "beta_1": 0.5}


def config(
    *,
    shape: tuple[int, int, int],
    width: int,
    batch_size: int,
    hidden: int = 0,
    changes: Mapping[str, Any] | None = None,
) -> ZooConfig:
    """Returns the config of a DCGAN; no entry of the zoo, since recipes may change.

    Args:
        shape: (H, W, C) of the images.
        width: Width of both networks.
        batch_size: Images a step.
        hidden: Units of the dense layer that some DCGANs have beside their feature maps; 0: none.
        changes: What else is to be changed.
    """
    network = {"image_shape": list(shape), "width": width} | ({"hidden": hidden} if hidden else {})
    whole = {
        "name": "benchmark_dcgan",
        "summary": "DCGAN as the benchmarks measure it",
        "gan": {"class": "dcgan", "latent_dim": 100},
        "generator": {"network": "dcgan_generator", **network},
        "discriminator": {"network": "dcgan_discriminator", **network},
        "optimizers": {"generator": ADAM, "discriminator": ADAM},
        "data": {"dataset": "made_up", "image_size": shape[0], "batch_size": batch_size},
        "training": {"steps": 1},
    }
    return load_config(whole, changes or {})


def dcgan(**options: Any) -> GAN:
    """Returns a compiled DCGAN with fresh weights; options as those of `config`."""
    return builders.build(config(**options))


def pixels(count: int, shape: tuple[int, int, int]) -> np.ndarray:
    """Returns random images, uint8 (count, H, W, C)."""
    return np.random.default_rng(0).integers(0, 256, (count, *shape), np.uint8)


def compiled_step(gan: GAN, batch_size: int) -> Callable[[], Any]:
    """Returns a function that trains one step on one prepared batch, with nothing around it."""
    images = tf.random.uniform((batch_size, *gan.image_shape), -1.0, 1.0, seed=0)
    step = tf.function(gan.train_step, autograph=False)
    return lambda: step(images)
