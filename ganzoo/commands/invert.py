"""`ganzoo invert`: the latents of given images."""

from types import SimpleNamespace

from absl import flags

from ganzoo.commands import loading, pictures
from ganzoo.commands.command import Command

TEXT = """
Looks for latents from which the generator draws given images, by descent from several starts, and
shows what it draws beside them, with the decibels (PSNR) between the two. Images are files, cropped
to squares and resized; without any, images of the data set, by default its test split. With --tune
a copy of the generator is then trained on the images from these latents: a third column.
"""


def _define(values: flags.FlagValues) -> None:
    pictures.define_search(values, steps=300, restarts=4)
    flags.DEFINE_float(
        "prior_weight", 0.0, "NUMBER, weight of the latents' size; 0.", 0, flag_values=values
    )
    flags.DEFINE_integer(
        "tune", 0, "NUMBER of steps on a copy of the generator, 0.", 0, flag_values=values
    )
    pictures.define(values)


def _run(options: SimpleNamespace) -> None:
    config = pictures.entry(options)
    out = pictures.out_path(options, "inverted")
    images = pictures.chosen_images(options, config)
    gan = loading.load(options)
    from ganzoo import latent

    found = latent.invert(
        gan,
        images,
        steps=options.steps,
        restarts=options.restarts,
        prior_weight=options.prior_weight,
        tune_steps=options.tune,
        seed=options.seed,
        **pictures.conditions(options),
    )
    text = f"{len(images)} images, {pictures.decibels(found.psnr)}"
    if found.tuned is not None:
        text += f", tuned {pictures.decibels(found.tuned_psnr)}"
    pictures.write(found.picture(), out, text)


COMMAND = Command(
    name="invert",
    summary="find the latents of given images",
    text=TEXT,
    arguments="NAME [IMAGE ...]",
    define=_define,
    run=_run,
    examples=(
        "ganzoo invert dcgan_celeba face.jpg --tune=200",
        "ganzoo invert dcgan_mnist --num=16 --data_dir=data/",
    ),
)
