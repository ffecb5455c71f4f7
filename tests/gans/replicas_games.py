"""Games that compare the images of a batch, on two logical CPUs and on one: prints distances."""

import json

import keras
import numpy as np

from ganzoo import losses
from ganzoo.gans import GMMN, RaGAN
from ganzoo.strategy import get_strategy
from tests import small

ONE, TWO = get_strategy("cpu"), get_strategy("mirrored")


class Shares(RaGAN):
    """Each replica compares the images of its own share alone: another game."""

    def discriminator_loss(self, real_logits, fake_logits):
        return losses.relativistic_discriminator(real_logits, fake_logits)


def fitted(strategy, kind, **options):
    options |= {"optimizer": lambda: keras.optimizers.SGD(0.2), "eager": strategy is ONE}
    with strategy.scope():
        gan = small.gan(small.dense, kind=kind, seed=3, **options)
    logs = gan.fit(small.images(24), batch_size=8, verbose=0).history
    return small.values(gan), {name: values[0] for name, values in logs.items()}


def farthest(a, b):
    return float(max(np.abs(x - y).max() for x, y in zip(a, b, strict=True)))


def compare(kind, **options):
    (one, one_logs), (two, two_logs) = (fitted(s, kind, **options) for s in (ONE, TWO))
    gap = max(abs(one_logs[name] - two_logs[name]) for name in one_logs)
    return {"weights": farthest(one, two), "logs": gap}, one


if __name__ == "__main__":
    told = {}
    told["ragan"], one = compare(RaGAN)
    told["shares"] = {"weights": farthest(one, fitted(TWO, Shares)[0])}
    told["gmmn"], _ = compare(GMMN, bandwidths=[0.1, 1.0])
    print(json.dumps(told))
