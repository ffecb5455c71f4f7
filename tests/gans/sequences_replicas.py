"""Runs each GAN of sequences on one and on two logical CPUs, for test_sequences_replicas.py.

A process of its own, since TensorFlow fixes its devices when it is first used.
"""

import json

import keras
import numpy as np

from ganzoo.gans import GumbelGAN, ReinforceGAN
from ganzoo.strategy import get_strategy
from tests import small
from tests.gans import sequences


def sgd():
    return keras.optimizers.SGD(0.2)


def fitted(kind, strategy, **options):
    with get_strategy(strategy).scope():
        gan = sequences.gan(kind, **{"optimizer": sgd, "weights_seed": 3, **options})
    gan.fit(sequences.tokens(64), batch_size=16, verbose=0)
    return gan


def farthest(first, second):
    pairs = zip(first, second, strict=True)
    return float(max(np.abs(np.array(a) - np.array(b)).max() for a, b in pairs))


def compare(kind):
    one, two = fitted(kind, "cpu", eager=True), fitted(kind, "mirrored")
    start = small.values(sequences.gan(kind, weights_seed=3).trainable_variables)
    return {
        "far": farthest(small.values(one), small.values(two)),
        "way": farthest(start, small.values(one.trainable_variables)),
    }


def halves(kind):
    """The greatest difference between the replicas in float16; NaN where a value is not finite."""
    gan = fitted(kind, "mirrored", precision="mixed_float16", optimizer=None)
    copies = [[np.array(copy, "float64") for copy in v.value.values] for v in gan.weights]
    finite = all(np.isfinite(copy).all() for pair in copies for copy in pair)
    return farthest(*zip(*copies, strict=True)) if finite else float("nan")


if __name__ == "__main__":
    found = {kind.__name__: compare(kind) for kind in (GumbelGAN, ReinforceGAN)}
    # the one whose replicas tell each other something
    print(json.dumps({**found, "float16": halves(ReinforceGAN)}))
