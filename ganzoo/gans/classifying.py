"""Discriminators that know classes, as classifiers of images."""

from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from ganzoo.gans import inputs


class Classifying:
    """Adds `classify` to a GAN that defines `class_logits`."""

    def class_logits(self, images: tf.Tensor) -> tf.Tensor:
        """Returns the logits of the classes, float32 (B, K), in inference mode.

        Args:
            images: Float images (B, H, W, C) in [-1, 1].
        """
        raise TypeError(f"{type(self).__name__} must define `class_logits`.")

    def classify(
        self, images: Any, *, probabilities: bool = False, batch_size: int = 64
    ) -> np.ndarray:
        """Classifies images by the discriminator: labels int32 (N,), or probabilities.

        Args:
            images: uint8 images or float ones in [-1, 1], (N, H, W, C).
            probabilities: Whether to return each class's probability, float32 (N, K), instead.
            batch_size: Images at a time, rounded up to whole passes of the network; changes
                memory and speed, not the result.

        Raises:
            ValueError: If images have another shape than this GAN's, or another range.
        """
        images = inputs.checked_images(images, self.image_shape)
        floats = inputs.to_float(tf.convert_to_tensor(images)).numpy()
        logits = inputs.in_passes(
            lambda rows, training: self.class_logits(rows), floats, batch_size
        )
        if probabilities:
            return np.asarray(ops.softmax(logits, axis=-1))
        return logits.argmax(axis=-1).astype(np.int32)
