"""Runs each algorithm on one and on two logical CPUs, for test_algorithms.py.

A process of its own, since TensorFlow fixes its devices when it is first used.
"""

import json

import keras
import numpy as np

from ganzoo.gans import ReplayGAN, UnrolledGAN
from ganzoo.strategy import get_strategy
from tests import small
from tests.gans import algorithms, points


def sgd():
    return keras.optimizers.SGD(0.2)


def fitted(kind, strategy, **options):
    with get_strategy(strategy).scope():
        gan = algorithms.made(kind, seed=3, **{"optimizer": sgd, **options})
    gan.fit(points.points(48), batch_size=16, verbose=0)
    return gan


def compare(kind):
    one, two = fitted(kind, "cpu", eager=True), fitted(kind, "mirrored")
    far = [
        float(np.abs(a - b).max())
        for a, b in zip(small.values(one), small.values(two), strict=True)
    ]
    start = small.values(algorithms.made(kind, seed=3).trainable_variables)
    ends = small.values(one.trainable_variables)
    ways = [float(np.abs(a - b).max()) for a, b in zip(start, ends, strict=True)]
    return {"far": max(far), "way": max(ways)}


def halves(kind):
    """The greatest difference between the replicas in float16; NaN where a value is not finite."""
    gan = fitted(kind, "mirrored", precision="mixed_float16", optimizer=None)
    values = [[np.array(copy, "float64") for copy in v.value.values] for v in gan.weights]
    finite = all(np.isfinite(copy).all() for copies in values for copy in copies)
    return max(float(np.abs(a - b).max()) for a, b in values) if finite else float("nan")


if __name__ == "__main__":
    found = {kind.__name__: compare(kind) for kind in algorithms.OPTIONS}
    # those that gather from the other replica
    found["float16"] = {kind.__name__: halves(kind) for kind in (UnrolledGAN, ReplayGAN)}
    print(json.dumps(found))
