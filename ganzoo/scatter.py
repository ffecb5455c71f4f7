"""Pictures of points in the plane, beside the modes that they should cover. NumPy and Pillow."""

from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ganzoo.metrics.modes import NEAR, Mixture

SIZE = 512
_FINE = 2  # drawn so many times larger, then averaged: smooth discs
_MARGIN = 32  # pixels around the frame, for the numbers on the axes
_DOT = 1.5  # radius of a point in pixels
_RING = 7  # least radius of a mode's mark in pixels
_GREY, _BLUE, _ORANGE = (120, 120, 120), (31, 95, 170), (235, 120, 20)

Limits = tuple[tuple[float, float], tuple[float, float]]


def scatter(
    points: Any, *, mixture: Mixture | None = None, limits: Limits | None = None, size: int = SIZE
) -> np.ndarray:
    """Draws points, and under them a ring around each mode, to one scale on both axes.

    Args:
        points: (N, 2); those that are not finite or out of the limits are left out.
        mixture: Whose modes to mark: each ring is 3 standard deviations wide, or wide enough to be
            seen.
        limits: ((least x, greatest x), (least y, greatest y)); by default those of the mixture,
            else of the points, see `limits_of`.
        size: Pixels a side, 128 or more.

    Returns:
        uint8 (size, size, 3).

    Raises:
        ValueError: If these are no points (N, 2), or `size` is too small.
    """
    points = _checked(points)
    if size < 4 * _MARGIN:
        raise ValueError(f"Expected size, {4 * _MARGIN} or more. Received: size={size}.")
    limits = limits_of(points, mixture) if limits is None else limits
    side = size * _FINE
    picture = Image.new("RGB", (side, side), (255, 255, 255))
    draw = ImageDraw.Draw(picture)
    place = _Plane(limits, side)
    if mixture is not None:
        radius = max(NEAR * mixture.sigma * place.scale, _RING * _FINE)
        for x, y in place(mixture.centres):
            draw.ellipse(_box(x, y, radius), outline=_ORANGE, width=_FINE)
    for x, y in place(points):
        draw.ellipse(_box(x, y, _DOT * _FINE), fill=_BLUE)
    _axes(draw, limits, side)
    return np.asarray(picture.reduce(_FINE))


def limits_of(points: Any, mixture: Mixture | None = None) -> Limits:
    """Returns square limits about the modes, a quarter of their extent wider on each side.

    Without a mixture, about the finite points, a twentieth wider.
    """
    points = _checked(points)
    shown = points[np.isfinite(points).all(axis=1)] if mixture is None else mixture.centres
    if not len(shown):
        return (-1.0, 1.0), (-1.0, 1.0)
    low, high = shown.min(axis=0), shown.max(axis=0)
    part = 0.55 if mixture is None else 0.75  # of the extent, from the middle on
    half = part * float((high - low).max()) or 1.0
    x, y = ((float(m - half), float(m + half)) for m in (low + high) / 2)
    return x, y


class _Plane:
    """From coordinates to places in the picture; `scale` is in pixels a unit."""

    def __init__(self, limits: Limits, side: int):
        self.limits = np.asarray(limits, np.float64)
        self.margin, self.room = _MARGIN * _FINE, side - 2 * _MARGIN * _FINE
        self.scale = self.room / float(np.diff(self.limits, axis=1).max())

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Returns the places of the points that lie within the limits, (M, 2)."""
        low, high = self.limits.T
        with np.errstate(invalid="ignore"):
            inside = ((points >= low) & (points <= high)).all(axis=1)  # NaN is not
        places = (points[inside] - low) * self.scale
        places[:, 1] = self.room - places[:, 1]  # y grows upwards
        return places + self.margin


def _axes(draw: ImageDraw.ImageDraw, limits: Limits, side: int) -> None:
    """A frame, and the limits at its corners."""
    low, high = _MARGIN * _FINE, side - _MARGIN * _FINE
    draw.rectangle((low, low, high, high), outline=_GREY, width=_FINE)
    font = ImageFont.load_default(size=12 * _FINE)
    (left, right), (bottom, top) = (tuple(f"{one:.3g}" for one in axis) for axis in limits)
    gap = 4 * _FINE
    draw.text((low, high + gap), left, fill=_GREY, font=font, anchor="lt")
    draw.text((high, high + gap), right, fill=_GREY, font=font, anchor="rt")
    draw.text((low - gap, high), bottom, fill=_GREY, font=font, anchor="rb")
    draw.text((low - gap, low), top, fill=_GREY, font=font, anchor="rt")


def _box(x: float, y: float, radius: float) -> tuple[float, float, float, float]:
    return x - radius, y - radius, x + radius, y + radius


def _checked(points: Any) -> np.ndarray:
    points = np.asarray(points)
    if points.ndim != 2 or points.shape[1] != 2 or points.dtype.kind not in "fiu":
        raise ValueError(
            "Expected points (N, 2) for a picture; .npz holds others. "
            f"Received: {points.dtype} {points.shape}."
        )
    return points.astype(np.float64)
