"""`ganzoo arithmetic`: sums and differences of concepts."""

from types import SimpleNamespace

from absl import flags

from ganzoo.commands import loading, pictures
from ganzoo.commands.command import Command

TEXT = """
Adds and subtracts concepts in the space of latents, as DCGAN's paper does: smiling woman - neutral
woman + neutral man. A concept is the mean latent of some generated images, three say. Without
--terms the picture shows the images to choose from, numbered; with them, the equation: each term's
images over the image of their mean, and the result among eight slightly moved ones.
"""


def _define(values: flags.FlagValues) -> None:
    flags.DEFINE_string(
        "terms", None, "NUMBERS of images with signs, as in the example.", flag_values=values
    )
    flags.DEFINE_integer("num", 64, "NUMBER of images to choose from.", 1, flag_values=values)
    pictures.define(values)


def _run(options: SimpleNamespace) -> None:
    pictures.entry(options)
    out = pictures.out_path(options, "arithmetic" if options.terms else "numbered")
    gan = loading.load(options)
    from ganzoo import latent

    conditions = pictures.conditions(options)
    if options.terms is None:
        images = gan.generate(options.num, seed=options.seed, **conditions)
        pictures.write(latent.numbered(images), out, "choose --terms by the numbers in")
        return
    found = latent.arithmetic(gan, options.terms, of=options.num, seed=options.seed, **conditions)
    pictures.write(found.picture(), out, f"{options.terms} = the middle image of nine")


COMMAND = Command(
    name="arithmetic",
    summary="add and subtract concepts of an entry's images",
    text=TEXT,
    arguments="NAME",
    define=_define,
    run=_run,
    examples=(
        "ganzoo arithmetic dcgan_celeba",
        "ganzoo arithmetic dcgan_celeba --terms='5,29,58 - 34,49,60 + 14,25,50'",
    ),
)
