"""`ganzoo inpaint`: what is missing of images."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
from absl import flags

from ganzoo.commands import loading, pictures
from ganzoo.commands.command import Command
from ganzoo.errors import unknown

KINDS = ("center", "random", "half")

TEXT = """
Fills holes in images with what the GAN imagines there (Yeh 2017): latents are looked for whose
image agrees with the known pixels and convinces the discriminator. Images are files, cropped to
squares and resized, and so is a mask; without any, images of the data set, by default its test
split. A row of the picture shows what was known, what is generated, the result, and the image; the
decibels (PSNR) are between the last two.
"""


def _define(values: flags.FlagValues) -> None:
    flags.DEFINE_string(
        "mask",
        "center",
        f"KIND, {', '.join(KINDS)}; or FILE, a picture that is black where pixels are missing.",
        flag_values=values,
    )
    pictures.define_search(values, steps=500, restarts=2)
    flags.DEFINE_float(
        "prior_weight", 0.003, "NUMBER, weight of the prior loss; 0.003.", 0, flag_values=values
    )
    flags.DEFINE_integer(
        "window", 7, "NUMBER, side of the window that weighs pixels; 0 for all alike.", 0,
        flag_values=values,
    )  # fmt: skip
    flags.DEFINE_enum(
        "blend", "poisson", ("poisson", "paste"), "How holes are filled.", flag_values=values
    )
    pictures.define(values)


def _run(options: SimpleNamespace) -> None:
    config = pictures.entry(options)
    out = pictures.out_path(options, "inpainted")
    images = pictures.chosen_images(options, config)
    mask = _mask(options.mask, images.shape[1])
    gan = loading.load(options)
    from ganzoo import latent

    found = latent.inpaint(
        gan,
        images,
        mask,
        prior_weight=options.prior_weight,
        window=options.window or None,
        blend=options.blend,
        steps=options.steps,
        restarts=options.restarts,
        seed=options.seed,
        **pictures.conditions(options),
    )
    hole = pictures.decibels(found.hole_psnr)
    text = f"{len(images)} images, {pictures.decibels(found.psnr)}, in the holes {hole}"
    pictures.write(found.picture(), out, text)


def _mask(text: str, size: int) -> str | np.ndarray:
    """Returns a kind of mask, or the mask (size, size) of a file, turned and cropped as images are.

    Raises:
        OSError, ValueError: If it is no kind and no file, or no image.
    """
    if text in KINDS:
        return text
    if not Path(text).suffix:
        raise unknown("mask", text, KINDS)
    return pictures.read_image(text, size=size, channels=1, antialias=False)[..., 0] >= 128


COMMAND = Command(
    name="inpaint",
    summary="fill holes in images with what a GAN imagines",
    text=TEXT,
    arguments="NAME [IMAGE ...]",
    define=_define,
    run=_run,
    examples=(
        "ganzoo inpaint dcgan_celeba face.jpg --mask=center",
        "ganzoo inpaint dcgan_celeba --mask=random --data=faces.zip --split=train",
    ),
)
