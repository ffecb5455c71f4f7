"""What a GAN is asked for beside its latents, laid out for rows of images."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ganzoo.labels import is_interval


def laid_out(gan: Any, rows: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the conditions of images, each as the row that it stands in has them.

    What is not given differs from row to row: labels are the classes in turn, categorical codes
    their values in turn, and continuous codes stand in the middle of their interval.

    Args:
        gan: A GAN; `class_names` where it takes labels, `codes` where it takes codes.
        rows: Number of the row that each image stands in, (N,): 0, 1, ...
        given: Options of `generate`: of a condition, a value for all or a sequence of one a row.
            Others stay as they are.

    Raises:
        ValueError: If a sequence has not one value a row.
    """
    rows, asked = np.asarray(rows), dict(given)
    known = getattr(gan, "conditions", ())
    if "labels" in known and asked.get("labels") is None:
        asked["labels"] = _in_turn(range(len(gan.class_names)), _count(rows))
    if "codes" in known:
        codes = {name: _in_turn(values, _count(rows)) for name, values in gan.codes.items()}
        asked["codes"] = codes | (asked.get("codes") or {})
    return spread_all(asked, rows)


def spread(name: str, values: Any, rows: np.ndarray) -> Any:
    """Returns one value a row as a list of one an image; a value for all stays as it is."""
    if np.ndim(values) == 0:
        return values
    if len(values) != _count(rows):
        raise ValueError(
            f"Expected {name}, one value or one for each of {_count(rows)} rows. "
            f"Received: {len(values)}."
        )
    return [values[row] for row in rows]


def spread_all(given: Mapping[str, Any], rows: np.ndarray) -> dict[str, Any]:
    """Returns conditions as `spread` lays each of them out, every code on its own."""
    found = {name: spread(name, one, rows) for name, one in given.items() if name != "codes"}
    if given.get("codes"):
        found["codes"] = {name: spread(name, one, rows) for name, one in given["codes"].items()}
    return found


def noise_dim(gan: Any) -> int:
    """Returns how many entries of a latent vector are noise, not codes."""
    if "codes" not in getattr(gan, "conditions", ()):
        return gan.latent_dim
    sizes = (1 if is_interval(values) else len(values) for values in gan.codes.values())
    return gan.latent_dim - sum(sizes)


def _count(rows: np.ndarray) -> int:
    return int(rows.max()) + 1


def _in_turn(values: Any, count: int) -> list[Any]:
    if is_interval(values):
        return [sum(values) / 2] * count
    return [values[row % len(values)] for row in range(count)]
