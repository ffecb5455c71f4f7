"""`ganzoo neighbours`: samples beside the training images that they are most alike."""

from types import SimpleNamespace

from absl import flags

from ganzoo.commands import loading, pictures
from ganzoo.commands.command import Command

TEXT = """
Shows samples, a row each, and beside them the real images that are nearest to them, by the
Euclidean distance of their pixels. A copy of a training image shows at once; `ganzoo evaluate
--metrics=copies` counts suspected ones.
"""


def _define(values: flags.FlagValues) -> None:
    flags.DEFINE_integer("num", pictures.IMAGES, "NUMBER of samples.", 1, flag_values=values)
    flags.DEFINE_integer("k", 7, "NUMBER of neighbours of each.", 1, flag_values=values)
    pictures.define_images(values, split=None)
    pictures.define(values)


def _run(options: SimpleNamespace) -> None:
    config = pictures.entry(options)
    out = pictures.out_path(options, "neighbours")
    gan = loading.load(options)
    from ganzoo import latent

    found = latent.neighbours(
        gan,
        pictures.real_images(options, config),
        n=options.num,
        k=options.k,
        seed=options.seed,
        **pictures.conditions(options),
    )
    nearest = found.distances[:, 0]
    text = f"{options.num} samples and their nearest images, {nearest.min():.0f} to "
    pictures.write(found.picture(), out, f"{text}{nearest.max():.0f} grey levels away")


COMMAND = Command(
    name="neighbours",
    summary="show samples beside their nearest training images",
    text=TEXT,
    arguments="NAME",
    define=_define,
    run=_run,
    examples=(
        "ganzoo neighbours dcgan_digits",
        "ganzoo neighbours dcgan_mnist --num=16 --k=5 --data_dir=data/",
    ),
)
