"""What tests of the command line share."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NARROW = ("--set=generator.width=8", "--set=discriminator.width=8")


def one_line(text):
    """The text of an error: one line, and no traceback."""
    assert text.endswith("\n") and "Traceback" not in text
    line = text.splitlines()[-1]
    assert line.startswith("ganzoo: ")
    return line
