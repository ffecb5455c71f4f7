"""Trains a semi-supervised GAN on two logical CPUs, for test_few_labels_replicas.py.

A process of its own, since TensorFlow fixes its devices when it is first used.
"""

import json

import keras
import numpy as np

from ganzoo.strategy import get_strategy
from tests import small
from tests.gans import few_labels
from tests.gans.few_labels import images, labels

ONE, TWO = get_strategy("cpu"), get_strategy("mirrored")


def networks():
    """Noise and weight normalization, but no batch norm in the generator."""
    generator, _ = few_labels.plain_networks()
    return generator, few_labels.networks(noise=0.4)[1]


def fitted(strategy, *, classifier_decay=0.9):
    with strategy.scope():
        gan = few_labels.gan(
            networks,
            optimizer=lambda: keras.optimizers.SGD(0.1),
            eager=strategy is ONE,
            classifier_decay=classifier_decay,
        )
    start = small.values(gan.trainable_variables)
    history = gan.fit(images(24), labels(24), batch_size=8, verbose=0).history
    return gan, start, history


def farthest(first, second):
    pairs = zip(small.values(first), second, strict=True)
    return float(max(np.abs(a - b).max() for a, b in pairs))


def compare():
    one, start, logs = fitted(ONE)
    two, _, two_logs = fitted(TWO)
    apart = {
        name: farthest(network, small.values(two.networks[name]))
        for name, network in one.networks.items()
    }
    return {
        "apart": apart,
        "moved": farthest(one.trainable_variables, start),
        "logs": max(abs(logs[name][0] - two_logs[name][0]) for name in logs),
        "seeds": [gan.seed_generator.state.numpy().tolist() for gan in (one, two)],
        "classified": bool((one.classify(images(9)) == two.classify(images(9))).all()),
    }


if __name__ == "__main__":
    print(json.dumps(compare()))
