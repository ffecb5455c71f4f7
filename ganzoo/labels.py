"""What GANs know of labels, as far as it can be said without importing them."""

import sys
from collections.abc import Sequence
from typing import Any

# Goodfellow 2016, arXiv:1701.00160, section 4.1: their scores do not compare with each other's.
KINDS = {
    "unconditional": "never seen",
    "trained with labels": "they help it in training, and can't be asked for",
    "conditional": "makes images of the label that is asked for",
}

# The classes of GAN that are not unconditional, by their name in a config.
_KNOWN = {
    "acgan": "conditional",
    "cgan": "conditional",
    "projection": "conditional",
    "sgan": "trained with labels",
}


def kind_of(gan: str) -> str:
    """Returns the kind of a class of GAN, one of `KINDS`, by its name in a config."""
    room = sys.modules.get("ganzoo.gans")  # a user's own classes are known there alone
    if room is not None and gan in room.GANS:
        return room.GANS[gan].kind_of_labels
    return _KNOWN.get(gan, "unconditional")


def is_interval(values: Any) -> bool:
    """Whether a code of `gan.codes` is continuous, (low, high), not categorical."""
    return isinstance(values, tuple) and len(values) == 2 and isinstance(values[0], float)


def categorical_code(gan: Any) -> tuple[str, Sequence] | None:
    """Returns name and values of a GAN's first categorical code; None if it has none."""
    if "codes" not in gan.conditions:
        return None
    name, values = next(iter(gan.codes.items()), ("", (0.0, 1.0)))
    return None if is_interval(values) else (name, values)


def classes_of(gan: Any) -> int:
    """Returns how many classes, or values of a categorical code, a GAN makes images of; or 0."""
    if "labels" in gan.conditions:
        return len(gan.class_names)
    code = categorical_code(gan)
    return len(code[1]) if code else 0
