"""Trains the classifiers whose features score grey images, and publishes their weights.

    python benchmarks/classifiers.py --names=mnist_classifier --data_dir=DIR
    python benchmarks/classifiers.py --data_dir=DIR --publish

Each sees real training images alone, shifted by up to two pixels and, where that keeps the class,
mirrored; the accuracy on the test images is that of the weights as stored, in half precision.
Without --publish nothing is written.
"""

import dataclasses
import datetime
import hashlib
import json
import os
import platform
import time
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from absl import flags
from command import parse, record, run

import ganzoo
from ganzoo import data as data_room
from ganzoo import paths, weights
from ganzoo.errors import unknown
from ganzoo.metrics.features import classifier


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How one classifier is trained: Adam at 1e-3 with cosine decay, all else stated here."""

    dataset: str
    licence: str
    flip: bool
    epochs: int
    least_accuracy: float
    dropout: tuple[float, float] = (0.25, 0.5)
    shift: int = 2
    batch_size: int = 128
    seed: int = 0

    @property
    def hash(self) -> str:
        """sha256, in hex, of the recipe."""
        return hashlib.sha256(json.dumps(vars(self), sort_keys=True).encode()).hexdigest()


RECIPES = {
    "mnist_classifier": Recipe("mnist", "MNIST, CC BY-SA 3.0", False, 10, 0.993),
    "fashion_mnist_classifier": Recipe(
        "fashion_mnist", "Fashion-MNIST, MIT", True, 10, 0.92, dropout=(0.0, 0.3), shift=1
    ),
}


def batches(images: data_room.Images, recipe: Recipe) -> tf.data.Dataset:
    """Returns endless shuffled batches of shifted images in [0, 1] and labels."""
    margin, size = recipe.shift, classifier.SIZE
    data = tf.data.Dataset.from_tensor_slices((np.asarray(images.images), images.labels))
    data = data.shuffle(len(images), seed=recipe.seed).repeat().batch(recipe.batch_size, True)

    def augmented(index, batch):
        pixels, labels = batch
        seed = tf.stack([tf.cast(recipe.seed, tf.int64), index])
        pixels = tf.pad(pixels, [[0, 0], [margin, margin], [margin, margin], [0, 0]])
        pixels = tf.image.stateless_random_crop(pixels, (recipe.batch_size, size, size, 1), seed)
        if recipe.flip:
            pixels = tf.image.stateless_random_flip_left_right(pixels, seed)
        return tf.cast(pixels, tf.float32) / 255, labels

    return data.enumerate().map(augmented).prefetch(4)


def train(images: data_room.Images, recipe: Recipe) -> keras.Model:
    """Returns the trained network; shows Keras's progress bar."""
    keras.utils.set_random_seed(recipe.seed)
    network = classifier.build(dropout=recipe.dropout)
    steps = len(images) // recipe.batch_size
    model = keras.Model(network.input, network.output["logits"])
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, recipe.epochs * steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )
    model.fit(batches(images, recipe), epochs=recipe.epochs, steps_per_epoch=steps, verbose=2)
    return network


def accuracy(tensors: dict[str, np.ndarray], test: data_room.Images) -> float:
    """Returns the share of test images that stored weights classify right."""
    network = classifier.build()
    weights.assign(classifier.named(network), tensors)
    pixels = np.asarray(test.images) / np.float32(255)
    logits = network.predict(pixels, batch_size=500, verbose=0)["logits"]
    return float((logits.argmax(axis=1) == test.labels).mean())


def make(name: str, data_dir: str | None, *, publish: bool) -> float:
    """Trains one classifier, publishes it if asked to, and returns its test accuracy."""
    recipe = RECIPES[name]
    options = {"image_size": classifier.SIZE, "channels": 1, "data_dir": data_dir}
    images = data_room.open_source(recipe.dataset, **options)
    test = data_room.open_source(recipe.dataset, split="test", **options)
    start = time.monotonic()
    tensors = weights.collect(classifier.named(train(images, recipe)))
    seconds = time.monotonic() - start
    right = accuracy(tensors, test)
    print(f"{name}: {right:.2%} of {len(test):,} test images, {seconds:.0f} s")
    if right < recipe.least_accuracy:
        raise ValueError(f"{name} must reach {recipe.least_accuracy:.1%}; it has {right:.2%}.")
    if publish:
        _publish(name, tensors, images, len(test), right, seconds)
    return right


def _publish(name, tensors, images, tested: int, right: float, seconds: float) -> None:
    recipe = RECIPES[name]
    path = paths.pretrained() / f"{name}.safetensors"
    sha256 = weights.write(path, tensors, {"name": name, "format": "ganzoo"})
    card = weights.Card(
        name=name,
        file=path.name,
        sha256=sha256,
        bytes=path.stat().st_size,
        config_hash=recipe.hash,
        data={
            "source": images.name,
            "images": len(images),
            "image_size": classifier.SIZE,
            "fingerprint": images.fingerprint,
        },
        seed=recipe.seed,
        steps=recipe.epochs * (len(images) // recipe.batch_size),
        metrics={
            "accuracy": {"value": right, "images": tested, "split": "test", "tolerance": 0.001}
        },
        licence=recipe.licence,
        trained={
            "date": datetime.date.today().isoformat(),
            "seconds": round(seconds),
            "hardware": f"{os.cpu_count()} CPU cores ({platform.machine()})",
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
        },
        version=ganzoo.__version__,
    )
    card.write(paths.pretrained() / f"{name}.json")
    print(f"{path}: {card.bytes:,} bytes")


def define(values: flags.FlagValues) -> None:
    """Adds the flags."""
    flags.DEFINE_list("names", list(RECIPES), "Which to train.", flag_values=values)
    flags.DEFINE_string(
        "data_dir", None, "Folder that is searched for the images first.", flag_values=values
    )
    flags.DEFINE_boolean("publish", False, "Write into pretrained/.", flag_values=values)


def main(arguments: Sequence[str]) -> None:
    """Trains the classifiers that the command line names."""
    options = parse(__doc__, define, arguments)
    for name in options.names:
        if name not in RECIPES:
            raise unknown("classifier", name, RECIPES)
    accuracies = {
        name: make(name, options.data_dir, publish=options.publish) for name in options.names
    }
    record(options, {"results": accuracies})


if __name__ == "__main__":
    run(main)
