"""Messages for wrong names: what was expected, what came, the nearest valid choice."""

import difflib
from collections.abc import Iterable


def closest(name: object, choices: Iterable[str]) -> str:
    """Returns `"; did you mean 'x'?"` for the choice nearest to `name`, or `""` if none is near."""
    near = difflib.get_close_matches(str(name), list(choices), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def unknown(kind: str, name: object, choices: Iterable[str]) -> ValueError:
    """Returns the error for an unknown `name`, listing the valid `choices` and the nearest one."""
    choices = sorted(choices)
    listed = ", ".join(choices) or "none"
    return ValueError(f"Unknown {kind} {name!r}{closest(name, choices) or '.'} Valid: {listed}.")
