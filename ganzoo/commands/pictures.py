"""What the commands of the latent space share: flags, real images, writing a picture."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from absl import flags

from ganzoo import labels, registry
from ganzoo.commands import loading
from ganzoo.commands.command import UsageError, report
from ganzoo.config import ZooConfig
from ganzoo.config.loading import data_shape
from ganzoo.errors import closest

SUFFIXES = (".png", ".webp", ".jpg")
IMAGES = 8


def define(values: flags.FlagValues) -> None:
    """Defines --out, --seed, --label, --weights and --set."""
    flags.DEFINE_string(
        "out", None, "FILE to write, .png, .webp or .jpg; by default named for what it shows.",
        flag_values=values,
    )  # fmt: skip
    flags.DEFINE_integer("seed", 0, "NUMBER that decides what is drawn.", 0, flag_values=values)
    flags.DEFINE_string(
        "label", None, "CLASS of all images, by name or number, of conditional entries.",
        flag_values=values,
    )  # fmt: skip
    loading.define(values)


def define_images(values: flags.FlagValues, *, split: str | None) -> None:
    """Defines --data, --data_dir and --split; with --num where images may be named too."""
    text = flags.DEFINE_string
    text("data", None, "SOURCE of real images in place of the config's.", flag_values=values)
    text("data_dir", None, "FOLDER that is searched for the data set first.", flag_values=values)
    text("split", split, f"SPLIT, by default {split or 'what it trained on'}.", flag_values=values)


def define_search(values: flags.FlagValues, *, steps: int, restarts: int) -> None:
    """Defines --num, --steps and --restarts of a search for latents, and the real images' flags."""
    whole = flags.DEFINE_integer
    whole("num", IMAGES, "NUMBER of real images where none are named.", 1, flag_values=values)
    whole("steps", steps, f"NUMBER of steps from each start, {steps}.", 1, flag_values=values)
    whole("restarts", restarts, f"NUMBER of starts an image, {restarts}.", 1, flag_values=values)
    define_images(values, split="test")


def entry(options: SimpleNamespace) -> ZooConfig:
    """Returns the config of the entry that is named, one of images.

    Raises:
        UsageError: If it makes points, or knows no label where --label asks for one.
    """
    config = registry.entry(options.arguments[0], options.set)
    if len(data_shape(config.generator) or (0, 0, 0)) != 3:
        raise UsageError(f"{config.name} makes no images, which this command shows.")
    kind = labels.kind_of(config.gan.name)
    if options.label is not None and kind != "conditional":
        raise UsageError(f"--label is for conditional GANs: {config.name} is {kind}.")
    return config


def out_path(options: SimpleNamespace, what: str) -> Path:
    """Returns where to write, by default NAME_WHAT.png.

    Raises:
        UsageError: If that is no picture's name.
    """
    path = Path(options.out or f"{options.arguments[0]}_{what}.png").expanduser()
    if path.suffix.lower() not in SUFFIXES:
        near = closest(path.suffix.lower(), SUFFIXES)
        raise UsageError(
            f"expected --out to end in {', '.join(SUFFIXES)}. Received: --out={options.out}{near}"
        )
    if path.is_dir():
        raise UsageError(f"--out={options.out} is a folder: name a file in it.")
    return path


def conditions(options: SimpleNamespace) -> dict[str, Any]:
    """Returns the conditions that the flags ask for."""
    return {} if options.label is None else {"labels": options.label}


def write(picture: np.ndarray, path: Path, text: str) -> None:
    """Writes a picture and says what it shows."""
    from ganzoo import visualize

    visualize.save(picture, path, scale=1)
    report(f"{text}: {path}")


def real_images(options: SimpleNamespace, config: ZooConfig) -> Any:
    """Opens the entry's real images, or those of --data, at the entry's size."""
    from ganzoo import data

    shape = data_shape(config.generator)
    return data.open_source(
        config.data.dataset if options.data is None else options.data,
        image_size=config.data.image_size or shape[0],
        split=options.split or config.data.split,
        data_dir=options.data_dir,
        channels=config.data.channels or shape[-1],
        crop=config.data.crop,
    )


def chosen_images(options: SimpleNamespace, config: ZooConfig) -> np.ndarray:
    """Returns the images that are named as files, or --num real ones drawn by --seed; uint8.

    Raises:
        OSError, ValueError: If a file is none or no image, or the real ones are too few.
    """
    if len(options.arguments) > 1:
        height, _, channels = data_shape(config.generator)
        return np.stack(
            [read_image(file, size=height, channels=channels) for file in options.arguments[1:]]
        )
    images = real_images(options, config).images
    if len(images) < options.num:
        raise ValueError(f"Expected at most --num={len(images)} images. Received: {options.num}.")
    rows = np.random.default_rng(options.seed).permutation(len(images))[: options.num]
    return np.asarray(images[np.sort(rows)])


def read_image(file: str, *, size: int, channels: int, antialias: bool = True) -> np.ndarray:
    """Returns the image of a file, upright, its centre square resized: uint8 (size, size, C).

    Raises:
        OSError: If there is no such file.
        ValueError: If it is no sound image.
    """
    from ganzoo.data.decode import Decoder

    data = Path(file).expanduser().read_bytes()
    decoder = Decoder(image_size=size, channels=channels, crop=None, antialias=antialias)
    try:
        return decoder.decode(data)
    except MemoryError:
        raise
    except Exception as error:  # decoders raise many kinds
        raise ValueError(f"Cannot decode {file}: {error}") from error


def decibels(values: np.ndarray) -> str:
    """Returns the mean of decibels, and of few also each, as text."""
    each = f" ({', '.join(f'{one:.1f}' for one in values)})" if 1 < len(values) <= IMAGES else ""
    return f"{np.mean(values):.2f} dB{each}"
