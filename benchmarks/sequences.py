"""Discrete outputs: Gumbel-softmax and REINFORCE on texts whose rules are known, over three seeds.

    python benchmarks/sequences.py                    all that is not recorded yet, then the table
    python benchmarks/sequences.py --rows=reinforce   some rows
    python benchmarks/sequences.py --report           the table alone

Every row trains the entries' networks on `dates` (days of two centuries) and on `arithmetic` (sums,
differences and products of two digits), and is scored by 10,000 texts: the share that is valid, how
many different valid ones there are, and the share of the valid that the training texts do not hold.
Each run is recorded in `results/sequences.jsonl` as it ends; one that stands there is not done
again.
"""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import command
import numpy as np
import runs
from command import table
from runs import Run, spread

WHOLE = SimpleNamespace(seeds=3)
COLUMNS = ("dates", "arithmetic")
METRICS = ("validity", "distinct", "novelty")
TEXTS = 10_000

# estimator -> entry before `_<column>`, and what it changes there
ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "gumbel_softmax, straight through": ("gumbel", {}),
    "gumbel_softmax, soft": ("gumbel", {"gan.straight_through": False}),
    "reinforce": ("reinforce", {}),
    "reinforce, no baseline": ("reinforce", {"gan.baseline_decay": 0.0}),
    "reinforce, reward D(x)": ("reinforce", {"gan.reward": "probability"}),
}


def planned(rows: Sequence[str], options: SimpleNamespace) -> list[Run]:
    """Returns all runs, seed by seed."""
    return [
        Run(row, column, f"{ROWS[row][0]}_{column}", seed, ROWS[row][1])
        for seed in range(options.seeds)
        for column in COLUMNS
        for row in rows
    ]


def independent(column: str) -> dict[str, float]:
    """Returns the scores of texts whose characters are drawn for themselves.

    Each position has the training texts' own frequencies: what a generator has that knows nothing
    of how characters go together.
    """
    from ganzoo.data.languages import LANGUAGES
    from ganzoo.metrics import texts

    language = LANGUAGES[column]
    known = language.split("train")
    tokens, rng = language.encode(known), np.random.default_rng(0)
    drawn = np.stack([rng.choice(place, TEXTS) for place in tokens.T], axis=1)
    some = language.decode(drawn)
    return {
        "validity": texts.validity(some, language.valid),
        "distinct": texts.distinct(some, language.valid),
        "novelty": texts.novelty(some, known, language.valid),
    }


def report(results: runs.Results) -> list[str]:
    """Returns the tables."""
    recorded = results.recorded(planned(list(ROWS), WHOLE))
    lines = runs.heading(
        "Discrete outputs",
        "python benchmarks/sequences.py",
        recorded,
    )
    lines += [
        f"{TEXTS:,} texts of the generator's moving average, their tokens drawn; mean ± standard",
        "deviation over the seeds. Characters for themselves: each position drawn from the",
        "training texts' frequencies there. Distinct: different valid texts. Novelty: share of the",
        "valid that are none of the training texts, which lack a fifth of the language. Below each",
        "table stand texts of seed 0, struck out where they are not valid.",
        "",
    ]
    for column in COLUMNS:
        rows = [_row(row, recorded.of(row, column)) for row in ROWS if recorded.of(row, column)]
        alone = independent(column)
        rows.append(["characters for themselves", *_cells([alone]), "", ""])
        header = [column, "valid, %", "distinct", "novelty, %", "without average: valid, %",
                  "minutes a run"]  # fmt: skip
        lines += [table(header, rows), "", *_texts(recorded, column)]
    return lines


def _texts(recorded: runs.Recorded, column: str) -> list[str]:
    """Returns the first texts of seed 0 of each row; those that are not valid are struck out."""
    from ganzoo.data.languages import LANGUAGES

    found = []
    for row in ROWS:
        for line in recorded.of(row, column):
            marked = (
                f"`{text}`" if LANGUAGES[column].valid(text) else f"~~`{text}`~~"
                for text in line.get("texts", [])
            )
            found += [f"- {row}: " + ", ".join(marked)] if "texts" in line else []
    return [*found, ""] if found else []


def _row(row: str, found: list[dict[str, Any]]) -> list[str]:
    return [
        row,
        *_cells([one["scores"] for one in found]),
        spread([100 * one["without_average"]["validity"] for one in found]),
        spread([one["seconds"] / 60 for one in found]),
    ]


def _cells(scores: Sequence[dict[str, float]]) -> list[str]:
    valid, distinct, novelty = ([one[name] for one in scores] for name in METRICS)
    shares = [spread([100 * one for one in values]) for values in (valid, novelty)]
    return [shares[0], spread(distinct, 0), shares[1]]


def main(arguments: Sequence[str]) -> None:
    """Does the missing runs and writes the tables."""
    runs.experiment(
        "sequences", __doc__, rows=ROWS, plan=planned, report=report, arguments=arguments
    )


if __name__ == "__main__":
    command.run(main)
