"""The GANs that the benchmarks measure, and data made up for them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from ganzoo import builders, errors
from ganzoo.config import ZooConfig, load_config
from ganzoo.gans import GAN, GANS, SGAN

ADAM = {"class": "adam", "learning_rate": 2e-4, "beta_1": 0.5}
CLASSES = 10
PLAYERS = ("generator", "discriminator")
Sections = dict[str, dict[str, Any]]


def config(
    *,
    shape: tuple[int, int, int],
    width: int,
    batch_size: int,
    hidden: int = 0,
    gan: str = "dcgan",
    changes: Mapping[str, Any] | None = None,
) -> ZooConfig:
    """Returns the config of a GAN; no entry of the zoo, since recipes may change.

    All have DCGAN's networks, but for what `needs` says.

    Args:
        shape: (H, W, C) of the images.
        width: Width of both networks.
        batch_size: Images an update.
        hidden: Units of the dense layer that some DCGANs have beside their feature maps; 0: none.
        gan: Name of a class of the registry.
        changes: What else is to be changed.

    Raises:
        ValueError: If there is no such class.
    """
    if gan not in GANS:
        raise errors.unknown("GAN", gan, GANS)
    own = needs(shape).get(gan, {})
    network = {"image_shape": list(shape), "width": width} | ({"hidden": hidden} if hidden else {})
    players = {}
    for player in PLAYERS:
        given = own.get(player, {})
        # another network has options of its own
        base = {} if "network" in given else {"network": f"dcgan_{player}", **network}
        players[player] = base | given
    whole = {
        "name": f"benchmark_{gan}",
        "summary": f"{gan} as the benchmarks measure it",
        "gan": {"class": gan, "latent_dim": 100} | own.get("gan", {}),
        **players,
        "optimizers": {"generator": ADAM, "discriminator": ADAM},
        "data": {"dataset": "made_up", "batch_size": batch_size}
        | own.get("data", {"image_size": shape[0]}),
        "training": {"steps": 1},
    }
    return load_config(whole, changes or {})


def needs(shape: tuple[int, int, int]) -> dict[str, Sections]:
    """Returns what some classes need beside DCGAN's networks, or in their place.

    Args:
        shape: (H, W, C) of the images; GANs of sequences have sizes of their own.
    """
    *sides, channels = shape
    sequences = {"shape": [10], "vocabulary": 11, "width": 256, "depth": 2}
    texts = {player: {"network": f"sequence_{player}", **sequences} for player in PLAYERS}
    texts |= {"gan": {"latent_dim": 32}, "data": {}}
    told = {"classes": CLASSES}
    # penalties of each image by itself
    without_batch_norm = {"discriminator": {"norm": "layer"}}
    return {
        "acgan": {
            "gan": told,
            "generator": {"conditioning": "concat"},
            "discriminator": {"auxiliary": CLASSES},
        },
        "cgan": {
            "gan": told,
            "generator": {"conditioning": "concat"},
            "discriminator": {"conditioning": "concat"},
        },
        "dragan": without_batch_norm,
        "gmmn": {"discriminator": {"network": "flatten_features", "shape": list(shape)}},
        "gumbel_softmax": texts,
        "hinge": {"discriminator": {"norm": "spectral"}},
        "infogan": {
            "gan": {
                "latent_dim": 74,
                "codes": {"kind": CLASSES, "first": [-1, 1], "second": [-1, 1]},
                "learned_variance": False,
            },
            "discriminator": {"auxiliary": CLASSES + 2, "auxiliary_hidden": 128},
        },
        "pacgan": {
            "gan": {"packing": 2},
            "discriminator": {"image_shape": [*sides, 2 * channels]},
        },
        "projection": {
            "gan": told,
            "generator": {"conditioning": "batch_norm"},
            "discriminator": {"conditioning": "projection", "norm": "spectral"},
        },
        "r1": without_batch_norm,
        "reinforce": texts,
        "roth": without_batch_norm,
        "sgan": {
            "gan": told,
            "generator": {"network": "sgan_generator", "image_shape": list(shape)},
            "discriminator": {"network": "sgan_discriminator", "image_shape": list(shape)},
        },
        "wgan_gp": without_batch_norm,
    }


def made(**options: Any) -> GAN:
    """Returns a compiled GAN with fresh weights; options as those of `config`."""
    return builders.build(config(**options))


def pixels(count: int, shape: tuple[int, int, int]) -> np.ndarray:
    """Returns random images, uint8 (count, H, W, C)."""
    return np.random.default_rng(0).integers(0, 256, (count, *shape), np.uint8)


def batch(gan: GAN, batch_size: int) -> Any:
    """Returns the data of a step, prepared: images or sequences, with labels where they count.

    Args:
        gan: The GAN.
        batch_size: Images an update; where some have no label, of each kind.
    """
    count = batch_size * gan.updates_per_batch
    if hasattr(gan, "vocabulary"):
        return tf.random.uniform((count, *gan.image_shape), 0, gan.vocabulary, tf.int32, seed=0)
    if gan.kind_of_labels == "unconditional":
        return _images(gan, count)
    labels = tf.range(count) % CLASSES
    if not isinstance(gan, SGAN):
        return _images(gan, count), labels
    # behind each labelled image one without a label
    labels = tf.reshape(tf.stack([labels, tf.fill((count,), -1)], axis=1), (-1,))
    return _images(gan, 2 * count), labels


def _images(gan: GAN, count: int) -> tf.Tensor:
    return tf.random.uniform((count, *gan.image_shape), -1.0, 1.0, seed=0)


def compiled_step(gan: GAN, batch_size: int) -> Callable[[], Any]:
    """Returns a function that trains one step on one prepared batch, with nothing around it."""
    data = batch(gan, batch_size)
    step = tf.function(gan.train_step, autograph=False)
    return lambda: step(data)
