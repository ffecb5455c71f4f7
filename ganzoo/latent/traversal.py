"""Traversals: one thing goes through its range, all others stay."""

from typing import Any

import numpy as np

from ganzoo.errors import unknown
from ganzoo.grids import grid, whole
from ganzoo.labels import is_interval
from ganzoo.latent import conditions


def traverse(
    gan: Any,
    what: Any,
    *,
    n: int = 8,
    steps: int = 10,
    seed: int = 0,
    reach: float = 2.5,
    **options: Any,
) -> np.ndarray:
    """Generates rows of images that differ in one latent direction, or in one code.

    Args:
        gan: A GAN: anything with `latent_dim` and `generate(latents=)`; of conditional ones also
            `conditions`, `class_names` and `codes`.
        what: What goes through its range. Name of a code: a continuous one from the low end of its
            interval to the high one, a categorical one through its values in turn. Or a direction
            of the noise: an axis, 0 to the latents' length - 1 (a text of digits too), or a vector
            of that length; the latents' part along it goes from `-reach` to `reach`, standard
            deviations, whatever the vector's own length is.
        n: Rows; each has noise of its own.
        steps: Images a row, 2 or more.
        seed: Seed of the noise.
        reach: See `what`.
        **options: Of `gan.generate`. Conditions are one for all or one a row; by default the rows
            have the classes in turn, or the values of a categorical code, and continuous codes
            stand in the middle.

    Returns:
        uint8 images (n * steps, H, W, C), row after row. Of a GAN of points, points (n * steps, D).

    Raises:
        ValueError: If there is no such code, axis or direction, or a number is too small.
    """
    n, steps = whole("n", n, 1), whole("steps", steps, 2)
    size = conditions.noise_dim(gan)
    noise = np.random.default_rng(seed).standard_normal((n, size), np.float32)
    asked = conditions.laid_out(gan, np.repeat(np.arange(n), steps), options)
    if isinstance(what, str) and not what.isdecimal():
        asked["codes"] = {**asked.get("codes", {}), what: _values(gan, what, n, steps)}
        return gan.generate(latents=np.repeat(noise, steps, axis=0), **asked)
    unit = _direction(what, size)
    along = np.linspace(-reach, reach, steps)[:, np.newaxis]  # (steps, 1)
    rest = noise - (noise @ unit)[:, np.newaxis] * unit  # (n, size)
    latents = rest[:, np.newaxis] + along * unit  # (n, steps, size)
    return gan.generate(latents=latents.reshape(n * steps, size).astype(np.float32), **asked)


def traverse_grid(
    gan: Any,
    what: Any,
    *,
    steps: int = 10,
    padding: int = 2,
    scale: int | None = None,
    **options: Any,
) -> np.ndarray:
    """Returns a picture of `traverse`, a row in each row; arguments as there and for `grid`."""
    images = traverse(gan, what, steps=steps, **options)
    return grid(images, columns=steps, padding=padding, scale=scale)


def _values(gan: Any, code: str, n: int, steps: int) -> list[Any]:
    """Returns a code's values, one an image, the same for each row."""
    if "codes" not in getattr(gan, "conditions", ()):
        raise ValueError(
            f"Expected a latent axis, 0 to {gan.latent_dim - 1}, or a direction: this GAN has no "
            f"codes. Received: {code!r}."
        )
    if code not in gan.codes:
        raise unknown("code", code, gan.codes)
    values = gan.codes[code]
    if is_interval(values):
        return [float(value) for value in np.linspace(*values, steps)] * n
    return [values[step % len(values)] for step in range(steps)] * n


def _direction(what: Any, size: int) -> np.ndarray:
    """Returns the unit vector (size,) of an axis or a direction."""
    if np.ndim(what) == 0:
        number = int(what) if isinstance(what, str) else what
        unit = np.zeros(size)
        unit[whole("what, a latent axis", number, 0, size - 1)] = 1
        return unit
    vector = np.asarray(what, np.float64)
    length = np.linalg.norm(vector)
    if vector.shape != (size,) or not 0 < length < np.inf:
        raise ValueError(
            f"Expected a direction ({size},), finite and not zero. Received: shape {vector.shape}, "
            f"length {length:g}."
        )
    return vector / length
