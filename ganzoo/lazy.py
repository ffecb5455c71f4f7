"""Packages whose public names are imported when they are first used."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def attributes(
    package: dict[str, Any], rooms: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Returns `__getattr__` and `__dir__` for a package (PEP 562).

    Args:
        package: The package's `globals()`; what was imported is kept there.
        rooms: The module within the package that holds each public name; one that is named like
            its module is the module itself.
    """
    name = package["__name__"]

    def get(key: str) -> Any:
        if key not in rooms:
            from ganzoo.errors import closest

            raise AttributeError(f"module {name!r} has no attribute {key!r}{closest(key, rooms)}")
        module = importlib.import_module(f"{name}.{rooms[key]}")
        package[key] = module if rooms[key] == key else getattr(module, key)
        return package[key]

    return get, lambda: sorted({*package, *rooms})
