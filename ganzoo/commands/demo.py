"""`ganzoo demo`: what the zoo does, in pictures."""

from types import SimpleNamespace

from absl import flags

from ganzoo.commands.command import Command, import_tensorflow, report

TEXT = """
Loads the published models of faces and digits, draws samples of each and a walk between them, then
fine-tunes the digits of MNIST on scikit-learn's 1,797 digits and draws the same latents before and
after. Needs no network and takes about a minute.
"""


def _define(values: flags.FlagValues) -> None:
    flags.DEFINE_string(
        "out",
        "ganzoo-demo",
        "FOLDER of the pictures, by default ganzoo-demo; made if missing.",
        flag_values=values,
    )


def _run(options: SimpleNamespace) -> None:
    import_tensorflow()
    from ganzoo import demo

    demo.run(options.out, say=report)


COMMAND = Command(
    name="demo",
    summary="samples, a walk and a fine-tuning, in pictures; offline",
    text=TEXT,
    define=_define,
    run=_run,
    examples=("ganzoo demo --out=pictures",),
)
