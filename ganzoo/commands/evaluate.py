"""`ganzoo evaluate`: how good an entry's images are, in numbers."""

import textwrap
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from absl import flags

from ganzoo import paths, registry, weights
from ganzoo.commands import loading
from ganzoo.commands.command import Command, UsageError, import_tensorflow, report
from ganzoo.config import load_config
from ganzoo.errors import unknown
from ganzoo.metrics.names import EXTRACTORS, METRICS

TEXT = """
Generates images with an entry's published weights, those of a finished run (--workdir) or
--weights, and scores them against real ones. The table's last column is what held-out real images
score: nothing generated can be expected to do better. A conditional GAN is asked for the real
images' labels, and each class is scored too.

With --record the numbers are written onto the card: onto the run's draft, or onto the published
card. `ganzoo verify` recomputes what stands there.
"""


def _define(values: flags.FlagValues) -> None:
    text = flags.DEFINE_string
    listed = textwrap.shorten(", ".join(METRICS), 400)
    flags.DEFINE_list(
        "metrics", [], f"NAMES, by default the config's: {listed}.", flag_values=values
    )
    flags.DEFINE_integer(
        "images", None, "NUMBER of images, by default the config's.", 2, flag_values=values
    )
    flags.DEFINE_enum(
        "extractor", None, tuple(EXTRACTORS), "By default the config's.", flag_values=values
    )
    flags.DEFINE_integer(
        "seed", 0, "NUMBER that decides latents and real images.", 0, flag_values=values
    )
    text("data", None, "SOURCE of the real images in place of the config's.", flag_values=values)
    text("data_dir", None, "FOLDER that is searched for the data set first.", flag_values=values)
    text("split", None, "SPLIT of the real images, by default train.", flag_values=values)
    loading.define(values)
    loading.define_strategy(values, "Devices to run on; changes speed, not scores.")
    text("workdir", None, "FOLDER of a finished run of `ganzoo train`.", flag_values=values)
    flags.DEFINE_boolean("record", False, "Write the numbers onto the card.", flag_values=values)
    flags.DEFINE_boolean("ema", True, "Score the generator's moving average.", flag_values=values)
    flags.DEFINE_boolean("floor", True, "Score held-out real images too.", flag_values=values)
    flags.DEFINE_boolean("json", False, "Print JSON in place of a table.", flag_values=values)


def _run(options: SimpleNamespace) -> None:
    name = options.arguments[0]
    registry.entry(name)
    for metric in options.metrics:
        if metric not in METRICS:
            raise unknown("metric", metric, METRICS)
    _check_flags(options)
    card = _card(name, options) if options.record else None
    if options.workdir:
        gan = _run_gan(name, Path(options.workdir).expanduser(), options.strategy)
    else:
        gan = loading.load(options, strategy=options.strategy)
    from ganzoo.workers import Workers

    with Workers(gan.distribute_strategy).chief_alone() as chief:
        if chief:
            _score(options, gan, card)


def _score(options: SimpleNamespace, gan: Any, card: Path | None) -> None:
    from ganzoo.metrics import evaluate, verification

    evaluation = evaluate(
        gan,
        options.data,
        metrics=options.metrics or None,
        images=options.images,
        extractor=options.extractor,
        floor=options.floor,
        seed=options.seed,
        split=options.split,
        data_dir=options.data_dir,
        ema=options.ema,
    )
    report(evaluation.to_json() if options.json else str(evaluation))
    if card is not None:
        _record(card, verification.to_card(evaluation), evaluation.fingerprint)


def _check_flags(options: SimpleNamespace) -> None:
    own = options.weights != "pretrained" or bool(options.set)
    if options.workdir and own:
        raise UsageError("--workdir knows its weights and config: leave --weights and --set out.")
    if options.record and (own or not options.ema):
        raise UsageError("--record goes with the published weights or --workdir, and with --ema.")
    if options.record and not options.floor:
        raise UsageError("--record goes with the floor: leave --nofloor out.")


def _run_gan(name: str, folder: Path, strategy: str):
    """The GAN of a finished run."""
    tensors = weights.load(folder / "final.safetensors")
    config = load_config(folder / "config.yaml")
    if config.name != name:
        raise ValueError(f"{folder} holds a run of {config.name!r}. Received: {name!r}.")
    import_tensorflow()
    from ganzoo import builders

    gan = builders.build(config, strategy=strategy)
    weights.assign(gan, tensors)
    return gan


def _card(name: str, options: SimpleNamespace) -> Path:
    """The card that the numbers go onto."""
    path = paths.pretrained() / f"{name}.json"
    if options.workdir:
        path = Path(options.workdir).expanduser() / "card.json"
    if not path.is_file():
        raise FileNotFoundError(f"There is no card {path} to write onto.")
    return path


def _record(path: Path, metrics: dict, fingerprint: str) -> None:
    card = weights.read_card(path)
    if card.data["fingerprint"] != fingerprint:
        raise ValueError(f"{path} is of a model of other images than these: nothing is written.")
    weights.add_metrics(path, metrics)
    report(f"written onto {path}")


COMMAND = Command(
    name="evaluate",
    summary="score an entry's images against real ones",
    text=TEXT,
    arguments="NAME",
    define=_define,
    run=_run,
    examples=(
        "ganzoo evaluate dcgan_digits",
        "ganzoo evaluate dcgan_mnist --metrics=fcd,precision,recall --images=5000 --json",
        "ganzoo evaluate dcgan_celeba --workdir=runs/faces --data=faces.zip --record",
    ),
)
