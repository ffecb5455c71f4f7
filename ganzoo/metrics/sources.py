"""Where the real images of an evaluation come from."""

import os
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from ganzoo import data as data_room
from ganzoo.config import ZooConfig
from ganzoo.data.records import Records

_NOT_OF_ALL = ("precision", "recall", "density", "coverage", "ms_ssim")


def real_source(data: Any, config: ZooConfig | None) -> Any:
    """What the real images are read from."""
    if data is None:
        if config is None:
            raise ValueError("Expected data=, the real images: this GAN is no entry of the zoo.")
        return config.data.dataset
    if isinstance(data, tf.data.Dataset):
        return _collected(data)
    return data


def _collected(data: tf.data.Dataset) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """The images of one epoch of a data set, with their labels where it has them."""
    if data.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError("Expected a data set that ends. Received: an infinite one; use .take(n).")
    batches = [one if isinstance(one, tuple) else (one,) for one in data.as_numpy_iterator()]
    if not batches:
        raise ValueError("Expected real images. Received: an empty data set.")
    images = np.concatenate([one[0] for one in batches])
    labelled = all(len(one) == 2 and np.shape(one[1]) == (len(one[0]),) for one in batches)
    labels = np.concatenate([one[1] for one in batches]) if labelled else np.empty(0)
    return (images, labels) if labels.dtype.kind in "iu" else images


def is_streamed(data: Any) -> bool:
    """Whether these are images that are decoded as they are read, and never all in memory."""
    return isinstance(data, data_room.Images) and isinstance(data.images, Records)


def check_streamed(names: Iterable[str], data: Any) -> None:
    """Raises `ValueError` where a metric compares with all real images, and they are streamed."""
    names = list(names)
    if "copies" in names and is_streamed(data):
        others = [name for name in names if name != "copies"] or _NOT_OF_ALL
        raise ValueError(
            f"copies are looked for among all real images at once, and streamed ones never are "
            f"together: ask for other metrics alone ({', '.join(others)}), or take stream=False "
            f"(data.stream). Received: {data!r}."
        )


def held_out_images(data: Any, source: dict[str, Any]) -> data_room.Images | None:
    """The images of the split `test`, if the source has one that is not what is scored against."""
    if source["split"] != "train" or not isinstance(data, (str, os.PathLike)):
        return None
    try:
        return data_room.open_source(data, **{**source, "split": "test"}, progress=False)
    except ValueError:  # it has no such split
        return None


def labelled_test(data: Any, source: dict[str, Any]) -> data_room.Images:
    """The images of the split `test`, whole and with labels.

    Raises:
        ValueError: If the source has none.
    """
    found = held_out_images(data, {**source, "split": "train"})
    if found is None or found.labels is None:
        raise ValueError(
            "Errors of a classifier are counted on a data set's split 'test', by its name or "
            f"path and with labels. Received: {found or 'no such split'}."
        )
    return found
