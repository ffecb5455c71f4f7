"""Points in place of images: the mixtures of Gaussians whose modes can be counted, and arrays."""

import numpy as np

from ganzoo.data.images import Images, fingerprint
from ganzoo.data.request import Request, no_split
from ganzoo.metrics import modes

MIXTURES = {"ring": modes.ring, "grid": modes.grid}
COUNT = 100_000
"""Points of a split."""

_SEEDS = {"train": 0, "test": 1}


def mixture_of(source: object) -> modes.Mixture | None:
    """Returns what the points of a named source are drawn from, None if it has another name."""
    make = MIXTURES.get(source.lower()) if isinstance(source, str) else None
    return make and make()


def open_mixture(name: str, request: Request) -> Images:
    """Returns points of `"ring"` or `"grid"`, float32 (100000, 2), the same on every call.

    They are those of VEEGAN (Srivastava 2017, section 4.1) as `ganzoo.metrics.modes` has them. The
    splits are independent draws.

    Raises:
        ValueError: for another split, or a size, channels or crop, which points do not have.
    """
    if request.split not in _SEEDS:
        raise no_split(request.split, name, tuple(_SEEDS))
    mixture = MIXTURES[name]()
    points = mixture.sample(COUNT, seed=_SEEDS[request.split])
    return from_points(points, None, request, name=name, mixture=mixture)


def from_points(
    points: np.ndarray,
    labels: np.ndarray | None,
    request: Request,
    *,
    name: str,
    class_names: tuple[str, ...] = (),
    mixture: modes.Mixture | None = None,
) -> Images:
    """Makes `Images` of floats (N, D), any numbers that float32 holds.

    Raises:
        ValueError: if there are none or one is not finite, or the request is for images.
    """
    for option in ("image_size", "channels", "crop"):
        if (value := getattr(request, option)) is not None:
            raise ValueError(f"{name} holds points: leave {option} out. Received: {option}={value}")
    if not points.size:
        raise ValueError(f"{name} holds no points. Received: shape {points.shape}")
    with np.errstate(over="ignore"):  # What overflows is refused below.
        points = points.astype(np.float32, copy=False)
    if not np.isfinite(points).all():
        raise ValueError(f"{name}: points hold values that are not finite in float32.")
    return Images(
        images=points,
        labels=labels,
        class_names=class_names,
        name=name,
        fingerprint=fingerprint(points),
        mixture=mixture,
    )
