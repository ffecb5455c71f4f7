"""`ganzoo list`: the entries of the zoo, as a table."""

from types import SimpleNamespace

from absl import flags

from ganzoo import registry
from ganzoo.commands.command import Command, report
from ganzoo.errors import closest
from ganzoo.labels import kind_of

# In a column's width.
_LABELS = {"unconditional": "-", "trained with labels": "in training"}


def _define(values: flags.FlagValues) -> None:
    flags.DEFINE_boolean(
        "pretrained", False, "Only entries with published weights.", flag_values=values
    )


def _run(options: SimpleNamespace) -> None:
    pattern = options.arguments[0] if options.arguments else "*"
    names = registry.list_models(pattern, pretrained=True if options.pretrained else None)
    if not names:
        if not registry.list_models(pattern):
            raise ValueError(f"No entry matches {pattern!r}{_nearest(pattern)}")
        raise ValueError(f"No entry that matches {pattern!r} has published weights.")
    published = set(registry.list_models(pretrained=True))
    rows = [("NAME", "DATA", "SIZE", "WEIGHTS", "LABELS", "SUMMARY")]
    for name in names:
        config = registry.entry(name)
        size = f"{config.data.image_size}px" if config.data.image_size else "-"
        weights = "yes" if name in published else "-"
        kind = kind_of(config.gan.name)
        row = (config.data.dataset, size, weights, _LABELS.get(kind, kind), config.summary)
        rows.append((name, *row))
    report(_table(rows))


def _nearest(pattern: str) -> str:
    return closest(pattern, registry.list_models()) or "; `ganzoo list` names all."


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join(lines)


COMMAND = Command(
    name="list",
    summary="the entries of the zoo, as a table",
    text="""
Lists the entries of the zoo, or those whose name matches a pattern. Those whose labels are
`conditional` make images of the class that is asked for.
""",
    arguments="[PATTERN]",
    define=_define,
    run=_run,
    examples=("ganzoo list", "ganzoo list 'dcgan_*' --pretrained"),
)
