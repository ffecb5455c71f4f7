"""Runs on each of two workers, and in the chief's folder tells what happened; also on one process.

`python two_workers.py FOLDER`, for test_many_workers.py.
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np

from ganzoo.strategy import get_strategy

STRATEGY = get_strategy("auto")  # before TensorFlow computes anything

from ganzoo import data, metrics, registry, training  # noqa: E402
from ganzoo.cluster import cluster  # noqa: E402
from ganzoo.networks import norms  # noqa: E402
from ganzoo.workers import Workers  # noqa: E402
from tests import small  # noqa: E402

PLAIN = {
    "generator.width": 2,
    "discriminator.width": 2,
    "generator.norm": "none",
    "discriminator.norm": "none",
    "optimizers.generator": {"class": "sgd", "learning_rate": 0.2},
    "optimizers.discriminator": {"class": "sgd", "learning_rate": 0.2},
    "data.batch_size": 16,
    "training.log_every": 4,
    "training.sample_every": 4,
    "training.checkpoint_every": 5,
}


def config(steps, **changes):
    return registry.entry("dcgan_digits", {**PLAIN, "training.steps": steps, **changes})


def fitted(networks, *, sync=False, steps=20, arrays=False, rate=0.2):
    """A GAN after 20 steps on 8 images each, by the pipeline or from arrays."""

    def built():
        pair = networks()
        if sync:
            norms.synchronize(pair)
        return pair

    with STRATEGY.scope():
        options = {"seed": 3, "ema_decay": 0.9}
        gan = small.gan(built, optimizer=lambda: keras.optimizers.SGD(rate), **options)
    pixels = small.images(8 * steps if arrays else 44)
    if arrays:
        gan.fit(pixels, batch_size=8, verbose=0)
        return gan
    options = {"batch_size": 8, "flip": True, "seed": 1, "first_batch": 3, "repeat": True}
    images = data.open_source(pixels, progress=False)
    batches = data.distributed(images, STRATEGY, **options)
    history = gan.fit(batches, steps_per_epoch=steps, verbose=0)
    gan.logs = history.history
    return gan


def features(pixels):
    return np.asarray(pixels, np.float32).reshape(len(pixels), -1)[:, ::27] / 255


class Pixels:
    """An extractor that computes nothing."""

    name, hash, resize, dimension, classes, channels = "pixels", "0" * 64, "none", 10, 0, (1,)

    def __call__(self, images):
        return features(images), None


def weights(gan):
    floats = [v for v in gan.trainable_variables + gan.generator_ema.trainable_variables]
    floats += gan.generator_ema.weights
    return {f"{n:03d}": value for n, value in enumerate(small.values(floats))}


def run(folder):
    """A run of the command's own function; the others' workdir must stay missing."""
    index = cluster().index
    place = folder / ("run" if index == 0 else f"not_there_{index}")
    gan = training.train(config(6), workdir=place, strategy=STRATEGY, progress=False)
    return gan, place


def main(folder):
    team = Workers(STRATEGY)
    fits = {
        "plain": fitted(small.dense),
        # at a higher rate rounding grows a thousandfold in 20 steps, on one process too
        "synchronized": fitted(small.convolutional, sync=True, rate=0.05),
        "apart": fitted(small.convolutional, rate=0.05),
        "arrays": fitted(small.dense, arrays=True),
    }
    trained, place = run(folder)
    fits["run"] = trained
    refused = []
    try:
        team.check_same("images", str(cluster().index))
    except ValueError as error:
        refused.append(str(error))
    try:
        team.told(lambda: 1 / 0)
    except (ValueError, ZeroDivisionError) as error:
        refused.append(str(error))
    told = {
        "workers": [team.count, team.chief],
        "bytes": [len(team.sent(bytes(range(256)) * n + b"x")) for n in (0, 1, 20_000)],
        "same_bytes": team.sent(b"\x00\xff" * 3_000_001) == b"\x00\xff" * 3_000_001,
        "any": [team.any(False), team.any(cluster().index == 1)],
        "place": place.exists(),
        "refused": refused,
        "logs": fits["plain"].logs,
    }
    # alone on each: none of it may wait for the others
    gan = fits["plain"]
    if team.chief:
        told["images"] = gan.generate(40, seed=5).astype(int).sum(axis=(1, 2, 3)).tolist()
        scores = metrics.evaluate(
            gan,
            small.images(60, seed=9),
            images=48,
            floor=False,
            extractor=Pixels(),
            metrics=["frechet_distance", "precision"],
            cache=False,
            progress=False,
        )
        told["scores"] = scores.values_only
    team.wait()
    name = "chief" if team.chief else "other"
    for kind, one in fits.items():
        np.savez(folder / f"{name}_{kind}.npz", **weights(one))
    (folder / f"{name}.json").write_text(json.dumps(told))
    team.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
