"""What commands that show something share: their flags, and the table and pictures they write."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import command
import numpy as np
import runs
from absl import flags


def parse(
    text: str,
    arguments: Sequence[str],
    more: Callable[[flags.FlagValues], None] = lambda values: None,
) -> SimpleNamespace:
    """Returns the flags: --seed, --results and those that `more` defines."""

    def define(values: flags.FlagValues) -> None:
        flags.DEFINE_integer("seed", 0, "Of whatever is drawn.", 0, flag_values=values)
        flags.DEFINE_string("results", None, "Folder of results.", flag_values=values)
        more(values)

    return command.parse(text, define, arguments)


def report(
    room: str,
    options: SimpleNamespace,
    name: str,
    title: str,
    lines: Iterable[str],
    pictures: Mapping[str, np.ndarray],
    figures: Mapping[str, Any],
) -> None:
    """Writes `ROOM_NAME.md`, the command, seed and machine in its heading, and pictures.

    With --json, the figures are written too.

    Args:
        room: Folder of the command.
        options: The flags.
        name: Of the command.
        title: Of the table.
        lines: What follows the heading.
        pictures: uint8 (H, W, 3), by what their names have after `ROOM_NAME`.
        figures: What the table and the pictures rest on, as `command.plain` takes it.
    """
    from ganzoo import visualize

    ran = f"`python benchmarks/{room}/{name}.py --seed={options.seed}`; {command.described()}"
    runs.write(runs.folder(options) / f"{room}_{name}.md", [f"# {title}", "", ran, "", *lines])
    for suffix, picture in pictures.items():
        visualize.save(picture, runs.folder(options) / f"{room}_{name}{suffix}.png", scale=1)
    command.record(options, {"results": figures})


def page(panels: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Returns panels of one size side by side, uint8."""
    from ganzoo import visualize

    return visualize.grid(np.stack(panels), columns=columns, padding=6)


def number(value: float) -> str:
    """Returns a number of any size in a few characters."""
    if not np.isfinite(value):
        return "overflow"
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:.4g}"
    return f"{value:.1e}"
