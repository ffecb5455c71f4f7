"""Named parts that a config can ask for: GAN classes and network functions."""

from collections.abc import Callable, Iterator

from ganzoo.errors import unknown


class Parts:
    """A dictionary of named parts, filled by a decorator.

    Args:
        kind: What the parts are, for messages: `"GAN class"`, `"network"`.
    """

    def __init__(self, kind: str):
        self.kind = kind
        self._parts: dict[str, Callable] = {}

    def register(self, name: str) -> Callable[[Callable], Callable]:
        """Returns a decorator that enters a class or function under `name`, unchanged."""

        def enter(part: Callable) -> Callable:
            if name in self._parts:
                raise ValueError(f"There is a {self.kind} named {name!r} already.")
            self._parts[name] = part
            return part

        return enter

    def __getitem__(self, name: str) -> Callable:
        if name not in self._parts:
            raise unknown(self.kind, name, self._parts)
        return self._parts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._parts))

    def __contains__(self, name: object) -> bool:
        return name in self._parts
