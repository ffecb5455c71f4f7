"""Names of the zoo: listed, described, resolved to configs, and added to."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ganzoo import entries, model_info, paths
from ganzoo.config import ConfigError, ZooConfig, load_config, to_dict
from ganzoo.config.checks import plain
from ganzoo.errors import unknown
from ganzoo.model_info import ModelInfo

__all__ = ["ModelInfo", "entry", "info", "list_models", "register"]


def list_models(pattern: str = "*", *, pretrained: bool | None = None) -> list[str]:
    """Returns the sorted names of the zoo's entries, a user's own included.

    Args:
        pattern: A shell pattern, such as `"dcgan_*"`.
        pretrained: True for entries with published weights only, False for those without.
    """
    names = [name for name in sorted(entries.sources()) if fnmatchcase(name, pattern)]
    if pretrained is None:
        return names
    return [name for name in names if (_card(name) is not None) == pretrained]


def info(name: str) -> ModelInfo:
    """Returns what there is to know of an entry: print it, or show it in a notebook.

    Raises:
        ValueError: If there is no such entry, or its config or card is broken.
    """
    config, card = entry(name), _card(name)
    return ModelInfo(config, None if card is None else model_info.read_card(card))


def entry(name: str, overrides: Iterable[str] | Mapping[str, Any] = ()) -> ZooConfig:
    """Returns the config of an entry.

    Args:
        name: The entry.
        overrides: What to change in it, as `load_config` takes it.

    Raises:
        ValueError: If there is no such entry.
        ConfigError: If its config or an override is wrong.
    """
    sources = entries.sources()
    if name not in sources:
        raise unknown("zoo entry", name, sources)
    config = load_config(sources[name], overrides)
    if config.name != name:
        raise ConfigError(f"{config.path}: name: expected {name!r}; got {config.name!r}.")
    return config


def register(source: str | Path | Mapping[str, Any] | ZooConfig, *, replace: bool = False) -> str:
    """Makes a user's own config an entry, for this process, and returns its name.

    Registering a name again replaces what the user registered before.

    Args:
        source: A YAML file, which is read anew at each use, a dict with a `name`, or a config.
        replace: Whether an entry that ships with the package may be replaced.

    Raises:
        ConfigError: If the config is wrong.
        ValueError: If an entry that ships with the package has the name.
    """
    name = load_config(source).name
    if name in entries.shipped() and not replace:
        raise ValueError(
            f"The zoo has an entry {name!r} already: choose another name, or pass replace=True."
        )
    if isinstance(source, ZooConfig):
        source = to_dict(source)
    entries.enter(name, plain(source) if isinstance(source, Mapping) else Path(source).resolve())
    return name


def _card(name: str) -> Path | None:
    """The card of an entry's weights: that of the package, else that of the cache."""
    places = (paths.pretrained(), paths.home() / "weights")
    return next((p for folder in places if (p := folder / f"{name}.json").is_file()), None)
