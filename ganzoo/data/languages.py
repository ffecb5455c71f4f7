"""Tiny languages whose every text is computed, and whose rules can be checked: sums and dates."""

import datetime
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ganzoo.data import texts
from ganzoo.data.images import Images, fingerprint
from ganzoo.data.request import Request, no_split

SPLITS = ("train", "test")
HELD_OUT = 0.2
"""Share of a language's texts that the split `test` holds."""

_OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul}
_SUM = re.compile(r"([0-9])([-+*])([0-9])=(0|[1-9][0-9]*)")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_FIRST, _LAST = datetime.date(1900, 1, 1), datetime.date(2099, 12, 31)


@dataclass(frozen=True, eq=False)
class Language:
    """A finite set of texts with a rule that tells whether a text is one of them.

    Args:
        name: Its name as a source of data.
        characters: All characters of its texts, in the order of their tokens.
        enumerate: Function that returns all texts.
        valid: Function that tells whether a text is one of them, by its rule.
    """

    name: str
    characters: str
    enumerate: Callable[[], list[str]]
    valid: Callable[[str], bool]

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """All texts, in order."""
        return tuple(self.enumerate())

    @cached_property
    def length(self) -> int:
        """Characters of the longest text."""
        return max(map(len, self.texts))

    def encode(self, some: list[str]) -> np.ndarray:
        """Returns texts as tokens, int32 (N, length); see `ganzoo.data.texts.encode`."""
        return texts.encode(some, self.characters, length=self.length)

    def decode(self, tokens: np.ndarray) -> list[str]:
        """Returns the texts of tokens (N, T); see `ganzoo.data.texts.decode`."""
        return texts.decode(tokens, self.characters)

    def split(self, name: str) -> list[str]:
        """Returns the texts of `"train"` (four of five, drawn once and for all) or `"test"`."""
        order = np.random.default_rng(0).permutation(len(self.texts))
        held_out = round(HELD_OUT * len(order))
        rows = {"test": order[:held_out], "train": order[held_out:]}[name]
        return [self.texts[row] for row in np.sort(rows)]


def _sums() -> list[str]:
    """All `a+b=c`, `a-b=c` with c >= 0 and `a*b=c` of digits a, b."""
    found = []
    for sign, compute in _OPERATORS.items():
        results = ((a, b, compute(a, b)) for a in range(10) for b in range(10))
        found += [f"{a}{sign}{b}={c}" for a, b, c in results if c >= 0]
    return found


def _is_sum(text: str) -> bool:
    match = _SUM.fullmatch(text)
    if match is None:
        return False
    a, sign, b, c = match.groups()
    return _OPERATORS[sign](int(a), int(b)) == int(c)


def _days() -> list[str]:
    """All days from 1900-01-01 to 2099-12-31, as ISO 8601 writes them."""
    count = (_LAST - _FIRST).days + 1
    return [(_FIRST + datetime.timedelta(days)).isoformat() for days in range(count)]


def _is_day(text: str) -> bool:
    match = _DATE.fullmatch(text)
    if match is None:
        return False
    try:
        return _FIRST <= datetime.date(*map(int, match.groups())) <= _LAST
    except ValueError:  # no such day of the month
        return False


LANGUAGES = {
    "arithmetic": Language("arithmetic", "0123456789+-*= ", _sums, _is_sum),
    "dates": Language("dates", "0123456789-", _days, _is_day),
}


def language_of(source: object) -> Language | None:
    """Returns the language that a named source holds texts of, None if it has another name."""
    return LANGUAGES.get(source.lower()) if isinstance(source, str) else None


def open_language(name: str, request: Request) -> Images:
    """Returns the texts of `"arithmetic"` or `"dates"` as tokens, int32 (N, T).

    `arithmetic` has the 255 sums, differences that are not negative and products of two digits,
    `7*8=56`, T = 6, V = 15; `dates` the 73,049 days from 1900-01-01 to 2099-12-31, T = 10, V = 11.
    The split `test` holds a fifth of them, which the split `train` does not.

    Raises:
        ValueError: For another split, or a size, channels or crop, which texts do not have.
    """
    if request.split not in SPLITS:
        raise no_split(request.split, name, SPLITS)
    check_request(name, request)
    language = LANGUAGES[name]
    tokens = language.encode(language.split(request.split))
    return Images(
        images=tokens,
        labels=None,
        class_names=(),
        name=name,
        fingerprint=fingerprint(tokens),
        language=language,
    )


def check_request(name: str, request: Request) -> None:
    """Raises ValueError if what is asked of texts is for images."""
    for option in ("image_size", "channels", "crop"):
        if (value := getattr(request, option)) is not None:
            raise ValueError(f"{name} holds texts: leave {option} out. Received: {option}={value}")
