"""What the commands of this folder share: where they write, and eigenvalues in words."""

import functools
import sys
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a script's own folder comes first

import command
import pages
import runs

run, say, table = command.run, command.say, command.table
parse, page, number, folder = pages.parse, pages.page, pages.number, runs.folder
report = functools.partial(pages.report, "games")


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
