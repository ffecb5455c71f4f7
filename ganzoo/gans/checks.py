"""Checks of GAN classes' own arguments."""

import math
from numbers import Real
from typing import Any

import keras


def check_number(name: str, value: Any, *, above: float | None = None) -> None:
    """Raises ValueError unless `value` is a finite number >= 0.

    Args:
        name: Name of the argument.
        value: What was given.
        above: If given, the number has to be greater than this.
    """
    least = "> " + format(above, "g") if above is not None else ">= 0"
    number = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    if not number or not (value > above if above is not None else value >= 0):
        raise ValueError(f"Expected {name}, a number {least}. Received: {name}={value!r}.")


def batch_norms(layer: keras.Layer) -> list[keras.Layer]:
    """Returns the batch normalisation layers in a network, those within its layers included."""
    if isinstance(layer, keras.layers.BatchNormalization):
        return [layer]
    wrapped = getattr(layer, "layer", None)
    inner = [*getattr(layer, "layers", ()), *([wrapped] if wrapped is not None else [])]
    return [found for one in inner for found in batch_norms(one)]
