"""The commands of `ganzoo`, one a file; none imports TensorFlow before it runs."""

import importlib

from ganzoo.commands.command import Command, UsageError
from ganzoo.errors import closest

__all__ = ["COMMANDS", "Command", "UsageError", "command"]

COMMANDS = (
    "list",
    "info",
    "demo",
    "generate",
    "arithmetic",
    "traverse",
    "neighbours",
    "invert",
    "inpaint",
    "train",
    "doctor",
    "evaluate",
    "verify",
    "publish",
    "export",
)


def command(name: str) -> Command:
    """Returns a command by name.

    Raises:
        UsageError: If there is no such command.
    """
    if name not in COMMANDS:
        near = closest(name, COMMANDS) or f"; the commands are {', '.join(COMMANDS)}"
        raise UsageError(f"unknown command {name!r}{near}.")
    return importlib.import_module(f"{__name__}.{name}").COMMAND
