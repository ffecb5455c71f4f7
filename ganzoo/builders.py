"""From a config to a compiled GAN, and from a name to a trained one."""

import contextlib
import inspect
import os
import random
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from ganzoo import optimizers, registry
from ganzoo import weights as weights_room
from ganzoo.config import ZooConfig, check_options, find_part
from ganzoo.gans import GAN, GANS
from ganzoo.networks import NETWORKS, norms
from ganzoo.parts import Parts
from ganzoo.strategy import get_strategy, precision_scope

PLAYERS = ("generator", "discriminator")
# Options of a GAN that its networks have to agree with.
SHARED = ("latent_dim", "classes")


def load(
    name: str,
    *,
    weights: str | os.PathLike | None = "pretrained",
    strategy: str | tf.distribute.Strategy = "auto",
    precision: str | None = None,
    **overrides: Any,
) -> GAN:
    """Builds a GAN of the zoo, compiled and with trained weights: it generates and trains on.

    Args:
        name: Name of an entry; `ganzoo.list_models()` gives them all.
        weights: `"pretrained"` for the published weights, None for fresh ones, else the path or
            URL of a safetensors file.
        strategy: See `ganzoo.strategy.get_strategy`.
        precision: `"float32"`, `"mixed_float16"` or `"mixed_bfloat16"`; by default the config's.
        **overrides: Changes to the config, a mapping for each section: `generator={"width": 32}`.

    Returns:
        The GAN, a `keras.Model`.

    Raises:
        ValueError: If the name, an option or the weights' shapes are wrong, or the entry has no
            published weights.
    """
    config = registry.entry(name, overrides)
    # weights first: what is missing or broken shows before anything is built
    tensors = None
    if weights is not None:
        tensors = weights_room.load(name if weights == "pretrained" else weights)
    gan = build(config, strategy=strategy, precision=precision)
    if tensors is not None:
        weights_room.assign(gan, tensors)
    return gan


def build(
    config: ZooConfig,
    *,
    strategy: str | tf.distribute.Strategy = "auto",
    precision: str | None = None,
) -> GAN:
    """Builds and compiles the GAN of a config, with fresh weights drawn from `training.seed`.

    Args:
        config: The entry, from `ganzoo.registry.entry`.
        strategy: See `ganzoo.strategy.get_strategy`.
        precision: See `load`.

    Raises:
        ConfigError: If a part is unknown or does not take an option.
    """
    scopes = (
        get_strategy(strategy).scope(),
        precision_scope(precision or config.training.precision),
        _seeded(config.training.seed),
    )
    with contextlib.ExitStack() as stack:
        for scope in scopes:
            stack.enter_context(scope)
        networks = {
            player: _make(config, player, NETWORKS, **_shared(config, player)) for player in PLAYERS
        }
        if config.training.sync_batch_norm:
            norms.synchronize(networks.values())
        training = {"ema_decay": config.training.ema_decay, "seed": config.training.seed}
        gan = _make(config, "gan", GANS, **networks, **training, name=config.name)
        made = {player: optimizers.make(config, player) for player in PLAYERS}
        gan.compile(made["generator"], made["discriminator"])
    return gan


def _shared(config: ZooConfig, player: str) -> dict[str, int]:
    """The GAN's latent_dim and number of classes, for a network that takes them."""
    network = find_part(NETWORKS, config=config, section=player)
    shared = {key: config.gan.options[key] for key in SHARED if key in config.gan.options}
    if isinstance(names := shared.get("classes"), (list, tuple)):
        shared["classes"] = len(names)
    return {key: shared[key] for key in inspect.signature(network).parameters if key in shared}


def _make(config: ZooConfig, section: str, parts: Parts, **given: Any) -> Any:
    """Calls the part that a section names with its options and what ganzoo supplies itself."""
    options = getattr(config, section).options
    function = find_part(parts, config=config, section=section)
    check_options(function, options, config=config, section=section, given=given)
    return function(**given, **options)


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Makes Keras's initializers draw their seeds, which Python's `random` gives, from `seed`."""
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)
