"""The demo: published models load, generate and fine-tune, without the network."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ganzoo import builders, callbacks, data, sheets, visualize, weights

SHOWN = {
    "faces": "dcgan_celeba",
    "digits": "dcgan_mnist",
    "clothes": "projection_fashion_mnist",
}
TUNED = "dcgan_mnist"
EPOCHS = 20
BATCH_SIZE = 64
MARGIN = 4  # pixels around a digit, as MNIST has them: fine-tuning need not learn to shift

Say = Callable[[str], None]


def run(out: str | os.PathLike, *, epochs: int = EPOCHS, seed: int = 0, say: Say = print) -> None:
    """Writes samples and walks of the published models, and a fine-tuning before and after.

    Args:
        out: Folder of the pictures; made if missing.
        epochs: Epochs of the fine-tuning on scikit-learn's digits.
        seed: Seed of all latents.
        say: Called with each line of the story.

    Raises:
        LookupError: If none of the models has published weights.
        OSError: If the folder cannot be written.
    """
    start, out = time.monotonic(), Path(out).expanduser()
    missing = {name: _why_missing(name) for name in dict.fromkeys((*SHOWN.values(), TUNED))}
    if all(missing.values()):
        raise LookupError(f"The demo needs published weights. {missing[TUNED]}")
    out.mkdir(parents=True, exist_ok=True)
    for what, name in SHOWN.items():
        if missing[name]:
            say(f"{what}: left out. {missing[name]}")
        else:
            _show(what, name, out, seed, say)
    if missing[TUNED]:
        say("fine-tuning: left out with it.")
    else:
        _fine_tune(out, epochs, seed, say)
    say(f"All pictures are in {out}/ ({time.monotonic() - start:.0f} s).")


def _why_missing(name: str) -> str:
    """Why an entry's weights cannot be had, or an empty text."""
    try:
        weights.find(name)
    except (weights.NotPublished, weights.DownloadError) as error:
        return str(error)
    return ""


def _show(what: str, name: str, out: Path, seed: int, say: Say) -> None:
    start = time.monotonic()
    gan = builders.load(name)
    images, (_, columns) = sheets.samples(gan, seed=seed), sheets.layout(gan)
    samples = visualize.save(images, out / f"{what}.png", columns=columns)
    frames = visualize.interpolation_frames(gan, seed=seed)
    walk = visualize.animate(frames, out / f"{what}_walk.gif")
    say(f"{what}: {name} loaded; samples {samples}, a walk {walk} ({_since(start)})")


def _fine_tune(out: Path, epochs: int, seed: int, say: Say) -> None:
    start = time.monotonic()
    gan = builders.load(TUNED)
    digits = _digits(gan.image_shape[0])
    before = gan.generate(64, seed=seed)
    say(f"fine-tuning: {TUNED} on scikit-learn's {len(digits):,} digits, {epochs} epochs")
    steps = int(gan.steps_done) + epochs * (len(digits) // BATCH_SIZE)
    bar = callbacks.Progress(steps, images_per_step=BATCH_SIZE)
    gan.fit(digits, batch_size=BATCH_SIZE, epochs=epochs, callbacks=[bar], verbose=0)
    panels = {"before": before, "after": gan.generate(64, seed=seed), "real": digits[:64]}
    path = visualize.save(_side_by_side(panels), out / "fine_tuned.png", scale=1)
    say(f"fine-tuning: before, after and the real digits {path} ({_since(start)})")


def _digits(side: int) -> np.ndarray:
    """scikit-learn's digits, uint8 (N, side, side, 1)."""
    digits = data.open_source("digits", image_size=side - 2 * MARGIN, channels=1).images
    return np.pad(digits, ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)))


def _side_by_side(panels: dict[str, np.ndarray]) -> np.ndarray:
    """Grids of grey images, each under its caption: uint8 (height, width, 1)."""
    grids = [visualize.grid(images, scale=None)[..., 0] for images in panels.values()]
    height, width = grids[0].shape
    caption, gap = 24, 16
    picture = Image.new("L", (len(grids) * (width + gap) - gap, height + caption), 255)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=16)
    for column, (title, grid) in enumerate(zip(panels, grids, strict=True)):
        left = column * (width + gap)
        draw.text((left + 2, 2), title, fill=0, font=font)
        picture.paste(Image.fromarray(grid), (left, caption))
    return np.asarray(picture)[..., np.newaxis]


def _since(start: float) -> str:
    return f"{time.monotonic() - start:.0f} s"
