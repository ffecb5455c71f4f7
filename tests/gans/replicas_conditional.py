"""Conditional GANs on two logical CPUs and on one: prints how far apart they end."""

import json

import keras
import numpy as np

from ganzoo.gans import conditional as module
from ganzoo.strategy import get_strategy
from tests import small
from tests.gans import conditional

ONE, TWO = get_strategy("cpu"), get_strategy("mirrored")


def fitted(strategy, kind):
    with strategy.scope():
        options = {"norm": "none", "optimizer": lambda: keras.optimizers.SGD(0.5)}
        gan = conditional.gan(kind, eager=strategy is ONE, seed=3, **options)
        for variable in gan.trainable_variables:
            variable.assign(variable * 10)  # so that a step is longer than rounding
    before = small.values(gan.trainable_variables)
    images, labels = conditional.data(16)
    order = np.argsort(labels, kind="stable")  # replicas see other classes
    logs = gan.fit(images[order], labels[order], batch_size=8, shuffle=False, verbose=0).history
    return small.values(gan.trainable_variables), logs, before


def farthest(a, b):
    return float(max(np.abs(x - y).max() for x, y in zip(a, b, strict=True)))


if __name__ == "__main__":
    told, ones = {}, {}
    for kind in ("cgan", "acgan"):
        (one, logs, before), (two, two_logs, _) = (fitted(s, kind) for s in (ONE, TWO))
        gap = max(abs(logs[name][0] - two_logs[name][0]) for name in logs)
        told[kind] = {"weights": farthest(one, two), "logs": gap, "moved": farthest(one, before)}
        ones[kind] = one
    module.gathered = lambda labels: labels
    told["shares"] = farthest(ones["cgan"], fitted(TWO, "cgan")[0])
    print(json.dumps(told))
