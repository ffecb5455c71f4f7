"""The sources of zoo entries: files that ship with the package, and a user's own."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganzoo import paths

_own: dict[str, Path | dict[str, Any]] = {}


def shipped() -> dict[str, Path]:
    """Returns the configs that ship with the package, by name."""
    files = sorted(paths.zoo_configs().glob("*.yaml"))
    return {file.stem: file for file in files if re.fullmatch(r"[a-z0-9_]+", file.stem)}


def sources() -> Mapping[str, Path | dict[str, Any]]:
    """Returns all entries by name: the user's own go before those that ship."""
    return {**shipped(), **_own}


def enter(name: str, source: Path | dict[str, Any]) -> None:
    """Makes `source` the user's own entry `name`, for this process."""
    _own[name] = source
