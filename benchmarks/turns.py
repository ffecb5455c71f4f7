"""Rounds in which two ways to do the same are measured in one process, and what one costs more."""

from collections.abc import Callable, Mapping
from statistics import median

from command import reached, say

Seconds = dict[str, list[float]]


def take(
    one: Callable[[int], Mapping[str, float]], rounds: int, *, title: str, shown: Callable
) -> Seconds:
    """Measures some rounds.

    Args:
        one: From the number of a round to what it measured: by name, the seconds of one unit.
        rounds: How many.
        title: What is measured, for the line that each round says.
        shown: From such seconds to the text of that line.

    Returns:
        The seconds of each name in each round.
    """
    seconds: Seconds = {}
    for number in range(rounds):
        for name, found in one(number).items():
            seconds.setdefault(name, []).append(found)
        told = ", ".join(f"{name} {shown(times[-1])}" for name, times in seconds.items())
        say(f"{title}: round {number + 1}/{rounds}, {told}")
    return seconds


def alternating(calls: Mapping[str, Callable[[], float]]) -> Callable[[int], dict[str, float]]:
    """Returns a round in which each of some calls has its turn.

    Which one goes first changes, so that a machine that slows down favours neither.

    Args:
        calls: By name, what does one turn and returns the seconds of one unit of it.
    """
    return lambda number: {name: calls[name]() for name in list(calls)[:: -1 if number % 2 else 1]}


def costs(seconds: Seconds, name: str, base: str) -> list[float]:
    """Returns what `name` takes longer than `base` in each round, a share of the latter's time."""
    return [one / other - 1 for one, other in zip(seconds[name], seconds[base], strict=True)]


def verdict(found: list[float], goal: float) -> list[str]:
    """Returns two cells of a table: median and range of costs, and whether the goal is reached."""
    middle = median(found)
    spread = f"{middle:+.1%} ({min(found):+.1%} to {max(found):+.1%})"
    return [spread, reached(middle <= goal)]
