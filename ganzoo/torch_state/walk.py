"""The tensors of nested containers, by dotted names."""

from collections.abc import Iterator

from ganzoo.torch_state.tensors import Tensor

_DEEPEST = 32
_MOST_ITEMS = 200_000  # a list that holds itself twice, and so on, would never end
_LONGEST_NAME = 500


def named_tensors(document: object) -> dict[str, Tensor]:
    """Returns the tensors of nested dicts, lists and tuples, in order; other values are left out.

    Raises:
        ValueError: `document` is no container, is nested too deep or too large, or two tensors
            would have one name.
    """
    if not isinstance(document, dict | list | tuple):
        kind = "one tensor" if isinstance(document, Tensor) else "no container"
        raise ValueError(f"it holds {kind}, expected a dict of tensors.")
    result: dict[str, Tensor] = {}
    for count, (name, value) in enumerate(_items(document, "", 0)):
        if count >= _MOST_ITEMS:
            raise ValueError(f"it holds more than {_MOST_ITEMS:,} values.")
        if not isinstance(value, Tensor):
            continue
        if name in result:
            raise ValueError(f"it holds two tensors that would be called {name!r}.")
        result[name] = value
    return result


def _items(container: object, start: str, depth: int) -> Iterator[tuple[str, object]]:
    """Gives every value at any depth, containers too, with its name."""
    if depth == _DEEPEST:
        raise ValueError(f"it is nested more than {_DEEPEST} deep.")
    pairs = container.items() if isinstance(container, dict) else enumerate(container)
    for key, value in pairs:
        if len(start) + len(str(key)) > _LONGEST_NAME:
            raise ValueError(f"a name in it has more than {_LONGEST_NAME} letters.")
        name = f"{start}{key}"
        yield name, value
        if isinstance(value, dict | list | tuple):
            yield from _items(value, f"{name}.", depth + 1)
