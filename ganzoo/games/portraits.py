"""Phase portraits: the field of a game, and where play goes in it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ganzoo.games import charts
from ganzoo.games.charts import COLOURS
from ganzoo.games.game import Game

_PLAY = [name for name in COLOURS if name not in ("black", "grey", "sky")]


def portrait(
    game: Game,
    courses: Mapping[str, Any] | None = None,
    *,
    limits: float | tuple[tuple[float, float], tuple[float, float]] = 2.0,
    title: str | None = None,
    size: int = 320,
    arrows: int = 15,
    dots: bool = True,
    legend: str | None = None,
) -> np.ndarray:
    """Draws the directions of the field, the equilibria, and courses of play.

    Arrows show directions alone: all have one length.

    Args:
        game: Whose field.
        courses: Places (T, 2) of one course each, by name, as `play` and `flow` return them; a ring
            marks the first one.
        limits: ((least x, greatest x), (least y, greatest y)), or one number for both, about 0.
        title: By default the game's name.
        size: Pixels of a side.
        arrows: How many in a row.
        dots: Whether each place of a course gets a dot, where there are 150 of them at most.
        legend: Corner of a legend with the courses' names, `"upper right"` say.

    Returns:
        uint8 (size, size + 10, 3).
    """
    if np.isscalar(limits):
        limits = ((-limits, limits), (-limits, limits))
    axes = charts.axes(
        title=game.name if title is None else title,
        size=(size + 10, size),
        **dict(zip(("xlabel", "ylabel"), game.players, strict=True)),
    )
    draw_field(axes, game, limits, arrows)
    for number, (name, places) in enumerate((courses or {}).items()):
        colour = COLOURS[_PLAY[number % len(_PLAY)]]
        mark = "." if dots and len(places) <= 150 else ""
        axes.plot(*np.transpose(places), color=colour, label=name, marker=mark, markersize=3)
        axes.plot(*places[0], "o", color=colour, fillstyle="none", markersize=8)
    if len(game.equilibria):
        axes.plot(*np.transpose(game.equilibria), "o", color=COLOURS["black"], markersize=5)
    axes.set(xlim=limits[0], ylim=limits[1])
    return charts.picture(axes, legend)


def draw_field(axes: Any, game: Game, limits: Any, arrows: int) -> None:
    """Draws `arrows` x `arrows` directions of the field, all of one length, into axes."""
    (left, right), (bottom, top) = limits
    shares = (np.arange(arrows) + 0.5) / arrows
    xs, ys = left + shares * (right - left), bottom + shares * (top - bottom)
    places = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    scale = np.array([right - left, top - bottom])
    directions = game.field(places) / scale
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    steps = 0.68 / arrows * scale * directions / np.maximum(lengths, 1e-300)
    options = {"angles": "xy", "scale_units": "xy", "scale": 1, "pivot": "mid", "width": 0.004}
    axes.quiver(*places.T, *steps.T, color=COLOURS["grey"], **options)
