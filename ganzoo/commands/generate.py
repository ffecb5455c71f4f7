"""`ganzoo generate`: images of an entry, in a file."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from absl import flags

from ganzoo import registry, visualize
from ganzoo.commands import asking, loading
from ganzoo.commands.command import PRECISIONS, Command, UsageError, report
from ganzoo.config import ZooConfig
from ganzoo.config.loading import data_shape
from ganzoo.data import texts
from ganzoo.data.points import mixture_of
from ganzoo.errors import closest

FORMATS = ("png", "webp", "gif", "npz", "txt")
POINTS = 2_500
ROWS = 8
_OF_IMAGES = ("interpolate", "traverse", "labels", "codes")
STEPS = {"interpolate": 8, "traverse": 10}  # images of a walk from one end to the other

TEXT = """
Generates images with an entry's published weights, or with --weights, and writes them to --out:
.png and .webp (lossless) hold a grid, .gif an animation with an image a frame, .npz the uint8
images (N, H, W, C) under the key `images`. The same seed gives the same images. Of an entry that
makes points, a picture shows them all with the real modes marked, and .npz holds them as `points`.
Of an entry that makes texts, .txt holds them, a line each.

With --interpolate the images lie on arcs between random latents: in a grid a row each, of 8 images;
in a .gif the grid itself moves, and ends where it began. With --traverse a row has 10 images that
differ in one code of an InfoGAN, or in one axis of the latents. Rows have the classes in turn.
"""


def _define(values: flags.FlagValues) -> None:
    flags.DEFINE_integer(
        "num",
        None,
        "NUMBER of images, by default 64, or 8 of each class or row; 2500 points.",
        1,
        flag_values=values,
    )
    flags.DEFINE_string(
        "out", None, "FILE to write; by default NAME.png, or as --format says.", flag_values=values
    )
    flags.DEFINE_enum("format", None, FORMATS, "By default what --out ends in.", flag_values=values)
    flags.DEFINE_integer(
        "seed", 0, "NUMBER that decides the latents, by default 0.", 0, flag_values=values
    )
    asking.define(values)
    flags.DEFINE_boolean("interpolate", False, "Walk between random latents.", flag_values=values)
    flags.DEFINE_string(
        "traverse", None, "CODE or axis that goes through its range.", flag_values=values
    )
    loading.define(values)
    loading.define_strategy(values, "Devices to run on; changes speed, not images.")
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
    if config.gan.options.get("characters"):
        _texts(options, out)
        return
    if out.suffix.lower() == ".txt":
        raise UsageError(f"--out={out} is for texts, which {options.arguments[0]} does not make.")
    _check(options, config, out)
    with loading.on_chief(options) as gan:
        if gan is not None:
            pictures = _walks if options.interpolate or options.traverse else _samples
            num = pictures(options, gan, out, mixture_of(config.data.dataset))
            what = "points" if len(gan.image_shape) == 1 else "images"
            report(f"{num} {what} of {options.arguments[0]}, seed {options.seed}: {out}")


def _texts(options: SimpleNamespace, out: Path) -> None:
    """Writes the texts of an entry that makes such: a line each, whatever they are drawn by."""
    asked = [flag for flag in _OF_IMAGES if getattr(options, flag)]
    if asked or out.suffix.lower() != ".txt":
        wrong = f"--{asked[0]}" if asked else f"--out={out}"
        raise UsageError(f"{options.arguments[0]} makes texts: --format=txt. Received: {wrong}.")
    with loading.on_chief(options) as gan:
        if gan is not None:
            drawn = {"seed": options.seed, "truncation": options.truncation}
            some = gan.generate_text(options.num or 64, batch_size=options.batch_size, **drawn)
            texts.write(some, out)
            report(f"{len(some)} texts of {options.arguments[0]}, seed {options.seed}: {out}")


def _check(options: SimpleNamespace, config: ZooConfig, out: Path) -> None:
    """Refuses what does not go together, before anything is loaded."""
    asking.check(options, config)
    asking.codes(options)
    shape = data_shape(config.generator) or ()
    if len(shape) == 1:
        _check_points(shape, out, options.interpolate)
    if options.interpolate and options.traverse:
        raise UsageError("--interpolate and --traverse are two walks: leave one out.")
    walk = _walk(options)
    if walk and options.truncation is not None:
        raise UsageError(f"--truncation is of drawn latents: leave it out with --{walk}.")
    if options.traverse and options.traverse in asking.codes(options):
        raise UsageError(f"--traverse={options.traverse} walks this code: leave it out of --codes.")
    if walk and not (options.interpolate and out.suffix.lower() == ".gif"):
        _check_rows(options.num, STEPS[walk], f"--{walk} makes rows of {STEPS[walk]} images")


def _check_rows(num: int | None, row: int, told: str) -> None:
    if num is not None and num % row:
        raise UsageError(
            f"{told}: expected --num to be a multiple of {row}. "
            f"Received: --num={num}; the next is {num + -num % row}."
        )


def _walk(options: SimpleNamespace) -> str:
    return "interpolate" if options.interpolate else "traverse" if options.traverse else ""


def _samples(options: SimpleNamespace, gan: Any, out: Path, mixture: Any) -> int:
    """Writes images of drawn latents; returns how many."""
    from ganzoo import sheets

    labels, codes = asking.labels(options, gan), asking.codes(options)
    num, columns = sheets.layout(gan)
    if labels:
        _check_rows(options.num, len(labels), f"--labels makes {len(labels)} rows")
        num = options.num or (ROWS * len(labels) if len(labels) > 1 else sheets.IMAGES)
        columns = num // len(labels) if len(labels) > 1 else None
        asked = {"labels": np.repeat(labels, num // len(labels))}
    else:
        num = options.num or (POINTS if len(gan.image_shape) == 1 else num)
        asked = sheets.in_turn(gan, num)
        if codes:
            columns = None if {*codes} & {*asked.get("codes", {})} else columns
            asked = {"codes": {**asked.get("codes", {}), **codes}}
    drawn = {"seed": options.seed, "truncation": options.truncation}
    images = gan.generate(num, batch_size=options.batch_size, **drawn, **asked)
    _write(images, out, columns, mixture)
    return num


def _walks(options: SimpleNamespace, gan: Any, out: Path, mixture: Any) -> int:
    """Writes images of walks through latents; returns how many."""
    from ganzoo import latent, sheets

    steps, moving = STEPS[_walk(options)], out.suffix.lower() == ".gif"
    rows = options.num // steps if options.num else ROWS
    common = {"seed": options.seed, "batch_size": options.batch_size}
    if options.interpolate and moving:
        num = options.num or sheets.IMAGES
        common |= _of_rows(options, gan, num)
        frames = latent.interpolation_frames(gan, num, mixture=mixture, **common)
        visualize.animate(frames, out, scale=1)  # the images in the frames are enlarged already
        return num
    common |= _of_rows(options, gan, rows)
    if options.interpolate:
        images = latent.interpolate(gan, rows, steps, **common)
    else:
        images = latent.traverse(gan, options.traverse, n=rows, steps=steps, **common)
    if moving:
        shown = images.reshape(rows, steps, *images.shape[1:]).swapaxes(0, 1)
        there = [visualize.grid(step, scale=None) for step in shown]
        visualize.animate([*there, *there[-2:0:-1]], out, scale=1)
    else:
        _write(images, out, steps, mixture)
    return rows * steps


def _of_rows(options: SimpleNamespace, gan: Any, rows: int) -> dict[str, Any]:
    """What each row of a walk is asked for; without flags it is what the walk does by itself."""
    labels, codes = asking.labels(options, gan), asking.codes(options)
    found: dict[str, Any] = {"codes": codes} if codes else {}
    if labels:
        found["labels"] = [labels[row % len(labels)] for row in range(rows)]
    return found


def _write(images: np.ndarray, out: Path, columns: int | None, mixture: Any) -> None:
    if images.ndim == 2:
        visualize.save_points(images, out, mixture=mixture)
    else:
        visualize.save(images, out, columns=columns)


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
        "ganzoo generate acgan_fashion_mnist --labels=sneaker,bag",
        "ganzoo generate infogan_mnist --traverse=rotation --codes=digit=3",
    ),
)
