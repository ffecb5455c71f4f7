"""What the commands of this folder share: their flags, and where they write."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from absl import flags

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a script's own folder comes first

import command
import runs

run, say, table = command.run, command.say, command.table
folder = runs.folder


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
    options: SimpleNamespace,
    name: str,
    title: str,
    lines: Iterable[str],
    pictures: Mapping[str, np.ndarray],
) -> None:
    """Writes `games_NAME.md`, the command, seed and machine in its heading, and pictures.

    Args:
        options: The flags.
        name: Of the command.
        title: Of the table.
        lines: What follows the heading.
        pictures: uint8 (H, W, 3), by what their names have after `games_NAME`.
    """
    from ganzoo import visualize

    ran = f"`python benchmarks/games/{name}.py --seed={options.seed}`; {command.described()}"
    runs.write(folder(options) / f"games_{name}.md", [f"# {title}", "", ran, "", *lines])
    for suffix, picture in pictures.items():
        visualize.save(picture, folder(options) / f"games_{name}{suffix}.png", scale=1)


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


def written(values: Iterable[complex]) -> str:
    """Returns eigenvalues in words, conjugate pairs as one."""
    values, texts = [complex(value) for value in values], []
    for value in values:
        if abs(value.imag) < 1e-9 * max(1.0, abs(value)):
            texts.append(f"{value.real:.3g}")
        elif value.imag > 0:
            real = "" if abs(value.real) < 1e-12 else f"{value.real:.3g} "
            texts.append(f"{real}± {value.imag:.3g}i")
    return ", ".join(dict.fromkeys(texts))
