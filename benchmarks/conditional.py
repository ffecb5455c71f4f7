"""Whether conditional GANs make what they are asked for, and how varied each class is.

    python benchmarks/conditional.py --data_dir=DIR     all published entries, then the tables
    python benchmarks/conditional.py --rows=cgan_mnist --data_dir=DIR
    python benchmarks/conditional.py --report           the tables alone

Scores the published weights of each entry by 10,000 images asked for the labels of 10,000 real
ones. What real test images score stands beside. Results are recorded in
`results/conditional.json`; an entry whose weights stand there is not scored again. Of each entry
`results/conditional_NAME.png` shows 8 images a class, a class in each column.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import command
import runs
from absl import flags
from command import say, table

# entry -> the least accuracy that it has to reach
ROWS = {
    "cgan_mnist": 0.97,
    "acgan_mnist": 0.97,
    "acgan_fashion_mnist": 0.85,
    "projection_fashion_mnist": 0.85,
}
METRICS = ("fcd", "label_accuracy", "intra_fcd", "intra_ms_ssim")
MARGIN = 0.05  # by which a class's images may be more alike than real ones

Records = dict[str, dict[str, Any]]


def define(values: flags.FlagValues) -> None:
    """Adds the flags of this benchmark."""
    flags.DEFINE_list("rows", [], "Entries, by default all.", flag_values=values)
    flags.DEFINE_integer("images", 10_000, "Images of each.", 100, flag_values=values)
    flags.DEFINE_string("data_dir", None, "Folder searched for data first.", flag_values=values)
    flags.DEFINE_string("results", None, "Folder of results.", flag_values=values)
    flags.DEFINE_boolean("report", False, "Write the tables alone.", flag_values=values)


def main(arguments: Sequence[str]) -> None:
    """Scores what is not recorded yet and writes the tables."""
    options = command.parse(__doc__, define, arguments)
    path = runs.folder(options) / "conditional.json"
    records = json.loads(path.read_text()) if path.exists() else {}
    for name in [] if options.report else runs.chosen(ROWS, options):
        records |= _scored(name, records.get(name), options)
        _write(path, records)
    runs.write(path.with_suffix(".md"), report(records))
    command.record(options, {"results": records})


def _scored(name: str, known: dict[str, Any] | None, options: SimpleNamespace) -> Records:
    """An entry's scores with its published weights; none where it has no weights."""
    from ganzoo import weights

    cards = weights.cards()
    if name not in cards:
        say(f"{name} has no published weights: left out")
        return {}
    facts = {"sha256": cards[name].sha256, "images": options.images, "steps": cards[name].steps}
    if known and facts.items() <= known.items():
        return {name: known}
    import ganzoo
    from ganzoo import sheets, visualize

    gan = ganzoo.load(name)
    scores = ganzoo.evaluate(
        gan, metrics=METRICS, images=options.images, data_dir=options.data_dir
    ).to_dict()["scores"]
    picture = runs.folder(options) / f"conditional_{name}.png"
    visualize.save(sheets.samples(gan, seed=0), picture, columns=sheets.layout(gan)[1])
    return {name: {**facts, "machine": command.described(), "scores": scores}}


def _write(path: Path, records: Records) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"partial-{path.name}")
    aside.write_text(json.dumps(records, indent=1, sort_keys=True) + "\n")
    os.replace(aside, path)


def report(records: Records) -> list[str]:
    """Returns the tables: an entry in each row, then a class in each row of each entry."""
    found = {name: records[name] for name in ROWS if name in records}
    machines = sorted({one["machine"] for one in found.values()})
    images = sorted({f"{one['images']:,}" for one in found.values()})
    header = ["entry", "right class, %", "at least", "FCD", "FCD within a class",
              "MS-SSIM within a class", "most above real, one class"]  # fmt: skip
    lines = [
        "# Conditional GANs: the class that was asked for",
        "",
        f"`python benchmarks/conditional.py`; {len(found)} of {len(ROWS)} entries published; "
        f"{'; '.join(machines)}",
        "",
        f"{' or '.join(images) or 'No'} images of seed 0, asked for the labels of as many real",
        "training images; in brackets what real test images score. Right class: as the published",
        "classifier of the data says. MS-SSIM is the similarity of pairs of one class: it is as",
        f"varied as the real one where it is not more than {MARGIN} above it; the last column has",
        "the class that is furthest above.",
        "",
        table(header, [_row(name, one["scores"]) for name, one in found.items()]),
    ]
    for name, one in found.items():
        lines += ["", f"## {name}", "", *_classes(one["scores"])]
    return lines


def _row(name: str, scores: dict[str, Any]) -> list[str]:
    similar = scores["intra_ms_ssim"]
    above = {one: value - similar["floor_by_class"][one]
             for one, value in similar["by_class"].items()}  # fmt: skip
    worst = max(above, key=above.get)
    return [
        name,
        _beside_real(scores["label_accuracy"], 1, 100),
        f"{100 * ROWS[name]:.0f}",
        _beside_real(scores["fcd"], 2),
        _beside_real(scores["intra_fcd"], 2),
        _beside_real(similar, 3),
        f"{above[worst]:+.3f} ({worst})",
    ]


def _classes(scores: dict[str, Any]) -> list[str]:
    columns = (("label_accuracy", 1, 100), ("intra_fcd", 2, 1), ("intra_ms_ssim", 3, 1))
    rows = []
    for name in scores["label_accuracy"]["by_class"]:
        each = [
            _beside_real(
                {
                    "value": scores[metric]["by_class"][name],
                    "floor": scores[metric]["floor_by_class"][name],
                },
                *form,
            )
            for metric, *form in columns
        ]
        rows.append([name, *each])
    return [table(["class", "right class, %", "FCD", "MS-SSIM"], rows)]


def _beside_real(score: dict[str, Any], digits: int, factor: float = 1) -> str:
    value, floor = (f"{factor * score[key]:.{digits}f}" for key in ("value", "floor"))
    return f"{value} ({floor})"


if __name__ == "__main__":
    command.run(main)
