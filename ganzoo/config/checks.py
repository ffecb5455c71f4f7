"""Checks of single config values: each returns the value, frozen, or says what was expected."""

import math
import re
import reprlib
import sys
from collections.abc import Callable, Iterator, Mapping
from numbers import Integral, Real
from typing import Any

from ganzoo.errors import closest

Check = Callable[[object], Any]

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = 80


class Options(Mapping):
    """A mapping that never changes; unlike `MappingProxyType` it can be hashed and pickled."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, Any] | None = None, /):
        self._items = dict(items or {})

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return repr(self._items)


def mismatch(expected: str, value: object) -> ValueError:
    """Returns the error for a `value` that is not what was `expected`."""
    return ValueError(f"expected {expected}; got {_repr.repr(value)}")


def plain(value: object) -> Any:
    """Returns `value` as JSON would hold it: dict, list, text, number, bool or None.

    Raises:
        ValueError: If it is anything else, or a number that is not finite.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise mismatch("keys that are text", key)
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real) and math.isfinite(value):
        return float(value)
    raise mismatch("a finite number, text, true, false, null, a list or a mapping", value)


def freeze(value: Any) -> Any:
    """Returns `value` with its dicts turned into `Options` and its lists into tuples."""
    if isinstance(value, Mapping):
        return Options({key: freeze(item) for key, item in value.items()})
    if isinstance(value, (list, tuple)):
        return tuple(freeze(item) for item in value)
    return value


def integer(low: int, high: int | None = None) -> Check:
    """A whole number of at least `low` and at most `high`; `true` is none."""
    expected = f"a whole number >= {low}" + ("" if high is None else f" and <= {high}")

    def check(value: object) -> int:
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or value < low or (high is not None and value > high):
            raise mismatch(expected, value)
        return value

    return check


def number(expected: str, holds: Callable[[float], bool]) -> Check:
    """A number for which `holds` is true, as a float."""

    def check(value: object) -> float:
        real = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not real or not abs(value) <= sys.float_info.max or not holds(value):
            raise mismatch(expected, value)
        return float(value)

    return check


def boolean(value: object) -> bool:
    """`true` or `false`."""
    if not isinstance(value, bool):
        raise mismatch("true or false", value)
    return value


def string(value: object) -> str:
    """Text that is not blank."""
    if not isinstance(value, str) or not value.strip():
        raise mismatch("text", value)
    return value


def name(value: object) -> str:
    """A name of lower-case letters, digits and underscores."""
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9_]+", value):
        raise mismatch("a name of lower-case letters, digits and underscores", value)
    return value


def choice(*choices: object) -> Check:
    """One of a few values."""

    def check(value: object) -> Any:
        for one in choices:
            if type(value) is type(one) and value == one:
                return one
        listed = ", ".join(str(one) for one in choices)
        near = closest(value, [str(one) for one in choices])
        raise ValueError(f"{mismatch(f'one of {listed}', value)}{near}")

    return check


def optional(check: Check) -> Check:
    """Null, or what `check` accepts."""

    def either(value: object) -> Any:
        try:
            return None if value is None else check(value)
        except ValueError as error:
            head, got, tail = str(error).partition("; got ")
            raise ValueError(f"{head}, or null{got}{tail}") from None

    return either


def several(check: Check, *, length: int | None = None) -> Check:
    """A list (of `length` items, if given) of what `check` accepts, as a tuple."""
    expected = "a list" if length is None else f"a list of {length}"

    def each(value: object) -> tuple:
        if not isinstance(value, (list, tuple)) or length not in (None, len(value)):
            raise mismatch(expected, value)
        return tuple(check(item) for item in value)

    return each
