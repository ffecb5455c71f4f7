"""The layers under a strategy: what they keep is the same on every replica."""

import keras

from ganzoo.gans import NonSaturatingGAN
from ganzoo.networks.mlp import mlp_discriminator, mlp_generator
from tests import small

REPLICAS = """
import json
import numpy as np
from ganzoo.strategy import get_strategy
from tests import small
from tests.layers.test_layers_on_replicas import points_gan

data = np.random.default_rng(0).normal(size=(48, 2)).astype("float32")
told = {}
for norms in (("virtual", "spectral"), ("reference", "weight")):
    gans = []
    for name in ("cpu", "mirrored"):
        with get_strategy(name).scope():
            gans.append(points_gan(*norms))
        gans[-1].run_eagerly = name == "cpu"
        gans[-1].fit(data, batch_size=16, verbose=0)
    pairs = zip(small.values(gans[0]), small.values(gans[1]), strict=True)
    moved = zip(small.values(gans[0]), small.values(points_gan(*norms)), strict=True)
    told[norms[1]] = [
        max(float(np.abs(a - b).max()) for a, b in pairs if a.dtype == "float32"),
        max(float(np.abs(a - b).max()) for a, b in moved if a.dtype == "float32"),
    ]
print(json.dumps(told))
"""


def points_gan(norm="none", d_norm="none"):
    keras.utils.set_random_seed(2)
    generator = mlp_generator((2,), latent_dim=3, width=8, norm=norm, reference_size=9)
    discriminator = mlp_discriminator((2,), width=8, norm=d_norm)
    gan = NonSaturatingGAN(generator, discriminator, latent_dim=3)
    gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
    return gan


def test_two_replicas_train_as_one():
    told = small.run_on_two_cpus(REPLICAS)
    for norm, (apart, moved) in told.items():
        assert apart < 1e-4 < 0.03 < moved, norm
