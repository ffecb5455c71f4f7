"""`ganzoo traverse`: rows of images in which one thing changes."""

from types import SimpleNamespace

from absl import flags

from ganzoo.commands import loading, pictures
from ganzoo.commands.command import Command, UsageError

TEXT = """
Lets one thing go through its range while all others stay: a code of an InfoGAN by name (--code), or
an axis of the latents (--axis) from -2.5 to 2.5 standard deviations. Each row of the picture has
noise of its own; the rows of conditional entries show the classes in turn.
"""


def _define(values: flags.FlagValues) -> None:
    flags.DEFINE_string("code", None, "NAME of a code, of an InfoGAN.", flag_values=values)
    flags.DEFINE_integer("axis", None, "NUMBER of a latent axis.", 0, flag_values=values)
    flags.DEFINE_integer("rows", 8, "NUMBER of rows.", 1, flag_values=values)
    flags.DEFINE_integer("steps", 10, "NUMBER of images a row.", 2, flag_values=values)
    pictures.define(values)


def _run(options: SimpleNamespace) -> None:
    if (options.code is None) == (options.axis is None):
        raise UsageError("give --code=NAME or --axis=NUMBER.")
    pictures.entry(options)
    what = options.axis if options.code is None else options.code
    out = pictures.out_path(options, f"axis{what}" if options.code is None else what)
    gan = loading.load(options)
    from ganzoo import latent

    picture = latent.traverse_grid(
        gan,
        what,
        n=options.rows,
        steps=options.steps,
        seed=options.seed,
        **pictures.conditions(options),
    )
    pictures.write(picture, out, f"{options.rows} rows of {options.steps}, {what} from low to high")


COMMAND = Command(
    name="traverse",
    summary="let one code or latent axis go through its range",
    text=TEXT,
    arguments="NAME",
    define=_define,
    run=_run,
    examples=(
        "ganzoo traverse dcgan_mnist --axis=7",
        "ganzoo traverse infogan_mnist --code=rotation --rows=10",
    ),
)
