"""Where things lie: what ships with the package, the user's cache; whether to stay offline."""

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _shipped(room: str) -> Path:
    """The copy inside an installed package, else the folder at the top of the checkout."""
    installed = _PACKAGE / "_zoo" / room
    return installed if installed.is_dir() else _PACKAGE.parent / room


def zoo_configs() -> Path:
    """Returns the folder of `NAME.yaml` files that ship with the package."""
    return _shipped("zoo_configs")


def pretrained() -> Path:
    """Returns the folder of cards and weights that ship with the package."""
    return _shipped("pretrained")


def home() -> Path:
    """Returns the user's cache: `GANZOO_HOME`, by default `~/.cache/ganzoo`. Creates nothing."""
    return Path(os.environ.get("GANZOO_HOME") or Path.home() / ".cache" / "ganzoo").expanduser()


def offline() -> bool:
    """Whether `GANZOO_OFFLINE` forbids the network; empty, `0`, `false` and `no` do not."""
    value = os.environ.get("GANZOO_OFFLINE", "").strip().lower()
    return value not in ("", "0", "false", "no")
