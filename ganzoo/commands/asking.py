"""The flags that say what a GAN with labels or codes is asked for."""

from types import SimpleNamespace
from typing import Any

from absl import flags

from ganzoo import labels as kinds
from ganzoo.commands.command import UsageError
from ganzoo.config import ZooConfig

ALL = "all"


def define(values: flags.FlagValues) -> None:
    """Defines --labels, --codes and --truncation."""
    flags.DEFINE_list(
        "labels",
        [],
        "CLASSES by number or name, a row for each; or all. By default the columns are the "
        "classes.",
        flag_values=values,
    )
    flags.DEFINE_list(
        "codes",
        [],
        "NAME=VALUE,... of an InfoGAN's codes, digit=3,rotation=0.5 say; others are drawn.",
        flag_values=values,
    )
    flags.DEFINE_float(
        "truncation",
        None,
        "NUMBER that no latent exceeds: a small one makes likelier images, and fewer kinds.",
        flag_values=values,
    )


def check(options: SimpleNamespace, config: ZooConfig) -> None:
    """Raises UsageError where an entry has no such labels or codes, before anything is loaded."""
    kind = kinds.kind_of(config.gan.name)
    if options.labels and kind != "conditional":
        raise UsageError(
            f"--labels is for conditional GANs: {config.name} is {kind}. "
            "`ganzoo list` tells which are."
        )
    if options.codes and "codes" not in config.gan.options:
        raise UsageError(f"--codes is for InfoGANs: {config.name} has no codes.")
    if options.truncation is not None and not options.truncation > 0:
        raise UsageError(f"expected --truncation > 0. Received: {options.truncation:g}.")
    if ALL in options.labels and len(options.labels) > 1:
        raise UsageError("--labels=all is every class: leave the others out.")


def labels(options: SimpleNamespace, gan: Any) -> list[int]:
    """Returns the labels that --labels names, none where it is left out.

    Raises:
        ValueError: If there is no such class.
    """
    if options.labels == [ALL]:
        return list(range(len(gan.class_names)))
    if not options.labels:
        return []
    return [int(one) for one in gan.label_indexes([one.strip() for one in options.labels])]


def codes(options: SimpleNamespace) -> dict[str, int | float | str]:
    """Returns what --codes says, by name.

    Raises:
        UsageError: If a part of it is not NAME=VALUE, or a name stands twice.
    """
    found: dict[str, int | float | str] = {}
    for part in options.codes:
        name, equals, value = (one.strip() for one in part.partition("="))
        if not (name and equals and value) or name in found:
            raise UsageError(f"expected --codes=NAME=VALUE,NAME=VALUE,... Received: {part!r}.")
        found[name] = _value(value)
    return found


def _value(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text  # a categorical code's values may have names
