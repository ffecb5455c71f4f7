"""`ganzoo info`: what there is to know of an entry."""

from types import SimpleNamespace

from ganzoo import registry
from ganzoo.commands.command import Command, report


def _run(options: SimpleNamespace) -> None:
    report(str(registry.info(options.arguments[0])))


COMMAND = Command(
    name="info",
    summary="what there is to know of an entry",
    text="""
Shows an entry's paper, data, licence, what it knows of labels, its networks and optimizers, its
published weights with their measured values, and how to train it.
""",
    arguments="NAME",
    run=_run,
    examples=("ganzoo info dcgan_mnist",),
)
