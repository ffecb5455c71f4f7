"""The flags that choose a GAN and its weights, and loading it."""

from types import SimpleNamespace

from absl import flags

from ganzoo import registry, weights
from ganzoo.commands.command import import_tensorflow


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
