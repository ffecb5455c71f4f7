"""Checks that every metric makes of what it is given: a wrong array is an error, never a number."""

from numbers import Integral
from typing import Any

import numpy as np


def features(name: str, array: Any, *, at_least: int = 2, varied: bool = True) -> np.ndarray:
    """Returns an array of features, checked.

    Args:
        name: What messages call it.
        array: Numbers (N, d), one row an image.
        at_least: Images that the metric needs, at least 1.
        varied: Whether images that all have the same features are refused, as a feature network
            that failed would make them.

    Returns:
        float32 (N, d) of floats with 32 bits or fewer, otherwise float64; not a copy if it is one
        of the two already.

    Raises:
        TypeError: If these are no real numbers.
        ValueError: If the array is not (N, d), is empty, has fewer rows than `at_least`, holds NaN
            or infinite values, or is constant.
    """
    array = np.asarray(array)
    if array.dtype.kind not in "iuf" and array.dtype.name != "bfloat16":
        raise TypeError(f"{name}: expected real numbers. Received: dtype {array.dtype}.")
    if array.ndim != 2:
        raise ValueError(
            f"{name}: expected features (N, d), a row for each image. "
            f"Received: shape {array.shape}."
        )
    count, dimension = array.shape
    if not count or not dimension:
        raise ValueError(
            f"{name}: expected the features of some images. "
            f"Received: an empty array, shape {array.shape}."
        )
    if count < at_least:
        raise ValueError(f"{name}: expected at least {at_least} images. Received: {count}.")
    small = array.dtype.kind not in "iu" and array.dtype.itemsize <= 4
    array = array.astype(np.float32 if small else np.float64, copy=False)
    low, high = array.min(axis=0), array.max(axis=0)  # both are NaN where one value is
    wrong = np.flatnonzero(~(np.isfinite(low) & np.isfinite(high)))
    if len(wrong):
        raise ValueError(
            f"{name}: expected finite numbers. Received: NaN or infinite values in {len(wrong)} of "
            f"{dimension} features, in {np.sum(~np.isfinite(array[:, wrong]).all(1))} of {count} "
            "images."
        )
    if varied and count > 1 and np.array_equal(low, high):
        raise ValueError(
            f"{name}: expected features that differ between images. "
            f"Received: the same {dimension} numbers for each of {count} images."
        )
    return array


def pair(
    first: Any, second: Any, *, at_least: int = 2, names: tuple[str, str] = ("real", "fake")
) -> tuple[np.ndarray, np.ndarray]:
    """Returns two sets of features, (N, d) and (M, d), checked as `features` does.

    Raises:
        TypeError, ValueError: As for `features`; ValueError too if d differs.
    """
    first = features(names[0], first, at_least=at_least)
    second = features(names[1], second, at_least=at_least)
    same_dimension(first.shape[1], second.shape[1], names=names)
    return first, second


def same_dimension(first: int, second: int, *, names: tuple[str, str] = ("real", "fake")) -> None:
    """Raises ValueError unless two sets have equally many features an image."""
    if first != second:
        raise ValueError(
            f"{names[0]} and {names[1]}: expected features of one extractor, equally many an image."
            f" Received: {first} and {second}."
        )


def images(name: str, array: Any, *, at_least: int = 1) -> np.ndarray:
    """Returns an array of images, checked.

    Args:
        name: What messages call it.
        array: uint8 (N, H, W, C).
        at_least: Images that the metric needs.

    Raises:
        TypeError: If the dtype is not uint8.
        ValueError: If the shape is that of no images, or there are too few.
    """
    array = np.asarray(array)
    if array.dtype != np.uint8:
        raise TypeError(
            f"{name}: expected uint8 images, in [0, 255]; `ganzoo.visualize.to_uint8` rounds floats"
            f" in [-1, 1]. Received: dtype {array.dtype}."
        )
    if array.ndim != 4 or 0 in array.shape[1:]:
        raise ValueError(f"{name}: expected images (N, H, W, C). Received: shape {array.shape}.")
    if not len(array):
        raise ValueError(f"{name}: expected some images. Received: none, shape {array.shape}.")
    if len(array) < at_least:
        raise ValueError(f"{name}: expected at least {at_least} images. Received: {len(array)}.")
    return array


def whole(name: str, value: Any, *, low: int = 1) -> int:
    """Returns an option that is a whole number, at least `low`.

    Raises:
        TypeError: If it is no whole number.
        ValueError: If it is too small.
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name}: expected a whole number. Received: {value!r}.")
    if value < low:
        raise ValueError(f"{name}: expected a whole number >= {low}. Received: {value}.")
    return int(value)
