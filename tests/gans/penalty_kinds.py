"""The classes with a penalty or a constraint, each with options that are no defaults."""

import keras
import numpy as np
import pytest

from ganzoo.gans import DRAGAN, R1GAN, WGAN, WGANGP, ConsensusGAN, RothGAN
from tests import small
from tests.gans import small_points
from tests.gans.small_points import points

KINDS = {
    "wgan": (WGAN, {"clip": 0.2, "discriminator_steps": 2}),
    "wgan_gp": (WGANGP, {"penalty_weight": 3.0, "discriminator_steps": 2}),
    "dragan": (DRAGAN, {"penalty_weight": 3.0, "stddev": 0.4, "target": 0.5}),
    "r1": (R1GAN, {"r1_gamma": 0.3, "r2_gamma": 0.2, "penalty_every": 2}),
    "roth": (RothGAN, {"gamma": 3.0, "decay": 0.1, "annealing_steps": 5}),
    "consensus": (ConsensusGAN, {"gamma": 0.5}),
}
EVERY = pytest.mark.parametrize("name", KINDS)


def sgd():
    return keras.optimizers.SGD(0.05)


def made(name, networks=small_points.networks, **options):
    kind, own = KINDS[name]
    return small.gan(networks, kind=kind, **{"optimizer": sgd, **own, **options})


def trained(name, data=None, **options):
    gan = made(name, **options)
    history = gan.fit(points(32) if data is None else data, batch_size=8, verbose=0).history
    return gan, history


def farthest(a, b):
    pairs = zip(small.values(a), small.values(b), strict=True)
    return max(np.abs(x - y).max() for x, y in pairs)
