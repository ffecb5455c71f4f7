"""Tiny GANs of every class, all that they hold, and runs of points that are quick."""

import keras
import numpy as np

from ganzoo import builders, checkpoints, training
from ganzoo.config import load_config
from ganzoo.gans import GANS
from tests import small
from tests.gans import algorithms, coded, conditional, few_labels, penalty_kinds, points, sequences

POINTS = {
    "name": "points",
    "summary": "Points",
    "gan": {"class": "experience_replay", "latent_dim": 4, "buffer_size": 40},
    "generator": {"network": "mlp_generator", "shape": [2], "width": 4},
    "discriminator": {"network": "mlp_discriminator", "shape": [2], "width": 4},
    "optimizers": {
        player: {
            "class": "adam",
            "learning_rate": {
                "class": "cosine_decay",
                "initial_learning_rate": 0.02,
                "decay_steps": 20,
            },
        }
        for player in ("generator", "discriminator")
    },
    "data": {"dataset": "ring", "batch_size": 16},
    "evaluation": {"metrics": ["modes", "high_quality"], "images": 64, "every": 2},
    # log_every shares no divisor with checkpoint_every: epochs and checkpoints meet at 12 alone
    "training": {
        "steps": 13,
        "ema_decay": 0.8,
        "log_every": 4,
        "checkpoint_every": 3,
        "sample_every": 5,
    },
}


def adam():
    """An optimizer with moments, whose rate falls to 0 in 7 updates."""
    rate = keras.optimizers.schedules.CosineDecay(0.02, 7)
    return keras.optimizers.Adam(rate, beta_1=0.5)


def game(name, **options):
    """A compiled GAN of a class of the registry, run eagerly, and data for one step of it."""
    kind = GANS[name]
    options = {"eager": True, "optimizer": adam, "ema_decay": 0.8, **options}
    if name in penalty_kinds.KINDS:
        gan = penalty_kinds.made(name, **options)
    elif kind in algorithms.OPTIONS:
        gan = algorithms.made(kind, **options)
    elif name in conditional.KINDS:
        gan = conditional.gan(name, **options)
        return gan, conditional.data(8)
    elif name == "infogan":
        gan = coded.gan(**options)
    elif name == "sgan":
        gan = few_labels.gan(options={"noise": 0.3}, **options)
        return gan, few_labels.batch(8)
    elif hasattr(kind, "generate_text"):
        gan = sequences.gan(kind, **options)
        return gan, sequences.tokens(8)
    else:
        gan = points.gan(kind, **options)
    return gan, small.data_for(gan, 8 * gan.updates_per_batch)


def step(gan, data, count=1):
    """Takes steps of `fit`."""
    x, y = data if isinstance(data, tuple) else (data, None)
    for _ in range(count):
        gan.fit(x, y, batch_size=8, verbose=0)


def everything(gan):
    """Path and value of all that a GAN holds: seeds, means of logs and optimizers too."""
    optimizers = (gan.generator_optimizer, gan.discriminator_optimizer)
    held = [*gan.variables, *(v for metric in gan.metrics for v in metric.variables)]
    held += [v for one in optimizers for v in one.variables]
    held += [v for one in optimizers if hasattr(one, "dynamic_scale") for v in scale(one)]
    return [(v.path, np.array(v.numpy())) for v in held]


def scale(optimizer):
    """The state of a loss-scaling optimizer beside that of the one within."""
    return [optimizer.dynamic_scale, optimizer.step_counter, *optimizer.inner_optimizer.variables]


def differing(one, other):
    """The paths of what is not bit for bit the same in two GANs."""
    pairs = list(zip(everything(one), everything(other), strict=True))
    assert len(pairs) > 10
    return [path for (path, a), (_, b) in pairs if a.dtype != b.dtype or a.tobytes() != b.tobytes()]


def reloaded(gan, path):
    """The GAN as a process of its own would find it in a checkpoint."""
    checkpoints.write(gan, path, {})
    return checkpoints.load(path)[0]


def eagerly(monkeypatch):
    """Makes runs eager, which takes less than a graph where there are few steps."""
    original = builders.build

    def build(config, **options):
        gan = original(config, **options)
        gan.compile(run_eagerly=True)
        return gan

    monkeypatch.setattr(builders, "build", build)


def run(workdir, *, progress=False, **changes):
    """Trains points in a workdir."""
    config = load_config(POINTS, changes)
    return training.train(config, workdir=workdir, progress=progress)
