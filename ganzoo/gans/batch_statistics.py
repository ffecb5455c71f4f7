"""Batch normalisation by the statistics of chosen images, for passes in inference mode."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from ganzoo.gans import players
from ganzoo.gans.checks import batch_norms

COUNT = 512


@contextlib.contextmanager
def statistics_of(network: keras.Model, examples: Any) -> Iterator[None]:
    """Gives a network's batch norms the statistics of examples, and puts their own back at the end.

    A discriminator is trained on real and on generated batches in turn, each normalised by its own
    statistics. Its moving statistics are those of the mixture, which it has never seen: what it
    says in inference mode may be far from what it has learnt.

    Args:
        network: Any that runs eagerly; without batch norms it stays as it is.
        examples: One batch, what the network takes.
    """
    norms = batch_norms(network)
    with players.frozen_state(network):
        with _forgetful(norms):
            if norms:
                network(examples, training=True)
        yield


@contextlib.contextmanager
def statistics_of_fakes(gan: Any) -> Iterator[None]:
    """Gives a discriminator's batch norms the statistics of generated images, always the same.

    They are 512 of the generator's moving average, with labels in turn and codes drawn.

    Args:
        gan: A GAN that runs eagerly; nothing is done if its discriminator has no batch norms.
    """
    if not batch_norms(gan.discriminator):
        yield
        return
    taken = gan.generator_inputs(COUNT, seed=0, latents=None, truncation=None)
    fakes = tf.cast(gan.generator_ema(taken, training=False), tf.float32)
    with statistics_of(gan.discriminator, fakes):
        yield


@contextlib.contextmanager
def _forgetful(norms: list[keras.layers.BatchNormalization]) -> Iterator[None]:
    """Makes the moving statistics those of the next batch alone."""
    momenta = [norm.momentum for norm in norms]
    try:
        for norm in norms:
            norm.momentum = 0.0
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
