"""Trains each class with a penalty on two logical CPUs, for test_penalty_classes.py.

A process of its own, since TensorFlow fixes its devices when it is first used.
"""

import json

import numpy as np

from ganzoo.strategy import get_strategy
from tests import small
from tests.gans.penalty_kinds import KINDS, farthest, made
from tests.gans.small_points import points

ONE, TWO = get_strategy("cpu"), get_strategy("mirrored")


def fitted(strategy, name):
    with strategy.scope():
        gan = made(name, eager=strategy is ONE)
    data, updates = points(32), gan.discriminator_steps
    if strategy is TWO:
        # a replica splits its own share of a batch into the batches of its updates
        data = data.reshape(-1, updates, 2, 4, 2).swapaxes(1, 2).reshape(data.shape)
    gan.fit(data, batch_size=8, shuffle=False, verbose=0)
    return gan


def in_float16():
    kind, own = KINDS["r1"]
    with TWO.scope():
        gan = small.gan(kind=kind, precision="mixed_float16", **own)
    gan.fit(small.images(16), batch_size=8, verbose=0)
    finite = all(np.isfinite(value).all() for value in small.values(gan))
    return {"finite": finite, "steps": gan.steps_done}


if __name__ == "__main__":
    told = {}
    for name in KINDS:
        one, two = (fitted(strategy, name) for strategy in (ONE, TWO))
        apart = farthest(one.trainable_variables, two.trainable_variables)
        moved = farthest(one.trainable_variables, made(name).trainable_variables)
        told[name] = {"apart": float(apart), "moved": float(moved)}
    told["in float16"] = in_float16()
    print(json.dumps(told))
