"""`ganzoo train`: trains an entry in a workdir, or goes on with a run."""

import shlex
from collections.abc import Sequence
from types import SimpleNamespace

from absl import flags

from ganzoo import registry
from ganzoo.commands import loading
from ganzoo.commands.command import PRECISIONS, Command, UsageError, import_tensorflow, report
from ganzoo.config import ZooConfig

TEXT = """
Trains an entry of the zoo. The workdir holds the run: its config, checkpoints, sample grids
(samples/), TensorBoard scalars (tensorboard/), what the doctor saw (doctor.json) and, at the end,
final.safetensors with its card.

A run that was stopped, by Ctrl-C, a signal or a power cut, goes on at its last checkpoint when the
same command is given again, and ends with the weights of one that was not stopped; with a larger
--steps a finished run trains on. Three minutes lie between two checkpoints, or the steps of
--set=training.checkpoint_every=500. A workdir that holds a run of another config or on other images
is refused.

Under a launcher that sets TF_CONFIG the same command in each process trains on all of them; the
chief alone uses the workdir. --set=data.stream=true reads TFRecord and TFDS files as they are
needed, for images that the disk can't hold decoded. docs/scale.md tells more.
"""


def _define(values: flags.FlagValues) -> None:
    text = flags.DEFINE_string
    text("workdir", None, "Folder of the run; made if missing. Required.", flag_values=values)
    text(
        "data",
        None,
        "Source of the images in place of the config's: a folder, zip or npz, or a TFDS name.",
        flag_values=values,
    )
    text(
        "data_dir",
        None,
        "Folder that is searched for the data set first; by default $GANZOO_DATA_DIR.",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "steps", None, "Number of steps in all; by default the config's.", 1, flag_values=values
    )
    flags.DEFINE_enum(
        "precision",
        None,
        PRECISIONS,
        "By default the config's, float32 mostly.",
        flag_values=values,
    )
    loading.define_strategy(values, "Devices to train on; multi_worker as TF_CONFIG says.")
    flags.DEFINE_multi_string(
        "set",
        [],
        "KEY=VALUE changes the config, data.batch_size=128 say; may be repeated.",
        flag_values=values,
    )
    flags.DEFINE_boolean(
        "resume", True, "Go on with the run that the workdir holds.", flag_values=values
    )
    flags.DEFINE_boolean(
        "doctor", True, "Watch for failures; `ganzoo doctor` reads the report.", flag_values=values
    )
    flags.DEFINE_boolean(
        "stop_hopeless", False, "End a run that the doctor finds beyond saving.", flag_values=values
    )


def _run(options: SimpleNamespace) -> None:
    name = options.arguments[0]
    if not options.workdir:
        raise UsageError(f"--workdir is missing: say where to, as in --workdir=runs/{name}.")
    config = registry.entry(name, _overrides(options))
    import_tensorflow()
    from ganzoo import strategy as strategies
    from ganzoo import training

    strategy = strategies.get_strategy(options.strategy)
    chief = training.Workers(strategy).chief
    images = training.open_images(
        config, data=options.data, data_dir=options.data_dir, progress=chief
    )
    folder = training.Workdir(options.workdir)
    if chief:
        _announce(config, images, folder, strategy.num_replicas_in_sync)
    try:
        gan = training.train(
            config,
            workdir=options.workdir,
            data=images,
            strategy=strategy,
            resume=options.resume,
            doctor=options.doctor,
            stop_hopeless=options.stop_hopeless,
        )
    except KeyboardInterrupt:
        told = _how_to_resume(folder, options.line) if chief else "stopped; the chief tells more."
        raise KeyboardInterrupt(told) from None
    if chief:
        _close(name, int(gan.steps_done), folder, options.set)


def _overrides(options: SimpleNamespace) -> list[str]:
    overrides = list(options.set)
    if options.steps is not None:
        overrides.append(f"training.steps={options.steps}")
    if options.precision is not None:
        overrides.append(f"training.precision={options.precision}")
    return overrides


def _announce(config: ZooConfig, images, folder, replicas: int) -> None:
    count, *shape = images.images.shape
    noun = images.noun
    training, batch = config.training, config.data.batch_size
    devices = "1 replica" if replicas == 1 else f"{replicas} replicas"
    report(
        f"{config.name}: {training.steps:,} steps of {batch} {noun}, "
        f"{training.precision}, on {devices}"
    )
    report(f"{noun}:  {count:,} of {'x'.join(map(str, shape))} from {images.name}")
    report(f"samples: {folder.samples}, every {training.sample_every:,} steps")


def _how_to_resume(folder, line: str) -> str:
    """The words after Ctrl-C. They are the run's last line, so they say all."""
    again = [word for word in shlex.split(line) if word not in ("--noresume", "--resume=false")]
    saved = folder.saved()
    if not saved:
        return "stopped before the first step; nothing to resume."
    step = int(saved[0].stem.removeprefix("step_"))
    return f"stopped; step {step:,} is saved. Resume with: {shlex.join(again)}"


def _close(name: str, steps: int, folder, changes: Sequence[str]) -> None:
    look = ["ganzoo", "generate", name, f"--weights={folder.weights}", f"--out={name}.png"]
    look += [f"--set={change}" for change in changes]
    report(f"trained: {steps:,} steps")
    report(f"weights: {folder.weights}")
    report(f"card:    {folder.card}")
    report(f"look:    {shlex.join(look)}")
    report(f"publish: {shlex.join(['ganzoo', 'publish', f'--workdir={folder.path}'])}")


COMMAND = Command(
    name="train",
    summary="train an entry in a workdir, or go on with its run",
    text=TEXT,
    arguments="NAME",
    define=_define,
    run=_run,
    examples=(
        "ganzoo train dcgan_digits --workdir=runs/digits",
        "ganzoo train dcgan_celeba --workdir=runs/mine --data=my_pictures/ --steps=20000",
        "ganzoo train dcgan_mnist --workdir=runs/a --set=data.batch_size=128 --set=training.seed=1",
    ),
)
