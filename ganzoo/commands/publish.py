"""`ganzoo publish`: puts trained weights into the zoo, or writes the folder of a mirror."""

from types import SimpleNamespace

from absl import flags

from ganzoo import paths, weights
from ganzoo.commands.command import Command, UsageError, report

TEXT = """
With --workdir, checks what a finished run left (weights, card, config) and puts NAME.safetensors
and NAME.json into the zoo's folder of published weights.

With --mirror, writes the folder that a mirror serves, from any static file server: the weights and
cards of all published entries, or of those named. GANZOO_MIRROR=URL makes others load from there.
"""


def _define(values: flags.FlagValues) -> None:
    text = flags.DEFINE_string
    text("workdir", None, "Folder of a finished run of `ganzoo train`.", flag_values=values)
    text(
        "directory",
        None,
        "Folder to publish into; by default the package's pretrained/.",
        flag_values=values,
    )
    text("mirror", None, "Folder to write as a mirror; made if missing.", flag_values=values)


def _run(options: SimpleNamespace) -> None:
    if bool(options.workdir) == bool(options.mirror):
        raise UsageError("give either --workdir=RUN or --mirror=FOLDER.")
    if options.mirror:
        if options.directory:
            raise UsageError("--directory goes with --workdir; --mirror itself says where to.")
        _mirror(options.mirror, options.arguments)
        return
    if options.arguments:
        raise UsageError(f"unexpected {options.arguments[0]!r}: the run knows its entry's name.")
    card = weights.publish(options.workdir, options.directory)
    folder = options.directory or paths.pretrained()
    report(f"published {card.name}: {card.bytes:,} bytes, {card.steps:,} steps")
    report(f"weights: {folder}/{card.file}")
    report(f"card:    {folder}/{card.name}.json")


def _mirror(folder: str, names: list[str]) -> None:
    written = weights.write_mirror(folder, names or None)
    if not written:
        raise ValueError("No entry has published weights: train one, then publish its workdir.")
    for card in written:
        report(f"{card.name}: {folder}/{card.versioned_file}, {card.bytes:,} bytes")
    report(f"Serve {folder}; GANZOO_MIRROR=URL makes `ganzoo` load from there.")


COMMAND = Command(
    name="publish",
    summary="put a run's weights into the zoo, or write a mirror",
    text=TEXT,
    arguments="[NAME ...]",
    define=_define,
    run=_run,
    examples=(
        "ganzoo publish --workdir=runs/digits",
        "ganzoo publish --mirror=site/weights dcgan_mnist dcgan_celeba",
    ),
)
