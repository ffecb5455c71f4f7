"""How well dcgan_celeba fills holes in faces, and finds whole ones, in decibels.

    python benchmarks/inpainting.py --data=faces.zip                   held-out faces: split test
    python benchmarks/inpainting.py --data=faces.zip --weights=run/final.safetensors
    python benchmarks/inpainting.py --split=train                      faces it was trained on

Faces are drawn by the seed. For each kind of mask, latents are searched for twice: by the weighted
context loss of Yeh 2017 with its prior loss, and by the plain distance of all known pixels. Each
result fills the hole by Poisson blending and by plain pasting. Beside them stand fillings that know
no faces: the mean colour of the known pixels, and the smoothest surface through them. The last row
is what inversion of the whole faces reaches: with these weights no filling can be expected to pass
it by far.
"""

import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import command
import numpy as np
import runs
from absl import flags
from command import table
from workers import Problem

ENTRY = "dcgan_celeba"
MASKS = ("center", "random", "half")
SEARCHES = {
    "weighted context, prior": {},
    "plain context, no prior": {"window": None, "prior_weight": 0.0},
}
SHOWN = 8  # faces in the picture


def _define(values: flags.FlagValues) -> None:
    whole, text = flags.DEFINE_integer, flags.DEFINE_string
    whole("faces", 64, "Faces.", 1, flag_values=values)
    whole("steps", 500, "Steps of a search from each start.", 0, flag_values=values)
    whole("restarts", 2, "Starts of a search.", 1, flag_values=values)
    whole("seed", 0, "Seed of faces, masks and starts.", 0, flag_values=values)
    flags.DEFINE_list("masks", list(MASKS), "Kinds of masks.", flag_values=values)
    text("entry", ENTRY, "Entry of the zoo.", flag_values=values)
    text("weights", "pretrained", "File of weights.", flag_values=values)
    flags.DEFINE_multi_string("set", [], "KEY=VALUE of the config.", flag_values=values)
    text("data", None, "Source of faces in place of the config's.", flag_values=values)
    text("data_dir", None, "Folder searched for data first.", flag_values=values)
    text("split", "test", "Split of the faces.", flag_values=values)
    text("results", None, "Folder of results.", flag_values=values)


def main(arguments: Sequence[str]) -> None:
    """Fills the holes and writes the table and a picture."""
    options = command.parse(__doc__, _define, arguments)
    faces = _faces(options)
    gan = _gan(options)
    start = time.perf_counter()
    measured, pictures = {}, []
    for mask in options.masks:
        measured[mask], picture = _filled(gan, faces, mask, options)
        pictures.append(picture)
    whole = _inverted(gan, faces, options)
    folder = runs.folder(options)
    runs.write(folder / "inpainting.md", _report(measured, whole, options, start))
    _save(pictures, folder / "inpainting.png")
    command.record(options, {"results": {**measured, "inversion": whole}})


def fillings(given: np.ndarray, masks: np.ndarray) -> dict[str, np.ndarray]:
    """Returns images whose holes are filled without a GAN, uint8, by name."""
    from ganzoo.latent.inpainting import fill

    known = masks[..., np.newaxis]
    mean = (given * known).sum(axis=(1, 2)) / known.sum(axis=(1, 2))  # (n, C)
    flat = np.rint(mean)[:, np.newaxis, np.newaxis].astype(np.uint8)
    return {
        "mean colour of the known pixels": np.where(known, given, flat),
        "smooth surface": fill(given, np.zeros_like(given), masks, "poisson"),
    }


def _faces(options: SimpleNamespace) -> np.ndarray:
    """Returns the faces, uint8; none that the published weights have seen, where they say so."""
    from ganzoo import data, registry, weights

    config = registry.entry(options.entry, options.set)
    found = data.open_source(
        options.data or config.data.dataset,
        image_size=config.data.image_size,
        split=options.split,
        data_dir=options.data_dir,
        crop=config.data.crop,
    )
    if options.weights == "pretrained" and options.split != "train":
        seen = weights.card(options.entry).data["fingerprint"]
        if seen == found.fingerprint:
            raise Problem("these are the faces that the weights were trained on: --split=train")
    if len(found) < options.faces:
        raise Problem(f"--faces={options.faces}: there are {len(found)}")
    rows = np.random.default_rng(options.seed).permutation(len(found))[: options.faces]
    return np.asarray(found.images[np.sort(rows)])


def _gan(options: SimpleNamespace) -> Any:
    from ganzoo import builders, registry, weights

    named = options.entry if options.weights == "pretrained" else options.weights
    gan = builders.build(registry.entry(options.entry, options.set))
    weights.assign(gan, weights.load(named))
    return gan


def _filled(
    gan: Any, faces: np.ndarray, mask: str, options: SimpleNamespace
) -> tuple[dict[str, dict[str, list[float]]], np.ndarray]:
    """Returns the decibels of every way to fill this kind of hole, and the first one's picture."""
    from ganzoo import latent
    from ganzoo.latent.inpainting import BLENDS, fill

    masks = latent.masks(mask, len(faces), faces.shape[1:3], seed=options.seed)
    filled, pictures = fillings(faces, masks), []
    search = {"steps": options.steps, "restarts": options.restarts, "seed": options.seed}
    for name, settings in SEARCHES.items():
        command.say(f"{mask}: {name}")
        found = latent.inpaint(gan, faces, masks, **search, **settings)
        for blend in BLENDS:
            filled[f"{name}; {blend}"] = fill(faces, found.generated, masks, blend)
        pictures.append(found.picture(scale=1)[: SHOWN * (faces.shape[1] + 2) + 2])
    measured = {
        name: _decibels(latent.psnr, images, faces, masks) for name, images in filled.items()
    }
    return measured, pictures[0]


def _decibels(
    psnr: Callable[..., np.ndarray], images: np.ndarray, faces: np.ndarray, masks: np.ndarray
) -> dict[str, list[float]]:
    return {"whole": psnr(images, faces).tolist(), "hole": psnr(images, faces, ~masks).tolist()}


def _inverted(gan: Any, faces: np.ndarray, options: SimpleNamespace) -> list[float]:
    from ganzoo import latent

    command.say("inversion of the whole faces")
    found = latent.invert(
        gan, faces, steps=options.steps, restarts=options.restarts, seed=options.seed
    )
    return found.psnr.tolist()


def _report(
    measured: dict[str, Any], whole: list[float], options: SimpleNamespace, start: float
) -> list[str]:
    """Returns the table's lines."""
    unseen = "held out" if options.split != "train" else "of the training set"
    rows = [
        [name, *(runs.spread(found[name][place], 2) for found in measured.values()
                 for place in ("whole", "hole"))]
        for name in next(iter(measured.values()))
    ]  # fmt: skip
    rows.append(["inversion of the whole face", runs.spread(whole, 2)])
    rows[-1] += [""] * (2 * len(measured) - 1)
    header = ["PSNR in dB", *(f"{mask}, {place}" for mask in measured for place in
                              ("whole", "hole"))]  # fmt: skip
    return [
        f"# Inpainting with {options.entry}",
        "",
        f"`python benchmarks/inpainting.py`; {options.faces} faces {unseen} (split "
        f"{options.split}), seed {options.seed}, {options.steps} steps from {options.restarts} "
        f"starts; {(time.perf_counter() - start) / 60:.0f} minutes; {command.described()}",
        "",
        "Mean ± standard deviation over the faces, over all pixels and over the missing ones.",
        "",
        table(header, rows),
    ]


def _save(pictures: list[np.ndarray], path: Any) -> None:
    """Writes the kinds of masks beside each other: known, generated, result, given."""
    from ganzoo import visualize

    visualize.save(np.concatenate(pictures, axis=1), path, scale=1)


if __name__ == "__main__":
    command.run(main)
