"""Axes of matplotlib's to draw a game on, and the picture of them."""

from typing import Any

import numpy as np

COLOURS = {
    "blue": "#0072b2",
    "orange": "#d55e00",
    "green": "#008c64",
    "pink": "#be5a96",
    "yellow": "#dc9600",
    "sky": "#46aae1",
    "black": "#1e1e1e",
    "grey": "#969696",
}
"""After Okabe & Ito: told apart by those who see fewer colours, too."""

_DOTS_AN_INCH = 100


def axes(*, size: tuple[int, int] = (360, 320), **settings: Any) -> Any:
    """Returns the axes of a new figure that no window shows.

    Args:
        size: Pixels (width, height) of the picture.
        **settings: What `matplotlib.axes.Axes.set` takes: title, xlabel, xlim, yscale, ...

    Raises:
        ImportError: If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "Charts are drawn by matplotlib: install it, or keras-ganzoo[plots]."
        ) from error
    inches = [side / _DOTS_AN_INCH for side in size]
    figure = Figure(figsize=inches, dpi=_DOTS_AN_INCH, layout="constrained")
    found = figure.add_subplot(**settings)
    found.tick_params(labelsize=8)
    found.title.set_fontsize(10)
    for label in (found.xaxis.label, found.yaxis.label):
        label.set_fontsize(8)
    return found


def picture(axes: Any, legend: str | None = None) -> np.ndarray:
    """Returns the figure that holds some axes, uint8 (H, W, 3).

    Args:
        axes: From `axes`.
        legend: Where the legend goes: a place of matplotlib's, `"upper right"` say; `"beside"` for
            right of the axes; or None for no legend.

    Raises:
        ValueError: If there is no such place.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    if legend == "beside":
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=7)
    elif legend is not None:
        axes.legend(loc=legend, fontsize=7)
    canvas = FigureCanvasAgg(axes.figure)
    canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3]
