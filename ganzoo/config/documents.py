"""YAML text to plain data, strictly, with the place of every key for messages."""

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml

from ganzoo.errors import closest

_PREFIX = "tag:yaml.org,2002:"
# Aliases can make a short file denote a huge value, or one that holds itself.
_MOST_VALUES, _MOST_LEVELS = 10_000, 16
_MOST_INTEGER = 2**63 - 1  # larger ones are no numbers of a graph, and the largest no float either


def _float(text: str) -> float:
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


# YAML 1.2's plain scalars, where YAML 1.1 reads `1e-4` as text and `no` as false:
# kind, pattern, characters that it can begin with ("" is an empty scalar), reader.
_SCALARS: tuple[tuple[str, str, tuple[str, ...], Callable[[str], Any]], ...] = (
    ("null", r"~|null|Null|NULL|", ("~", "n", "N", ""), lambda text: None),
    (
        "bool",
        r"true|True|TRUE|false|False|FALSE",
        tuple("tTfF"),
        lambda text: {"true": True, "false": False}[text.lower()],
    ),
    ("int", r"[-+]?[0-9]+", tuple("-+0123456789"), int),
    (
        "float",
        r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        tuple("-+.0123456789"),
        _float,
    ),
)
_READERS = {_PREFIX + kind: reader for kind, _, _, reader in _SCALARS} | {_PREFIX + "str": str}


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict = {}


class _Dumper(yaml.SafeDumper):
    """Quotes text that YAML 1.1 or `_Loader` would read as something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _teach() -> None:
    for kind, pattern, first, _ in _SCALARS:
        for reader in (_Loader, _Dumper):
            reader.add_implicit_resolver(_PREFIX + kind, re.compile(rf"(?:{pattern})\Z"), first)


_teach()


class ConfigError(ValueError):
    """A config says something wrong; the message has the file, the line and the key path."""


class Origins(dict[str, str]):
    """The place that set each dotted key path, and that of the whole under `""`."""

    def fail(self, key: str, problem: str) -> NoReturn:
        """Raises `ConfigError` with the place of `key` and the `problem` there."""
        end = "" if problem.endswith(("?", ".")) else "."
        raise ConfigError(f"{self.place(key)}: {f'{key}: ' * bool(key)}{problem}{end}")

    def place(self, key: str) -> str:
        """Returns the place of `key`, or of the nearest key that holds it."""
        while key and key not in self:
            key = key.rpartition(".")[0]
        return self.get(key, "config")

    def unknown(self, key: str, choices: Iterable[str], hint: str = "") -> NoReturn:
        """Raises `ConfigError` for a `key` that is none of the `choices`."""
        hint = hint or closest(key.rpartition(".")[2], choices) or "."
        self.fail(key, f"unknown key{hint} Valid: {', '.join(sorted(choices)) or 'none'}.")

    def check(self, key: str, check: Callable[[Any], Any], value: Any) -> Any:
        """Returns `check(value)`, its `ValueError` turned into a `ConfigError`."""
        try:
            return check(value)
        except ValueError as error:
            self.fail(key, str(error))


@dataclass(frozen=True)
class Document:
    """Plain data with the origins of its keys, and the file if it is from one."""

    data: dict[str, Any]
    origins: Origins
    path: Path | None = None


def read(path: Path) -> Document:
    """Reads a YAML file that holds one mapping.

    Raises:
        ConfigError: If it cannot be read, is not YAML, or holds no mapping.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such config file.") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: expected UTF-8 text; got {error.reason}.") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}.") from None
    origins = Origins()
    data = parse(content, str(path), origins)
    origins[""] = str(path)
    if data is None:
        origins.fail("", "expected a config; the file is empty")
    if not isinstance(data, dict):
        origins.fail("", f"expected a mapping of keys to values; got a {type(data).__name__}")
    return Document(data, origins, path)


def parse(content: str, source: str, origins: Origins | None = None) -> Any:
    """Returns the plain data of one YAML document.

    Args:
        content: The document.
        source: What to call it in messages.
        origins: If given, filled with the place of each key.

    Raises:
        ConfigError: If it is not YAML, repeats a key, has a tag, or a number is not finite or an
            integer of more than 64 bits.
    """
    try:
        node = yaml.compose(content, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{source}, line {mark.line + 1}" if mark else source
        raise ConfigError(f"{place}: not YAML: {error.problem or error.context}.") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{source}: not YAML: {' '.join(str(error).split())}.") from None
    except RecursionError:
        raise ConfigError(f"{source}: too deeply nested for a config.") from None
    except (ValueError, OverflowError) as error:  # PyYAML lets "\\UFFFFFFFF" through to chr()
        raise ConfigError(f"{source}: not YAML: {error}.") from None
    walk = _Walk(source, Origins() if origins is None else origins)
    return None if node is None else walk.value(node, "", 0)


def text(data: dict[str, Any]) -> str:
    """Returns YAML, keys in their order, that `parse` turns back into `data`."""
    style = {"sort_keys": False, "allow_unicode": True, "width": 96, "default_flow_style": None}
    return yaml.dump(data, Dumper=_Dumper, **style)


class _Walk:
    """Turns nodes into plain data, counting values and noting places."""

    def __init__(self, source: str, origins: Origins):
        self.source = source
        self.origins = origins
        self.values = 0

    def value(self, node: yaml.Node, key: str, level: int) -> Any:
        self.values += 1
        if self.values > _MOST_VALUES or level > _MOST_LEVELS:
            self.fail(node, key, "too many or too deeply nested values for a config")
        if isinstance(node, yaml.MappingNode) and node.tag == _PREFIX + "map":
            return self.mapping(node, key, level)
        if isinstance(node, yaml.SequenceNode) and node.tag == _PREFIX + "seq":
            return [self.value(item, key, level + 1) for item in node.value]
        if isinstance(node, yaml.ScalarNode) and node.tag in _READERS:
            return self.scalar(node, key)
        self.fail(node, key, f"the YAML tag {_short(node.tag)} is not allowed")

    def scalar(self, node: yaml.ScalarNode, key: str) -> Any:
        reader = _READERS[node.tag]
        try:
            node.value.encode()  # half a surrogate pair is no text
            value = reader(node.value)
        except (ValueError, KeyError):
            self.fail(node, key, f"expected {_short(node.tag)}; got {node.value[:40]!r}")
        if isinstance(value, float) and not math.isfinite(value):
            self.fail(node, key, f"expected a finite number; got {node.value[:40]!r}")
        if isinstance(value, int) and abs(value) > _MOST_INTEGER:
            self.fail(node, key, f"expected an integer of 64 bits; got {node.value[:40]!r}")
        return value

    def mapping(self, node: yaml.MappingNode, key: str, level: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name_node, value_node in node.value:
            name = name_node.value
            if not isinstance(name_node, yaml.ScalarNode) or name_node.tag != _PREFIX + "str":
                self.fail(name_node, key, "expected a key that is text")
            if name == "<<":
                self.fail(name_node, key, "merge keys are not allowed")
            path = f"{key}.{name}" if key else name
            if name in found:
                self.fail(name_node, path, f"given twice, first at {self.origins[path]}")
            self.origins[path] = self.place(name_node)
            found[name] = self.value(value_node, path, level + 1)
        return found

    def place(self, node: yaml.Node) -> str:
        return f"{self.source}, line {node.start_mark.line + 1}"

    def fail(self, node: yaml.Node, key: str, problem: str) -> NoReturn:
        Origins({"": self.place(node)}).fail(key, problem)


def _short(tag: str) -> str:
    return "!!" + tag.removeprefix(_PREFIX) if tag.startswith(_PREFIX) else tag
