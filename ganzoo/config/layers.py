"""Configs over their bases, overrides over configs."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ganzoo import entries
from ganzoo.config import checks, documents
from ganzoo.config.documents import ConfigError, Document, Origins
from ganzoo.errors import closest

Data = Mapping[str, Any]


def document(source: str | Path | Data) -> Document:
    """Reads a YAML file or takes a dict as it is, in both cases without its bases.

    Raises:
        ConfigError: If the file cannot be read, or the data are not plain.
        TypeError: If `source` is neither.
    """
    if isinstance(source, (str, Path)):
        found = documents.read(Path(source))
        return Document({"name": Path(source).stem, **found.data}, found.origins, found.path)
    if not isinstance(source, Mapping):
        raise TypeError(f"Expected a path or a mapping. Received: {source!r}")
    origins = Origins({"": f"config {source.get('name', 'without a name')!r}"})
    return Document(origins.check("", checks.plain, source), origins)


def with_bases(above: Document, chain: tuple[str, ...] = ()) -> Document:
    """Puts a config over its base, and that over its own.

    Raises:
        ConfigError: If there is no such base, or the bases go round in a circle.
    """
    data, origins = dict(above.data), above.origins
    if "base" not in data:
        return above
    base = origins.check("base", checks.name, data.pop("base"))
    chain = chain or (str(data.get("name")),)
    if base in chain:
        origins.fail("base", f"a circle: {' -> '.join((*chain, base))}")
    below = with_bases(document(_find(base, above)), (*chain, base))
    merged = merge(below.data, data, origins)
    return Document(merged, Origins({**below.origins, **origins}), above.path)


def _find(base: str, above: Document) -> Path | Data:
    """The source of a base: a file beside the config goes before the zoo's entries."""
    sources = entries.sources()
    beside = None if above.path is None else above.path.parent / f"{base}.yaml"
    if beside is not None and beside.is_file():
        return beside
    if base not in sources:
        above.origins.fail("base", f"there is no entry {base!r}{closest(base, sources)}")
    return sources[base]


def merge(below: Data, above: Data, origins: Mapping[str, str], key: str = "") -> dict[str, Any]:
    """Puts `above` over `below`, key by key.

    A part that is given another class or network starts afresh: options are no settings of a
    config but of the part that they were stated for.
    """
    merged = dict(below)
    for name, value in above.items():
        path, old = f"{key}.{name}" if key else name, below.get(name)
        if isinstance(value, Mapping) and isinstance(old, list):
            Origins(origins).fail(path, "a list has no keys; replace it as a whole")
        both = isinstance(value, Mapping) and isinstance(old, Mapping)
        merged[name] = value if not both or _other(old, value) else merge(old, value, origins, path)
    return merged


def _other(old: Data, new: Data) -> bool:
    return any(by in old and by in new and old[by] != new[by] for by in ("class", "network"))


def changes(overrides: Iterable[str] | Data) -> Document:
    """Brings overrides into one nested mapping, later ones over earlier ones.

    Args:
        overrides: `"a.b=c"` texts with YAML values, or a mapping: nested, or of dotted keys.

    Raises:
        ConfigError: If one is malformed, or changes `name` or `base`.
    """
    if isinstance(overrides, Mapping):
        origin, pairs = "override", overrides.items()
    else:
        texts = (overrides,) if isinstance(overrides, str) else overrides
        origin, pairs = "--set", (_assignment(text) for text in texts)
    origins, data = Origins({"": origin}), {}
    for key, value in pairs:
        if not isinstance(key, str) or not all(key.split(".")):
            origins.fail("", f"expected a key such as training.steps; got {key!r}")
        if key.partition(".")[0] in ("name", "base"):
            origins.fail(key, "only a config itself can state this")
        value = origins.check(key, checks.plain, value)
        for name in reversed(key.split(".")):
            value = {name: value}
        data = merge(data, value, origins)
    return Document(data, Origins({path: origin for path in key_paths(data)}))


def _assignment(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"--set: expected KEY=VALUE, such as training.steps=1000; got {text!r}.")
    if not value.strip():
        raise ConfigError(f"--set: {key}: expected a value, null for none; got nothing.")
    return key.strip(), documents.parse(value, f"--set: {key}")


def key_paths(data: Data, key: str = "") -> Iterator[str]:
    """Yields the dotted path of every key in nested mappings."""
    for name, value in data.items():
        path = f"{key}.{name}" if key else name
        yield path
        if isinstance(value, Mapping):
            yield from key_paths(value, path)
