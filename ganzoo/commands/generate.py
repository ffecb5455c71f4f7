"""`ganzoo generate`: images of an entry, in a file."""

from functools import partial
from pathlib import Path
from types import SimpleNamespace

from absl import flags

from ganzoo import registry, visualize
from ganzoo.commands import loading
from ganzoo.commands.command import PRECISIONS, Command, UsageError, report
from ganzoo.config.loading import data_shape
from ganzoo.data.points import mixture_of
from ganzoo.errors import closest

FORMATS = ("png", "webp", "gif", "npz")
IMAGES, POINTS = 64, 2_500
ROW = 8  # images of an interpolation from one end to the other

TEXT = """
Generates images with an entry's published weights, or with --weights, and writes them to --out:
.png and .webp (lossless) hold a grid, .gif an animation with an image a frame, .npz the uint8
images (N, H, W, C) under the key `images`. The same seed gives the same images. Of an entry that
makes points, a picture shows them all with the real modes marked, and .npz holds them as `points`.

With --interpolate the images lie on arcs between random latents: in a grid a row each, of 8 images;
in a .gif the grid itself moves, and ends where it began.
"""


def _define(values: flags.FlagValues) -> None:
    flags.DEFINE_integer(
        "num", None, "NUMBER of images, by default 64; 2500 points.", 1, flag_values=values
    )
    flags.DEFINE_string(
        "out", None, "FILE to write; by default NAME.png, or as --format says.", flag_values=values
    )
    flags.DEFINE_enum("format", None, FORMATS, "By default what --out ends in.", flag_values=values)
    flags.DEFINE_integer(
        "seed", 0, "NUMBER that decides the latents, by default 0.", 0, flag_values=values
    )
    flags.DEFINE_boolean("interpolate", False, "Walk between random latents.", flag_values=values)
    loading.define(values)
    flags.DEFINE_enum("precision", None, PRECISIONS, "By default the config's.", flag_values=values)
    flags.DEFINE_integer(
        "batch_size",
        64,
        "NUMBER of images at a time, by default 64; changes memory, not images.",
        1,
        flag_values=values,
    )


def _run(options: SimpleNamespace) -> None:
    out = _out(options.out, options.format, options.arguments[0])
    config = registry.entry(options.arguments[0], options.set)
    shape = data_shape(config.generator) or ()
    moving = out.suffix.lower() == ".gif"
    points = len(shape) == 1
    if points:
        _check_points(shape, out, options.interpolate)
    if options.num is None:
        options.num = POINTS if points and not options.interpolate else IMAGES
    if options.interpolate and not moving and options.num % ROW:
        above = options.num + -options.num % ROW
        raise UsageError(
            f"--interpolate makes rows of {ROW} images: expected --num to be a multiple of {ROW}. "
            f"Received: --num={options.num}; the next is {above}."
        )
    gan = loading.load(options, precision=options.precision)
    generate = partial(gan.generate, batch_size=options.batch_size)
    walker = SimpleNamespace(latent_dim=gan.latent_dim, generate=generate)
    mixture = mixture_of(config.data.dataset)
    if options.interpolate and moving:
        frames = visualize.interpolation_frames(
            walker, options.num, seed=options.seed, mixture=mixture
        )
        visualize.animate(frames, out, scale=1)  # the images in the frames are enlarged already
    else:
        if options.interpolate:
            images = visualize.interpolate(walker, options.num // ROW, ROW, seed=options.seed)
        else:
            images = generate(options.num, seed=options.seed)
        if points:
            visualize.save_points(images, out, mixture=mixture)
        else:
            visualize.save(images, out, columns=ROW if options.interpolate else None)
    what = "points" if points else "images"
    report(f"{options.num} {what} of {options.arguments[0]}, seed {options.seed}: {out}")


def _check_points(shape: tuple[int, ...], out: Path, interpolate: bool) -> None:
    suffix = out.suffix.lower()
    if suffix == ".gif" and not interpolate:
        raise UsageError("points make one picture: --out=FILE.png, or --interpolate with a .gif.")
    if suffix != ".npz" and shape != (2,):
        raise UsageError(f"a picture shows points in the plane, these are {shape}: --format=npz.")


def _out(out: str | None, kind: str | None, name: str) -> Path:
    """Where to write; the file's suffix is the format."""
    path = Path(out or f"{name}.{kind or 'png'}").expanduser()
    suffix = path.suffix.lower().removeprefix(".")
    if not suffix and kind:
        path, suffix = path.with_name(f"{path.name}.{kind}"), kind
    if suffix not in FORMATS:
        near = closest(suffix, FORMATS)
        raise UsageError(
            f"expected --out to end in .{', .'.join(FORMATS)}. Received: --out={out}{near}"
        )
    if kind and kind != suffix:
        raise UsageError(f"--out={out} and --format={kind} do not agree: leave one out.")
    if path.is_dir():
        raise UsageError(f"--out={out} is a folder: name a file in it.")
    return path


COMMAND = Command(
    name="generate",
    summary="write images of an entry to a file",
    text=TEXT,
    arguments="NAME",
    define=_define,
    run=_run,
    examples=(
        "ganzoo generate dcgan_mnist --num=64 --out=grid.png",
        "ganzoo generate dcgan_celeba --interpolate --num=16 --out=faces.gif",
    ),
)
