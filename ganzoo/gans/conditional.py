"""GANs with labels: what the conditional ones share, whatever their losses.

Mirza & Osindero 2014, "Conditional Generative Adversarial Nets", arXiv:1411.1784.
"""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ganzoo.errors import unknown
from ganzoo.gans import inputs
from ganzoo.gans.base import GAN, Examples
from ganzoo.gans.replicas import gathered


class ConditionalGAN(GAN):
    """Both players are told the class of an image; an example is a pair (image, label).

    To be combined with a class of losses, as in `class CGAN(ConditionalGAN, NonSaturatingGAN)`.
    Data are (images, labels), labels whole numbers (B,) in [0, classes).

    The labels of generated images are drawn from those of the real batch, of all replicas
    together, each independently of the others and of the images: classes are asked for as often
    as they occur. So a fine-tune on some of the classes never asks for the others.

    Args:
        generator: Model from [latents (B, latent_dim), labels (B,)] to images.
        discriminator: Model from [images, labels (B,)] to logits (B, 1).
        classes: Number of classes, or their names in the order of the labels.
        **options: Of `GAN`.

    Raises:
        ValueError: If classes are no number >= 1 and no names, or the networks were built for
            another number of them.
    """

    conditions = ("labels",)
    kind_of_labels = "conditional"

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        classes: int | Sequence[str],
        **options: Any,
    ):
        self.class_names = names_of(classes)  # `check_networks` needs them
        super().__init__(generator, discriminator, **options)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    def check_networks(
        self, generator: keras.Model, discriminator: keras.Model, latent_dim: int
    ) -> None:
        """Raises ValueError unless both networks take labels beside latents and images."""
        check_inputs("a generator of latents and labels", generator, (None, latent_dim))
        check_inputs("a discriminator of images and labels", discriminator, generator.output_shape)
        self.check_classes(generator)
        self.check_classes(discriminator)

    def check_classes(self, network: keras.Model) -> None:
        """Raises ValueError unless the layers that take labels know of as many classes."""
        for layer in network.layers:
            if getattr(layer, "classes", self.classes) != self.classes:
                raise ValueError(
                    f"Expected networks of {self.classes} classes. Received: {layer.classes} in "
                    f"{layer.name} of {network.name}."
                )

    # -- examples ----------------------------------------------------------------------------

    def real_examples(self, data: Any) -> Examples:
        if not isinstance(data, (tuple, list)) or len(data) < 2:
            raise _no_labels(self.name)
        labels = inputs.within(data[1], 0, self.classes, name="labels")
        return self.real_images(data), ops.reshape(labels, (-1,))

    def sample_labels(self, labels: tf.Tensor) -> tf.Tensor:
        """Draws as many labels as the real ones (B,), from those of all replicas; int32 (B,)."""
        drawn = self.draw(keras.random.uniform, ops.shape(labels)[0])
        _, among = self.whole((None, labels))  # of all micro-batches
        every = gathered(among)
        count = ops.shape(every)[0]
        rows = ops.cast(drawn * ops.cast(count, "float32"), "int32")
        return ops.take(every, ops.minimum(rows, count - 1), axis=0)  # rounding may reach count

    def fakes(self, real: Examples) -> Examples:
        labels = self.sample_labels(real[1])
        latents = self.sample_latents(inputs.count(real))
        images = self.generator([latents, labels], training=True)
        return ops.cast(images, "float32"), labels

    # -- labels from outside -----------------------------------------------------------------

    def check_labels(self, labels: Any) -> None:
        _checked(labels, self.classes)

    def checked_data(self, x: Any, y: Any) -> tuple[Any, Any]:
        if isinstance(x, tuple) and y is None and len(x) == 2:
            x, y = x
        if isinstance(x, tf.data.Dataset):
            if not isinstance(x.element_spec, (tuple, list)) or len(x.element_spec) < 2:
                raise _no_labels(self.name)
            check_spec(x.element_spec[1])
        elif not isinstance(x, tf.distribute.DistributedDataset):
            if y is None:
                raise _no_labels(self.name)
            y = _checked(y, self.classes)
        return x, y

    def label_indexes(self, labels: Any, n: int | None = None) -> np.ndarray:
        """Returns labels as int32 indexes (n,) of classes.

        Args:
            labels: A class's number or name for all; a sequence of them, one for each image; or
                None for the classes in turn, 0, 1, 2, ...
            n: Number of images; may be left out where labels are a sequence.

        Raises:
            ValueError: If a label is unknown, or labels are not n.
        """
        if labels is None:
            inputs.check_count("n", n, or_else=", or labels or latents")
            return (np.arange(n) % self.classes).astype(np.int32)
        if isinstance(labels, str) or np.ndim(labels) == 0:
            inputs.check_count("n", n, or_else=", or a label for each image")
            one = labels if isinstance(labels, str) else np.asarray(labels)[()]
            return np.full(n, self._index(one), np.int32)
        found = np.array([self._index(one) for one in labels], np.int32)
        if not len(found) or len(found) != (n or len(found)):
            raise ValueError(
                f"Expected a label for each of {n or 'n'} images. Received: {len(found)} labels."
            )
        return found

    def generator_inputs(
        self,
        n: int | None,
        *,
        seed: int | None,
        latents: Any,
        truncation: float | None,
        labels: Any = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns latents (n, latent_dim) and labels (n,); see `label_indexes`."""
        options = {"latent_dim": self.latent_dim, "truncation": truncation}
        if latents is not None:
            latents = inputs.latents_or_sample(n, seed, latents, **options)
            n = len(latents)
        found = self.label_indexes(labels, n)
        if latents is None:
            latents = inputs.latents_or_sample(len(found), seed, None, **options)
        return latents, found

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "classes": list(self.class_names)}

    def _index(self, label: Any) -> int:
        names, last = self.class_names, self.classes - 1
        if isinstance(label, str):
            if label in names:
                return names.index(label)
            if not label.isdecimal():
                raise unknown("label", label, names)
            label = int(label)
        if isinstance(label, (bool, np.bool_)) or not isinstance(label, Integral):
            raise ValueError(
                f"Expected labels in [0, {last}] or of {', '.join(names)}. Received: {label!r}."
            )
        if not 0 <= label <= last:
            raise ValueError(
                f"Expected labels in [0, {last}]: {', '.join(names)}. Received: {label}; "
                f"nearest: {min(max(label, 0), last)}."
            )
        return int(label)


def names_of(classes: int | Sequence[str]) -> tuple[str, ...]:
    """Returns the names of classes, those of n nameless ones being "0" to "n - 1".

    Raises:
        ValueError: If `classes` is neither a whole number >= 1 nor different names.
    """
    if isinstance(classes, Integral) and not isinstance(classes, bool) and classes >= 1:
        return tuple(str(number) for number in range(classes))
    named = isinstance(classes, (tuple, list)) and all(isinstance(n, str) and n for n in classes)
    if not named or not classes or len(set(classes)) != len(classes):
        raise ValueError(
            "Expected classes, a whole number >= 1 or a list of different names. "
            f"Received: classes={classes!r}."
        )
    return tuple(classes)


def check_inputs(expected: str, network: keras.Model, first: tuple) -> None:
    """Raises ValueError unless a network's inputs are of the shape `first`, and labels (B,)."""
    if network.input_shape != [first, (None,)]:
        raise ValueError(
            f"Expected {expected}, of inputs [{first}, (None,)]. "
            f"Received: {network.name} of {network.input_shape}; see the networks' `conditioning`."
        )


def _no_labels(name: str) -> ValueError:
    return ValueError(
        f"Expected labels beside the images: {name} is conditional. Received: images alone; give "
        "fit(images, labels), a data set of (images, labels), or `data: {labels: true}`."
    )


def _checked(labels: Any, classes: int) -> np.ndarray:
    """Returns labels (N,) of a data set, int32.

    Raises:
        ValueError: If they are no whole numbers in [0, classes).
    """
    labels = np.asarray(labels)
    _check_kind(tf.TensorShape(labels.shape), labels.dtype)
    labels = labels.reshape(-1)
    if len(labels) and not (labels.min() >= 0 and labels.max() < classes):
        raise ValueError(
            f"Expected labels in [0, {classes - 1}]. "
            f"Received: labels in [{labels.min()}, {labels.max()}]."
        )
    return labels.astype(np.int32)


def check_spec(spec: Any) -> None:
    """Raises ValueError unless a data set's element of that kind is labels (B,)."""
    if not isinstance(spec, tf.TensorSpec):
        raise ValueError(f"Expected labels (N,) as one tensor. Received: {spec}.")
    _check_kind(spec.shape, spec.dtype.as_numpy_dtype)


def _check_kind(shape: tf.TensorShape, dtype: Any) -> None:
    flat = any(shape.is_compatible_with(one) for one in ((None,), (None, 1)))
    if not flat or not np.issubdtype(dtype, np.integer):
        raise ValueError(
            "Expected labels (N,), whole numbers; np.argmax(labels, axis=1) makes such of one-hot "
            f"ones. Received: shape {tuple(shape)}, dtype {np.dtype(dtype).name}."
        )
