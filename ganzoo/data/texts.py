"""Short texts as sequences of tokens, a character each, and back."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

PADDING = " "
"""What fills a text up to the length of all; its own spaces at the end are lost."""


def check_characters(characters: str) -> None:
    """Raises ValueError unless these are different characters, two or more."""
    text = isinstance(characters, str)
    if not text or len(characters) < 2 or len({*characters}) != len(characters):
        raise ValueError(
            f"Expected characters, two or more different ones. Received: characters={characters!r}."
        )


def encode(texts: str | Iterable[str], characters: str, *, length: int) -> np.ndarray:
    """Returns texts as tokens, int32 (N, length), each the position of a character.

    Args:
        texts: Texts of at most `length` characters; shorter ones are filled up with spaces.
        characters: All characters there are, in the order of their tokens.
        length: Tokens of a text.

    Raises:
        ValueError: If a text is too long or has another character, or there are none.
    """
    texts = [texts] if isinstance(texts, str) else list(texts)
    if not texts:
        raise ValueError("Expected texts. Received: none.")
    tokens = np.empty((len(texts), length), np.int32)
    places = {character: token for token, character in enumerate(characters)}
    for row, text in zip(tokens, texts, strict=True):
        if len(text) > length:
            raise ValueError(
                f"Expected texts of at most {length} characters. Received: {text!r}, {len(text)}."
            )
        whole = text.ljust(length, PADDING)
        if others := sorted({*whole} - {*characters}):
            raise ValueError(
                f"Expected characters of {characters!r}. Received: {others[0]!r} in {whole!r}."
            )
        row[:] = [places[character] for character in whole]
    return tokens


def decode(tokens: Any, characters: Sequence[str]) -> list[str]:
    """Returns the texts of tokens (N, T), without the spaces at their ends.

    Raises:
        ValueError: If these are no whole numbers from 0 to the number of characters less one.
    """
    tokens = checked(tokens, len(characters))
    return ["".join(characters[token] for token in row).rstrip(PADDING) for row in tokens]


def checked(tokens: Any, vocabulary: int) -> np.ndarray:
    """Returns tokens (N, T) as int32.

    Raises:
        ValueError: If they are no whole numbers from 0 to `vocabulary` - 1.
    """
    tokens = np.asarray(tokens)
    whole = tokens.ndim == 2 and tokens.dtype.kind in "uif" and tokens.size
    if not whole or not np.array_equal(tokens, np.floor(tokens)):
        raise ValueError(
            "Expected tokens (N, T), whole numbers. Received: shape "
            f"{tokens.shape}, dtype {tokens.dtype}."
        )
    if tokens.min() < 0 or tokens.max() >= vocabulary:
        raise ValueError(
            f"Expected tokens from 0 to {vocabulary - 1}. "
            f"Received: {tokens.min():g} to {tokens.max():g}."
        )
    return tokens.astype(np.int32)


def write(some: Iterable[str], path: Path) -> None:
    """Writes texts to a file, a line each, in UTF-8.

    Raises:
        OSError: If it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{text}\n" for text in some), encoding="utf-8")
