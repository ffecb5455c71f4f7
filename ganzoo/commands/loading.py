"""The flags that choose a GAN and its weights, and loading it."""

import contextlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from absl import flags

from ganzoo import registry, weights
from ganzoo.commands.command import import_tensorflow

STRATEGIES = ("auto", "cpu", "gpu", "tpu", "mirrored", "multi_worker")


def define(values: flags.FlagValues) -> None:
    """Defines --weights and --set."""
    flags.DEFINE_string(
        "weights",
        "pretrained",
        "PATH or URL of a safetensors file; by default the published weights.",
        flag_values=values,
    )
    flags.DEFINE_multi_string(
        "set",
        [],
        "KEY=VALUE changes the config, as for the run that made --weights; may be repeated.",
        flag_values=values,
    )


def define_strategy(values: flags.FlagValues, text: str) -> None:
    """Defines --strategy."""
    flags.DEFINE_enum("strategy", "auto", STRATEGIES, text, flag_values=values)


def load(options: SimpleNamespace, *, precision: str | None = None, strategy: str = "auto"):
    """Returns the GAN that a command line chooses, and does it as `ganzoo.load` does.

    What is missing shows before TensorFlow is imported.
    """
    name = options.arguments[0]
    config = registry.entry(name, options.set)
    tensors = weights.load(name if options.weights == "pretrained" else options.weights)
    import_tensorflow()
    from ganzoo import builders

    gan = builders.build(config, precision=precision, strategy=strategy)
    weights.assign(gan, tensors)
    return gan


@contextlib.contextmanager
def on_chief(options: SimpleNamespace) -> Iterator[Any]:
    """Gives the GAN of a command line, with its --precision and --strategy; None if not chief.

    Of several workers the chief alone does the work; the others wait for it.
    """
    gan = load(options, precision=options.precision, strategy=options.strategy)
    from ganzoo.workers import Workers

    with Workers(gan.distribute_strategy).chief_alone() as chief:
        yield gan if chief else None
