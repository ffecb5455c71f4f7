"""An independent classifier of labelled images: trained on real ones alone, cached on disk."""

import math

import keras
import numpy as np

from ganzoo import data as data_room
from ganzoo import paths

BATCH = 128
EPOCHS, STEPS = 6, 1000  # at least


def judge(train: data_room.Images, test: data_room.Images) -> tuple[keras.Model, float]:
    """Returns a classifier of (N, H, W, C) images in [0, 1] and its accuracy on `test`.

    It is a small convolutional network with batch normalisation and dropout, trained for 6 epochs
    of batches of 128, or 1,000 steps if that is more (Adam 1e-3, cosine decay), from seed 0.
    """
    cached = paths.home() / "benchmarks" / f"judge-{train.fingerprint[:16]}.keras"
    if cached.exists():
        model = keras.models.load_model(cached)
    else:
        model = _network(train.images.shape[1:], int(train.labels.max()) + 1)
        _train(model, train)
        cached.parent.mkdir(parents=True, exist_ok=True)
        model.save(cached)
    guesses = probabilities(model, test.images).argmax(axis=1)
    return model, float((guesses == test.labels).mean())


def probabilities(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Returns class probabilities (N, classes) of uint8 images (N, H, W, C)."""
    batches = [images[i : i + 500] / np.float32(255) for i in range(0, len(images), 500)]
    return np.concatenate([keras.ops.softmax(model(batch, training=False)) for batch in batches])


def _network(shape: tuple[int, ...], classes: int) -> keras.Model:
    keras.utils.set_random_seed(0)
    stages = []
    for channels in (32, 64):
        for _ in range(2):
            stages += [
                keras.layers.Conv2D(channels, 3, padding="same", use_bias=False),
                keras.layers.BatchNormalization(momentum=0.9),
                keras.layers.ReLU(),
            ]
        stages += [keras.layers.MaxPooling2D(), keras.layers.Dropout(0.25)]
    return keras.Sequential(
        [
            keras.Input(shape),
            *stages,
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(classes),
        ]
    )


def _train(model: keras.Model, images: data_room.Images) -> None:
    steps = math.ceil(len(images) / BATCH)
    epochs = max(EPOCHS, math.ceil(STEPS / steps))
    rate = keras.optimizers.schedules.CosineDecay(1e-3, epochs * steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, jit_compile=False)
    pixels = images.images / np.float32(255)
    model.fit(pixels, images.labels, batch_size=BATCH, epochs=epochs, verbose=2)
