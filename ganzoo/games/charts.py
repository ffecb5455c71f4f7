"""Line charts and vector fields, drawn with NumPy and Pillow."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ganzoo.errors import unknown

COLOURS = {
    "blue": (0, 114, 178),
    "orange": (213, 94, 0),
    "green": (0, 140, 100),
    "pink": (190, 90, 150),
    "yellow": (220, 150, 0),
    "sky": (70, 170, 225),
    "black": (30, 30, 30),
    "grey": (150, 150, 150),
}
"""After Okabe & Ito: told apart by those who see fewer colours, too."""

_FINE = 2  # drawn so many times larger, then averaged: smooth lines
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 16, 30, 44  # pixels around the frame
_PAD, _ROW, _MARK = 5 * _FINE, 15 * _FINE, 20 * _FINE  # of the legend, in fine pixels
_FAR = 1e5  # pixels; Pillow draws nothing sensible much beyond
_PLACES = ("upper left", "upper right", "lower left", "lower right", "beside")

Limits = tuple[float, float]


@dataclasses.dataclass
class Axis:
    """From numbers to a share of the axis, 0 at its low end, and its ticks.

    Args:
        limits: What the ends stand for; both > 0 on a logarithmic axis.
        log: Whether it is logarithmic.
        label: Written beside it.
        ticks: Where to write numbers; by default at round ones.
    """

    limits: Limits
    log: bool = False
    label: str = ""
    ticks: Sequence[float] | None = None

    def __post_init__(self):
        low, high = self.limits
        if not (low < high and math.isfinite(high - low)) or (self.log and low <= 0):
            raise ValueError(
                f"Expected limits that grow, > 0 on a log axis. Received: {low, high}."
            )

    def shares(self, values: Any) -> np.ndarray:
        """Returns where values lie, 0 to 1 within the limits; NaN where there is no place."""
        values, (low, high) = np.asarray(values, np.float64), self.limits
        if self.log:
            with np.errstate(divide="ignore", invalid="ignore"):
                values = np.log(values)
            low, high = math.log(low), math.log(high)
        with np.errstate(invalid="ignore"):
            return np.where(np.isfinite(values), (values - low) / (high - low), np.nan)

    def numbers(self) -> dict[float, str]:
        """Returns the ticks and what is written there."""
        ticks = self.ticks
        if ticks is None:
            ticks = _decades(*self.limits) if self.log else _round_numbers(*self.limits)
        return {float(tick): _written(tick) for tick in ticks}


class Chart:
    """A frame with two axes that lines, points and arrows are drawn into.

    What lies outside of the frame is cut off, and what is not finite left out.

    Args:
        x: The axis to the right.
        y: The axis upwards.
        title: Written above.
        size: Pixels (width, height) of the picture.
    """

    def __init__(self, x: Axis, y: Axis, *, title: str = "", size: tuple[int, int] = (360, 320)):
        self.x, self.y, self.title, self.size = x, y, title, size
        width, height = size
        inner = (width - _LEFT - _RIGHT) * _FINE, (height - _TOP - _BOTTOM) * _FINE
        if min(inner) < 40:
            raise ValueError(f"Expected a size of 160 pixels a side or more. Received: {size}.")
        self._inner = Image.new("RGB", inner, "white")
        self._draw = ImageDraw.Draw(self._inner)
        self._named: list[tuple[str, tuple, str]] = []

    def places(self, points: Any) -> np.ndarray:
        """Returns where points (..., 2) lie within the frame, in fine pixels from its top left."""
        points = np.asarray(points, np.float64)
        width, height = self._inner.size
        across, up = self.x.shares(points[..., 0]), self.y.shares(points[..., 1])
        return np.stack([across * (width - 1), (1 - up) * (height - 1)], axis=-1)

    def line(
        self, points: Any, *, colour: str = "blue", name: str = "", width: float = 1.5,
        dashed: bool = False,
    ) -> None:  # fmt: skip
        """Joins points (N, 2) by a line; with a name it stands in the legend.

        Args:
            points: In their order.
            colour: Of `COLOURS`.
            name: For the legend.
            width: Pixels.
            dashed: Whether to leave gaps.
        """
        rgb = _colour(colour)
        places = np.clip(self.places(points), -_FAR, _FAR)
        for run in _finite_runs(places):
            for piece in _dashes(run) if dashed else [run]:
                flat = [tuple(place) for place in piece]
                self._draw.line(flat, fill=rgb, width=round(width * _FINE), joint="curve")
        self._name(name, rgb, "dashes" if dashed else "line")

    def dots(self, points: Any, *, colour: str = "blue", name: str = "", radius: float = 3,
             hollow: bool = False) -> None:  # fmt: skip
        """Marks points (N, 2) by discs, or by rings."""
        rgb, r = _colour(colour), radius * _FINE
        for x, y in _within(self.places(points)):
            box = (x - r, y - r, x + r, y + r)
            fill = "white" if hollow else rgb
            self._draw.ellipse(box, fill=fill, outline=rgb, width=round(1.5 * _FINE))
        self._name(name, rgb, "ring" if hollow else "dot")

    def arrows(self, starts: Any, ends: Any, *, colour: str = "grey", width: float = 1) -> None:
        """Draws an arrow from each start to its end, (N, 2) both."""
        rgb, thick = _colour(colour), round(width * _FINE)
        tails, tips = self.places(starts), self.places(ends)
        for tail, tip in zip(tails, tips, strict=True):
            length = np.linalg.norm(tip - tail)
            if not 1e-9 < length < _FAR:  # NaN is not
                continue
            along = (tip - tail) / length * min(4 * _FINE, length / 2)
            across = 0.5 * np.array([-along[1], along[0]])
            base = tip - along
            self._draw.line([tuple(tail), tuple(base)], fill=rgb, width=thick)
            head = [tuple(tip), tuple(base + across), tuple(base - across)]
            self._draw.polygon(head, fill=rgb)

    def _name(self, name: str, rgb: tuple, kind: str) -> None:
        if name:
            self._named.append((name, rgb, kind))

    def picture(self, legend: str | None = None) -> np.ndarray:
        """Returns what was drawn, with frame, numbers, labels and title, uint8 (H, W, 3).

        Args:
            legend: Where the legend is: in a corner, `"upper right"` or alike; `"beside"`, which
                makes the picture wider; or None for no legend.

        Raises:
            ValueError: If there is no such place.
        """
        if legend is not None and legend not in _PLACES:
            raise unknown("place", legend, _PLACES)
        small, large = _font(11), _font(13)
        width, height = (side * _FINE for side in self.size)
        more = self._legend_size(small)[0] + _RIGHT * _FINE if legend == "beside" else 0
        page = Image.new("RGB", (width + more, height), "white")
        left, top = _LEFT * _FINE, _TOP * _FINE
        page.paste(self._inner, (left, top))
        right, bottom = left + self._inner.width, top + self._inner.height
        draw = ImageDraw.Draw(page)
        dark, gap = COLOURS["black"], 5 * _FINE
        draw.rectangle((left - 1, top - 1, right, bottom), outline=dark, width=_FINE)
        for value, text in self.x.numbers().items():
            x = left + float(self.x.shares(value)) * (self._inner.width - 1)
            draw.line((x, bottom, x, bottom + gap), fill=dark, width=_FINE)
            draw.text((x, bottom + 1.5 * gap), text, fill=dark, font=small, anchor="mt")
        for value, text in self.y.numbers().items():
            y = top + (1 - float(self.y.shares(value))) * (self._inner.height - 1)
            draw.line((left - gap, y, left, y), fill=dark, width=_FINE)
            draw.text((left - 1.5 * gap, y), text, fill=dark, font=small, anchor="rm")
        middle = (left + right) // 2
        draw.text((middle, top // 2), self.title, fill=dark, font=large, anchor="mm")
        draw.text((middle, height - gap), self.x.label, fill=dark, font=small, anchor="mb")
        if self.y.label:
            _write_upwards(page, self.y.label, small, (top + bottom) // 2)
        if legend is not None:
            self._legend(draw, legend, (left, top, right, bottom), small)
        return np.asarray(page.reduce(_FINE))

    def _legend_size(self, font: Any) -> tuple[int, int]:
        longest = max((font.getlength(name) for name, _, _ in self._named), default=0.0)
        return math.ceil(longest) + _MARK + 3 * _PAD, _ROW * len(self._named) + _PAD

    def _legend(self, draw: ImageDraw.ImageDraw, place: str, frame: tuple, font: Any) -> None:
        if not self._named:
            return
        pad, row, mark = _PAD, _ROW, _MARK
        wide, high = self._legend_size(font)
        left, top, right, bottom = frame
        x = left + pad if "left" in place else right - pad - wide
        x = right + _RIGHT * _FINE if place == "beside" else x
        y = bottom - pad - high if "lower" in place else top + pad
        draw.rectangle((x, y, x + wide, y + high), fill="white", outline=COLOURS["grey"])
        for number, (name, rgb, kind) in enumerate(self._named):
            middle = y + pad / 2 + (number + 0.5) * row
            _mark(draw, kind, x + pad, x + pad + mark, middle, rgb)
            draw.text((x + mark + 2 * pad, middle), name, fill="black", font=font, anchor="lm")


def _mark(draw: ImageDraw.ImageDraw, kind: str, x0: float, x1: float, y: float, rgb: tuple) -> None:
    if kind in ("dot", "ring"):
        x, r = (x0 + x1) / 2, 3.5 * _FINE
        fill = rgb if kind == "dot" else "white"
        draw.ellipse((x - r, y - r, x + r, y + r), fill=fill, outline=rgb, width=round(1.5 * _FINE))
        return
    for start, end in ((0, 1),) if kind == "line" else ((0, 0.38), (0.62, 1)):
        span = x1 - x0
        draw.line((x0 + start * span, y, x0 + end * span, y), fill=rgb, width=2 * _FINE)


def _write_upwards(page: Image.Image, text: str, font: Any, middle: int) -> None:
    """Writes text upwards at the left edge."""
    label = Image.new("RGB", (math.ceil(font.getlength(text)) + 4, 16 * _FINE), "white")
    ImageDraw.Draw(label).text((2, label.height // 2), text, fill=COLOURS["black"], font=font,
                               anchor="lm")  # fmt: skip
    label = label.rotate(90, expand=True)
    page.paste(label, (0, middle - label.height // 2))


def _font(size: int) -> Any:
    return ImageFont.load_default(size=size * _FINE)


def _colour(name: str) -> tuple[int, int, int]:
    if name not in COLOURS:
        raise unknown("colour", name, COLOURS)
    return COLOURS[name]


def _within(places: np.ndarray) -> np.ndarray:
    places = np.reshape(places, (-1, 2))
    with np.errstate(invalid="ignore"):
        return places[(np.abs(places) < _FAR).all(axis=1)]


def _finite_runs(places: np.ndarray) -> list[np.ndarray]:
    """Splits places at those that are NaN, and leaves out what is no line."""
    finite = np.isfinite(places).all(axis=1)
    cuts = np.flatnonzero(np.diff(finite)) + 1
    runs = np.split(places, cuts)
    return [run for run in runs if len(run) > 1 and np.isfinite(run).all()]


def _dashes(places: np.ndarray, *, on: float = 6 * _FINE, off: float = 4 * _FINE) -> list:
    """Cuts a line into dashes, measured along it."""
    lengths = np.linalg.norm(np.diff(places, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    pieces = []
    for start in np.arange(0.0, min(along[-1], 1e4), on + off):
        stop = min(start + on, along[-1])
        within = along[(along > start) & (along < stop)]
        at = np.concatenate([[start], within, [stop]])
        pieces.append(np.stack([np.interp(at, along, places[:, n]) for n in (0, 1)], axis=1))
    return pieces


def _round_numbers(low: float, high: float, most: int = 6) -> np.ndarray:
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(one * power for one in (1, 2, 5, 10) if one * power >= raw * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return step * np.arange(first, last + 1)


def _decades(low: float, high: float, most: int = 6) -> np.ndarray:
    first = math.ceil(math.log10(low) - 1e-9)
    last = math.floor(math.log10(high) + 1e-9)
    return 10.0 ** np.arange(first, last + 1, max(1, math.ceil((last - first) / most)))


def _written(value: float) -> str:
    if value and not 1e-3 <= abs(value) < 1e5:
        mantissa, exponent = f"{value:.0e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    return f"{value:.6g}"
