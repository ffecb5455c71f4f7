"""How labels enter a network, by name.

`"concat"` joins one-hot labels to what every layer takes in, as the authors' code of DCGAN does
for MNIST's digits; Mirza & Osindero 2014 (arXiv:1411.1784), whose layers are dense, join them to
both networks' inputs. `"batch_norm"` gives each class gains and shifts of its own in a generator,
`"projection"` a direction of its own among a discriminator's features (Miyato & Koyama 2018,
arXiv:1802.05637). `"none"` is a network without labels.
"""

from typing import Any

import keras
from keras import layers

from ganzoo.errors import unknown
from ganzoo.layers import ConditionalBatchNormalization, GlobalSumPooling, JoinVector, OneHot
from ganzoo.networks import norms

GENERATOR_KINDS = ("none", "concat", "batch_norm")
DISCRIMINATOR_KINDS = ("none", "concat", "projection")


def check(conditioning: str, choices: tuple[str, ...], *, classes: int, norm: str) -> None:
    """Raises ValueError unless there is such a conditioning, and classes and norm go with it."""
    if conditioning not in choices:
        raise unknown("conditioning", conditioning, choices)
    if conditioning == "none":
        return
    if isinstance(classes, bool) or not isinstance(classes, int) or classes < 1:
        raise ValueError(
            f"Expected classes, a whole number >= 1, for conditioning={conditioning!r}. "
            f"Received: classes={classes!r}."
        )
    if conditioning == "batch_norm" and norm != "batch":
        raise ValueError(
            f"Expected norm='batch' for conditioning='batch_norm'. Received: norm={norm!r}."
        )
    if norm in ("virtual", "reference"):
        raise ValueError(
            f"Expected norm='batch' or 'none' for conditioning={conditioning!r}: a reference batch "
            f"has no labels. Received: norm={norm!r}."
        )


class Labels:
    """The labels of a network that is being built, and what its conditioning does with them.

    Args:
        conditioning: One of the names above.
        classes: Number of classes.
    """

    def __init__(self, conditioning: str, classes: int):
        self.conditioning = conditioning
        self.classes = classes
        if conditioning != "none":
            self.labels = keras.Input((), dtype="int32", name="labels")
        if conditioning in ("concat", "projection"):
            self.one_hot = OneHot(classes, name="one_hot")(self.labels)

    def beside(self, x: Any) -> Any:
        """Returns a network's inputs: x alone, or x and the labels."""
        return x if self.conditioning == "none" else [x, self.labels]

    def joined(self, x: Any, name: str) -> Any:
        """Returns x, (B, A) or (B, H, W, A), with one-hot labels appended for `"concat"`."""
        if self.conditioning != "concat":
            return x
        return JoinVector(name=f"{name}_with_labels")([x, self.one_hot])

    def normed(self, norm: str, x: Any, name: str, reference_size: int) -> Any:
        """Returns x normalised, by each class's own gains and shifts for `"batch_norm"`."""
        if self.conditioning != "batch_norm":
            return norms.after(norm, x, name, reference_size)
        return ConditionalBatchNormalization(self.classes, name=name)([x, self.labels])

    def pooled(self, maps: Any) -> Any:
        """Returns maps as a vector of features: summed over positions for `"projection"`."""
        if self.conditioning == "projection":
            return GlobalSumPooling(name="pool")(maps)
        return layers.Flatten(name="flatten")(maps)

    def projected(self, norm: str, logits: Any, features: Any) -> Any:
        """Returns logits plus, for `"projection"`, each class's direction times the features.

        The table of directions is a dense layer on one-hot labels; it is normalised as the other
        kernels are.
        """
        if self.conditioning != "projection":
            return logits
        table = layers.Dense(
            features.shape[-1],
            use_bias=False,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
            name="label_embedding",
        )
        embedded = norms.within(norm, table)(self.one_hot)
        inner = layers.Dot(axes=1, name="projection")([embedded, features])
        return layers.Add(name="conditional_logits")([logits, inner])
