"""Small classifiers of grey 28x28 images: the zoo's own features for digits and clothes.

One network, trained on real images alone by `benchmarks/classifiers.py`; its weights are published
like a GAN's. Distances between its features are called FCD, with the hash of the weights: they
compare with nobody's FID.
"""

import types

import keras
import numpy as np
from keras import layers

from ganzoo import weights
from ganzoo.metrics.features.forward import forward
from ganzoo.metrics.features.resizing import clean

SIZE = 28
DIMENSION = 128
CLASSES = 10
BATCH_SIZE = 500
CLASSIFIERS = ("mnist_classifier", "fashion_mnist_classifier")


def build(*, dropout: tuple[float, float] = (0.25, 0.5)) -> keras.Model:
    """Builds the network, (B, 28, 28, 1) in [0, 1] -> features (B, 128) and logits (B, 10).

    Two stages of two 3x3 convolutions (32 and 64 channels, batch normalisation, ReLU), each ended
    by a max pool and dropout, and a dense layer: the features are its outputs after the ReLU.

    Args:
        dropout: Rates after the stages and before the logits; they matter in training alone.
    """
    images = x = keras.Input((SIZE, SIZE, 1), name="images")
    for stage, channels in enumerate((32, 64), start=1):
        for part in "ab":
            name = f"conv{stage}{part}"
            x = layers.Conv2D(channels, 3, padding="same", use_bias=False, name=name)(x)
            x = layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
            x = layers.ReLU(name=f"{name}_relu")(x)
        x = layers.MaxPooling2D(name=f"pool{stage}")(x)
        x = layers.Dropout(dropout[0], name=f"dropout{stage}")(x)
    x = layers.Flatten(name="flatten")(x)
    features = layers.Dense(DIMENSION, activation="relu", name="features")(x)
    x = layers.Dropout(dropout[1], name="dropout3")(features)
    logits = layers.Dense(CLASSES, name="logits")(x)
    return keras.Model(images, {"features": features, "logits": logits}, name="classifier")


def named(model: keras.Model) -> types.SimpleNamespace:
    """Returns the network as `ganzoo.weights` takes it, under the name `classifier`."""
    return types.SimpleNamespace(networks={"classifier": model})


class Classifier:
    """Features and class logits of grey images, from a published classifier.

    Args:
        name: `"mnist_classifier"` (digits 0 to 9) or `"fashion_mnist_classifier"`.

    Raises:
        NotPublished: If the package has no weights of that name.
    """

    dimension = DIMENSION
    classes = CLASSES
    channels = (1,)
    resize = "clean"  # images of 28x28 stay as they are

    def __init__(self, name: str):
        card = weights.card(name)
        self.name, self.hash = name, card.sha256
        self.network = build()
        weights.assign(named(self.network), weights.load(card))
        self._forward = forward(self.network)

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns features (B, 128) and logits (B, 10), float32, of uint8 images (B, H, W, 1)."""
        pixels = clean(images, SIZE) / np.float32(255)
        outputs = self._forward(pixels)
        return outputs["features"], outputs["logits"]

    def accuracy(self, images: np.ndarray, labels: np.ndarray) -> float:
        """Returns the share of uint8 images (N, H, W, 1) whose likeliest class is their label."""
        right = 0
        for start in range(0, len(images), BATCH_SIZE):
            rows = slice(start, start + BATCH_SIZE)
            _, logits = self(np.asarray(images[rows]))
            right += int((logits.argmax(axis=1) == labels[rows]).sum())
        return right / len(images)
