"""How good generated texts are: which are valid, how many different ones, which are new."""

from collections.abc import Callable, Iterable, Sequence


def validity(texts: Sequence[str], valid: Callable[[str], bool]) -> float:
    """Returns the share of texts that are valid, in [0, 1].

    Args:
        texts: The judged texts, copies included.
        valid: Function that tells whether a text is valid.

    Raises:
        ValueError: If there are no texts.
    """
    if not len(texts):
        raise ValueError("Expected texts. Received: none.")
    return sum(map(valid, texts)) / len(texts)


def distinct(texts: Iterable[str], valid: Callable[[str], bool]) -> int:
    """Returns the number of different valid texts: a generator of one of them has 1."""
    return sum(map(valid, {*texts}))


def novelty(texts: Iterable[str], known: Iterable[str], valid: Callable[[str], bool]) -> float:
    """Returns the share of the valid texts, copies included, that are none of those `known`.

    0 where no text is valid: nothing valid is new.

    Args:
        texts: The judged texts.
        known: Those that the generator learned from.
        valid: Function that tells whether a text is valid.
    """
    known = {*known}
    good = [text for text in texts if valid(text)]
    return sum(text not in known for text in good) / len(good) if good else 0.0
