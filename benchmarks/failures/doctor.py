"""How many failures the doctor finds, and how often it raises a false alarm.

    python benchmarks/failures/doctor.py             all runs that are not recorded yet, the tables
    python benchmarks/failures/doctor.py --report    the tables alone

Trains small GANs, some with settings that are known to fail and some with settings that are known
to work (`doctor_runs.judged`), none of which the doctor's thresholds were set on. What each run is
counted as is measured at its end without the doctor (`doctor_truth`): what was planted, and did not
come up, is not counted as a failure. Each run is recorded in `results/doctor.jsonl` as it ends; one
that stands there is not done again.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a script's own folder comes first

import command
import doctor_runs
import runs
from absl import flags
from runs import Results, Run

KINDS = ("vanishing_gradients", "mode_collapse", "non_convergence", "divergence")
WORDS = {kind: kind.replace("_", " ") for kind in (*KINDS, "healthy", "unclear", "nothing")}


def found(line: dict[str, Any]) -> str:
    """Returns what the doctor said of a run, `"nothing"` if it saw no failure."""
    return line["found"][0] if line["found"] else "nothing"


def counts(lines: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Returns how many failed, of them were found and named; were healthy, gave alarms; neither."""
    told = Counter()
    for line in lines:
        alarm = bool(line["found"])
        if line["truth"] in KINDS:
            told.update(failed=1, found=alarm, named=found(line) == line["truth"])
        elif line["truth"] == "healthy":
            told.update(healthy=1, alarms=alarm)
        else:
            told.update(unclear=1)
    return {key: told[key] for key in ("failed", "found", "named", "healthy", "alarms", "unclear")}


def report(results: Results, planned: Sequence[Run]) -> list[str]:
    """Returns the tables."""
    recorded = results.recorded(planned)
    lines = [
        one
        for run in planned
        for one in recorded.of(run.row, run.column)
        if one["seed"] == run.seed
    ]
    told = counts(lines)
    hours = sum(one["seconds"] for one in lines) / 3600
    machines = "; ".join(sorted({one["machine"] for one in lines}))
    text = [
        "# The doctor, on runs that it was not tuned on",
        "",
        f"`python benchmarks/failures/doctor.py`; {len(lines)} of {len(planned)} runs done, "
        f"{hours:.1f} hours one after the other{recorded.told}; {machines}",
        "",
    ]
    text += [
        f"{told['failed']} runs failed: the doctor finds {_share(told['found'], told['failed'])} "
        f"of them, and names {_share(told['named'], told['failed'])} rightly.",
        f"{told['healthy']} runs are healthy: it raises a false alarm in "
        f"{_share(told['alarms'], told['healthy'])} of them.",
        f"{told['unclear']} runs are neither, and count in no figure above.",
        "",
        *_confusion(lines),
        "",
        "What became of a run, by samples of its last 30%: *error* is the energy distance from",
        "the data, *wander* that between two of 12 times, both over the data's own; *kept* the",
        "share of modes or classes with a fifth of their due; *gradient* the root mean square of",
        "the generator's, *fallen* that over the one at the beginning. The doctor looks 20 times a",
        "run, at fixed steps, so that a run can be repeated: more than its budget of 3% allows in",
        "runs of seconds, and less than it allows in one of minutes.",
        "",
        *_list(lines),
    ]
    return text


def _share(part: int, whole: int) -> str:
    return f"{part} ({100 * part / whole:.0f}%)" if whole else f"{part}"


def _confusion(lines: Sequence[dict[str, Any]]) -> list[str]:
    """What the doctor said, by what became of the run."""
    said = Counter((one["truth"], found(one)) for one in lines)
    columns = (*KINDS, "nothing")
    rows = [
        [WORDS[truth], *(said[truth, one] or "" for one in columns)]
        for truth in (*KINDS, "healthy", "unclear")
        if any(truth == other for other, _ in said)
    ]
    header = ["became \\ the doctor said", *(WORDS[one] for one in columns)]
    return command.table(header, rows).splitlines()


def _list(lines: Sequence[dict[str, Any]]) -> list[str]:
    header = ["planted", "data", "seed", "error", "wander", "kept", "gradient", "fallen", "became",
              "the doctor said", "since step", "of"]  # fmt: skip
    keys = ("error", "wander", "kept", "gradient", "fallen")
    rows = [
        [
            one["row"],
            one["column"],
            one["seed"],
            *(f"{one['scores'][key]:.2g}" if key in one["scores"] else "-" for key in keys),
            WORDS[one["truth"]],
            WORDS[found(one)],
            one["since"][0] if one["since"] else "",
            one["steps"],
        ]
        for one in lines
    ]
    return command.table(header, rows).splitlines()


def train(planned: Sequence[Run], results: Results, options: SimpleNamespace) -> None:
    """Does the runs that are missing, one after the other."""
    import doctor_worker
    from tqdm import tqdm

    waiting = results.missing(planned)
    patient = doctor_worker.Patient(options.threads, options.data_dir)
    for run in tqdm(waiting, unit="run", dynamic_ncols=True):
        line = patient.run(run.entry, dict(run.overrides), run.seed)
        results.add({"row": run.row, "column": run.column, "seed": run.seed, **line})
        told = f"{run.row}, {run.column}: became {WORDS[line['truth']]}, said {WORDS[found(line)]}"
        tqdm.write(f"{told} ({line['seconds']:.0f} s)")


def main(arguments: Sequence[str]) -> None:
    """Does the missing runs and writes the tables."""

    def define(values: flags.FlagValues) -> None:
        flags.DEFINE_integer("seed", 0, "Added to the seed of every run.", 0, flag_values=values)
        flags.DEFINE_integer("threads", 1, "Threads of a run.", 1, flag_values=values)
        flags.DEFINE_string("results", None, "Folder of results.", flag_values=values)
        flags.DEFINE_string("data_dir", None, "Folder searched for data.", flag_values=values)
        flags.DEFINE_boolean("report", False, "Write the tables alone.", flag_values=values)

    options = command.parse(__doc__, define, arguments)
    planned = doctor_runs.judged(options.seed)
    results = Results(runs.folder(options) / "doctor.jsonl")
    if not options.report:
        train(planned, results, options)
    runs.write(runs.folder(options) / "doctor.md", report(results, planned))
    command.record(options, {"results": results.recorded(planned).lines})


if __name__ == "__main__":
    command.run(main)
