"""A part by its name, and its options against the arguments that it takes."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from ganzoo.config.documents import Origins
from ganzoo.config.schema import NAMED_BY, ZooConfig
from ganzoo.errors import closest

Part = TypeVar("Part")


def find_part(parts: Mapping[str, Part], *, config: ZooConfig, section: str) -> Part:
    """Returns the part that a section of the config names.

    Args:
        parts: All parts by name.
        config: The config.
        section: The section's key, such as `"optimizers.generator"`.

    Raises:
        ConfigError: If there is no such part.
    """
    room, _, player = section.partition(".")
    part = config.optimizers[player] if player else getattr(config, room)
    if part.name not in parts:
        listed = ", ".join(sorted(parts))
        key = f"{section}.{NAMED_BY.get(section, 'class')}"
        problem = f"expected one of {listed}; got {part.name!r}{closest(part.name, parts)}"
        config.origins.fail(key, problem)
    return parts[part.name]


def check_options(
    part: Callable,
    options: Mapping[str, Any],
    *,
    config: ZooConfig,
    section: str,
    given: Iterable[str] = (),
) -> None:
    """Checks a part's options against the arguments that it takes.

    Args:
        part: A function, or a class: then the arguments of its `__init__` count, and where that
            has `**kwargs` those of its bases.
        options: The options that the config states.
        config: Where they come from, for the message.
        section: Their key there, such as `"optimizers.generator"`.
        given: Arguments that the caller supplies itself.

    Raises:
        ConfigError: If an option is unknown, missing, or one of `given`.
    """
    origins, given, known = Origins(config.origins), set(given), _arguments(part)
    for key in options:
        if key in given:
            origins.fail(f"{section}.{key}", "this is set by the zoo and is no option")
        if key not in known:
            origins.unknown(f"{section}.{key}", set(known) - given)
    for key, needed in known.items():
        if needed and key not in given and key not in options:
            name = getattr(part, "__name__", part)
            origins.fail(f"{section}.{key}", f"missing; {name} needs it")


def _arguments(part: Callable) -> dict[str, bool]:
    """The arguments by name, and whether each must be given."""
    found: dict[str, bool] = {}
    for maker in _makers(part):
        arguments = inspect.signature(maker).parameters.values()
        named = [
            one for one in arguments if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
        ]
        found |= {one.name: one.default is one.empty for one in named if one.name not in found}
        if not any(one.kind is one.VAR_KEYWORD for one in arguments):
            break
    if isinstance(part, type):
        found.pop("self", None)
    return found


def _makers(part: Callable) -> list[Callable]:
    """The function, or the `__init__` of a class and of its bases up to another library's.

    Keras's own classes pass on to a base arguments that are no setting of the part: `trainable`.
    """
    if not isinstance(part, type):
        return [part]
    owners = [one for one in part.__mro__ if "__init__" in vars(one) and one is not object]
    near = {_library(part), "ganzoo"}
    return [one.__init__ for one in owners if one is owners[0] or _library(one) in near]


def _library(part: type) -> str:
    return part.__module__.partition(".")[0]
