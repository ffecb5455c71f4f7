"""InfoGAN on two logical CPUs and on one: prints distances."""

import json

import keras
import numpy as np

from ganzoo.strategy import get_strategy
from tests import small
from tests.gans import coded


def fitted(strategy):
    with strategy.scope():
        gan = coded.gan(eager=False, seed=3, optimizer=lambda: keras.optimizers.SGD(0.2))
    start = small.values(gan.trainable_variables)
    logs = gan.fit(small.images(24, size=8), batch_size=8, verbose=0).history
    return gan, start, {name: values[0] for name, values in logs.items()}


if __name__ == "__main__":
    one, start, one_logs = fitted(get_strategy("cpu"))
    two, _, two_logs = fitted(get_strategy("mirrored"))
    ends = [small.values(gan.trainable_variables) for gan in (one, two)]
    farthest = [max(np.abs(a - b).max() for a, b in zip(x, y, strict=True))
                for x, y in (ends, (start, ends[0]))]  # fmt: skip
    told = {
        "replicas": two.distribute_strategy.num_replicas_in_sync,
        "weights": float(farthest[0]),
        "trained": float(farthest[1]),
        "logs": max(abs(one_logs[name] - two_logs[name]) for name in one_logs),
        "information": one_logs["information"],
    }
    print(json.dumps(told))
