"""`ganzoo verify`: finds a card's numbers again, or says which one it does not find."""

from types import SimpleNamespace

from absl import flags

from ganzoo import weights
from ganzoo.commands.command import Command, UsageError, import_tensorflow, report

TEXT = """
Generates the images again from the shipped weights, with the seed and the number of images that
stand on the card, recomputes each metric there, and fails with both figures where they differ by
more than the card's tolerance. The real images are needed for it: the data set by name, from
--data_dir, or --data. With --all, every card.
"""


def _define(values: flags.FlagValues) -> None:
    flags.DEFINE_boolean("all", False, "Verify every published card.", flag_values=values)
    text = flags.DEFINE_string
    text("data", None, "SOURCE of the real images in place of the card's.", flag_values=values)
    text("data_dir", None, "FOLDER that is searched for the data set first.", flag_values=values)
    flags.DEFINE_boolean("cache", True, "Keep real images' features on disk.", flag_values=values)


def _run(options: SimpleNamespace) -> None:
    if bool(options.arguments) == options.all:
        raise UsageError("give a NAME, or --all.")
    for name in options.arguments:
        weights.card(name)  # what is missing shows before TensorFlow is imported
    if options.all and options.data:
        raise UsageError("--data is one data set: give a NAME with it, not --all.")
    import_tensorflow()
    from ganzoo.metrics import verification

    failed = []
    for name in verification.published() if options.all else options.arguments:
        report(f"{name}:")
        try:
            checks = verification.verify(
                name, data=options.data, data_dir=options.data_dir, cache=options.cache
            )
        except (ValueError, OSError) as error:
            if not options.all:
                raise
            failed.append(name)
            report(f"  {error}")
            continue
        for check in checks:
            report(f"  {check}")
    if failed:
        raise ValueError(f"{len(failed)} of the cards did not verify: {', '.join(failed)}.")


COMMAND = Command(
    name="verify",
    summary="recompute the numbers on a card",
    text=TEXT,
    arguments="[NAME]",
    define=_define,
    run=_run,
    examples=(
        "ganzoo verify dcgan_digits",
        "ganzoo verify dcgan_celeba --data=faces.zip",
        "ganzoo verify --all --data_dir=data/",
    ),
)
