"""Test errors: how many images a GAN that classifies puts into a wrong class."""

from typing import Any

import numpy as np


def test_errors(gan: Any, images: np.ndarray, labels: np.ndarray) -> int:
    """Returns how many images are classified wrongly, as in Salimans et al. 2016, table 1.

    Args:
        gan: GAN with `classify`: images to labels (N,).
        images: uint8 (N, H, W, C), or float in [-1, 1].
        labels: True labels (N,).

    Raises:
        ValueError: If there is not a label an image.
        TypeError: If the GAN does not classify.
    """
    if not hasattr(gan, "classify"):
        raise TypeError(f"Expected a GAN that classifies images. Received: {type(gan).__name__}.")
    labels = np.asarray(labels)
    if labels.shape != (len(images),):
        raise ValueError(
            f"Expected a label an image. Received: {len(images)} images, labels of shape "
            f"{labels.shape}."
        )
    return int(np.sum(np.asarray(gan.classify(images)) != labels))


test_errors.__test__ = False  # it is no test, whatever a test module imports it for
