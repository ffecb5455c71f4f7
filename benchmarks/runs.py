"""Many training runs side by side, each recorded as it ends: what the experiments share.

A run is a config, a seed and what it is scored by. Results are lines of JSON in a file that is
committed; a run that stands there is not done again, so an experiment can be stopped at any time.
"""

import json
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import command
from absl import flags
from tqdm import tqdm
from workers import Problem, Worker

RESULTS = Path(__file__).with_name("results")


@dataclass(frozen=True)
class Run:
    """One training run.

    Args:
        row: Row of the table that it belongs to.
        column: Column, a data set say.
        entry: Entry of the zoo whose config it starts from.
        overrides: Changes to that config, of dotted keys.
        seed: Seed of weights, latents and order of the data.
    """

    row: str
    column: str
    entry: str
    seed: int
    overrides: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, int]:
        return self.row, self.column, self.seed

    def config(self) -> Any:
        """Returns the whole config, checked."""
        from ganzoo import registry

        return registry.entry(self.entry, {**self.overrides, "training.seed": self.seed})

    def gave(self, line: Mapping[str, Any]) -> bool:
        """Whether a line was recorded with this config, of this seed, for as many steps."""
        config = self.config()
        return (line["config"], line["steps"]) == (config.hash, config.training.steps)


def objective(name: str, **options: Any) -> dict[str, Any]:
    """Returns the change of a config to another class of GAN."""
    return {"gan": {"class": name, **options}}


def by_seed(
    rows: Iterable[str],
    changes: Mapping[str, Mapping[str, Any]],
    *,
    entry: str,
    column: str,
    shared: Mapping[str, Any],
    seeds: int,
) -> list[Run]:
    """Returns all runs, seed by seed, so that a table that is not full has every row."""
    return [
        Run(row, column, entry, seed, {**shared, **changes[row]})
        for seed in range(seeds)
        for row in rows
    ]


def define(values: flags.FlagValues, *, seeds: int) -> None:
    """Adds the flags that all experiments share."""
    flags.DEFINE_list("rows", [], "Rows to run, by default all.", flag_values=values)
    flags.DEFINE_integer("seeds", seeds, "Seeds of each row: 0, 1, ...", 1, flag_values=values)
    flags.DEFINE_integer("workers", 2, "Runs side by side.", 1, flag_values=values)
    flags.DEFINE_integer("threads", 1, "Threads of each run.", 1, flag_values=values)
    flags.DEFINE_string("results", None, "Folder of results.", flag_values=values)
    flags.DEFINE_string("data_dir", None, "Folder searched for data first.", flag_values=values)
    flags.DEFINE_float("minutes", 0, "Begin no run after so many; 0: no limit.", 0,
                       flag_values=values)  # fmt: skip
    flags.DEFINE_boolean("report", False, "Write the table alone.", flag_values=values)


def folder(options: SimpleNamespace) -> Path:
    """Returns the folder that --results names, by default the one beside the commands."""
    return Path(options.results) if options.results else RESULTS


def chosen(rows: Iterable[str], options: SimpleNamespace) -> list[str]:
    """Returns the rows that --rows names.

    Raises:
        Problem: If there is no such row.
    """
    from ganzoo.errors import closest

    rows = list(rows)
    for name in options.rows:
        if name not in rows:
            raise Problem(f"--rows: there is no row {name!r}{closest(name, rows)}")
    return [row for row in rows if not options.rows or row in options.rows]


@dataclass(frozen=True)
class Recorded:
    """The lines that a table may rest on: all are of the recipes that are planned today.

    Args:
        lines: By row, column and seed.
        planned: The plan.
        left_out: Lines of other configs, which an earlier plan had.
    """

    lines: Sequence[Mapping[str, Any]]
    planned: Sequence[Run]
    left_out: int

    def of(self, row: str, column: str) -> list[Mapping[str, Any]]:
        """Returns the lines of a row and column, by seed."""
        return [one for one in self.lines if (one["row"], one["column"]) == (row, column)]

    @property
    def told(self) -> str:
        """How many lines are left out, to be added to a heading; empty if there is none."""
        lines = "line" if self.left_out == 1 else "lines"
        return f", {self.left_out} older {lines} left out" if self.left_out else ""


class Results:
    """The runs that are done, in a file of JSON lines.

    Args:
        path: The file.
    """

    def __init__(self, path: Path):
        self.path = path
        self._lock = threading.Lock()
        lines = path.read_text().splitlines() if path.exists() else []
        self._lines = {
            (one["row"], one["column"], one["seed"]): one for one in map(json.loads, lines)
        }

    def missing(self, runs: Iterable[Run]) -> list[Run]:
        """Returns the runs that are not done, or were done by another config."""
        return [run for run in runs if not self._has(run)]

    def _has(self, run: Run) -> bool:
        line = self._lines.get(run.key)
        return line is not None and run.gave(line)

    def recorded(self, planned: Sequence[Run]) -> Recorded:
        """Returns the lines of planned recipes, of whatever seed, and those without a config.

        A line without a config is of several runs together.
        """
        recipes: dict[tuple[str, str], list[Run]] = {}
        for run in planned:
            recipes.setdefault((run.row, run.column), []).append(run)
        ordered = [line for _, line in sorted(self._lines.items())]
        kept = [line for line in ordered if _fits(line, recipes)]
        return Recorded(kept, planned, len(ordered) - len(kept))

    def add(self, line: dict[str, Any]) -> None:
        """Records a run; lines stay in order, so that a diff shows what is new."""
        with self._lock:
            self._lines[line["row"], line["column"], line["seed"]] = line
            ordered = [self._lines[key] for key in sorted(self._lines)]
            self.path.parent.mkdir(parents=True, exist_ok=True)
            aside = self.path.with_name(f"partial-{self.path.name}")
            aside.write_text("".join(json.dumps(one) + "\n" for one in ordered))
            os.replace(aside, self.path)


def _fits(line: Mapping[str, Any], recipes: Mapping[tuple[str, str], Sequence[Run]]) -> bool:
    runs = recipes.get((line["row"], line["column"]), ())
    return not line["config"] or any(replace(run, seed=line["seed"]).gave(line) for run in runs)


def run_all(
    runs: Sequence[Run],
    results: Results,
    options: SimpleNamespace,
    *,
    script: str = "run_worker.py",
    more: Mapping[str, Any] | None = None,
) -> None:
    """Does the runs that are missing, `--workers` at a time, and shows progress.

    Args:
        runs: All runs.
        results: Those that are done, and where others are added.
        options: The flags.
        script: The worker's.
        more: What it is given beside `threads` and `data_dir`.

    Raises:
        Problem: If a worker fails.
    """
    waiting = results.missing(runs)
    lock, start, problems = threading.Lock(), time.monotonic(), []
    bar = tqdm(total=len(runs), initial=len(runs) - len(waiting), unit="run", dynamic_ncols=True)

    def late() -> bool:
        return bool(options.minutes) and time.monotonic() - start > 60 * options.minutes

    def work() -> None:
        settings = {"threads": options.threads, "data_dir": options.data_dir, **(more or {})}
        with Worker(script, settings) as worker:
            worker.ready()
            while not problems and not late():
                with lock:
                    if not waiting:
                        return
                    run = waiting.pop(0)
                found = worker.call("run", entry=run.entry, overrides=dict(run.overrides),
                                    seed=run.seed)  # fmt: skip
                results.add({"row": run.row, "column": run.column, "seed": run.seed, **found})
                told = ", ".join(f"{k} {v:.4g}" for k, v in found["scores"].items())
                bar.write(
                    f"{run.row}, {run.column}, seed {run.seed}: {told} ({found['seconds']:.0f} s)"
                )
                bar.update()

    def guarded() -> None:
        try:
            work()
        except Problem as problem:
            problems.append(problem)

    threads = [threading.Thread(target=guarded, daemon=True) for _ in range(options.workers)]
    if waiting:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    bar.close()
    if problems:
        raise problems[0]


def experiment(
    name: str,
    text: str,
    *,
    rows: Iterable[str],
    plan: Callable[[Sequence[str], SimpleNamespace], list[Run]],
    report: Callable[[Results], list[str]],
    arguments: Sequence[str],
    seeds: int = 3,
    more: Callable[[flags.FlagValues], None] = lambda values: None,
    script: str = "run_worker.py",
    settings: Callable[[SimpleNamespace], Mapping[str, Any]] = lambda options: {},
    together: Callable[[Results, SimpleNamespace], None] = lambda results, options: None,
) -> tuple[SimpleNamespace, Results]:
    """Reads the flags, does the runs that are missing and writes the table.

    With --json, the recorded lines of the rows that the flags name are written too.

    Args:
        name: Of the files in the folder of results.
        text: What `--help` shows.
        rows: All rows.
        plan: From rows and options to runs.
        report: From results to the table's lines.
        arguments: The command line.
        seeds: Default of --seeds.
        more: Defines flags of its own.
        script: The worker's.
        settings: From the options to what the worker is given beside threads and data.
        together: Adds to the results what rests on several runs, after these are done.

    Returns:
        The options and the results.
    """

    def flag_definitions(values: flags.FlagValues) -> None:
        define(values, seeds=seeds)
        more(values)

    options = command.parse(text, flag_definitions, arguments)
    planned = plan(chosen(rows, options), options)
    results = Results(folder(options) / f"{name}.jsonl")
    if not options.report:
        run_all(planned, results, options, script=script, more=settings(options))
        together(results, options)
    write(folder(options) / f"{name}.md", report(results))
    command.record(options, {"results": results.recorded(planned).lines})
    return options, results


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Returns `mean +- std` of some values, the std over them with ddof 1."""
    if not values:
        return "-"
    mean = f"{statistics.fmean(values):.{digits}f}"
    return mean if len(values) < 2 else f"{mean} ± {statistics.stdev(values):.{digits}f}"


def heading(title: str, line: str, recorded: Recorded) -> list[str]:
    """Returns the first lines of a table: what it shows, its command, seeds, runs and machine."""
    places = dict.fromkeys((run.row, run.column) for run in recorded.planned)
    found = [one for place in places for one in recorded.of(*place)]
    seeds = sorted({one["seed"] for one in found})
    machines = sorted({one["machine"] for one in found})
    hours = sum(one["seconds"] for one in found) / 3600
    return [
        f"# {title}",
        "",
        f"`{line}`; seeds {', '.join(map(str, seeds))}; {_counted(found, recorded.planned)}, "
        f"{hours:.1f} hours one after the other{recorded.told}; {'; '.join(machines)}",
        "",
    ]


def _counted(found: Sequence[Mapping[str, Any]], planned: Sequence[Run]) -> str:
    """How many of the runs planned are done, and how many of seeds that the plan has not."""
    keys = {run.key for run in planned}
    done = sum((one["row"], one["column"], one["seed"]) in keys for one in found)
    more = f" and {len(found) - done} of other seeds" if len(found) > done else ""
    return f"{done} of {len(planned)} runs done{more}"


def write(path: Path, lines: Iterable[str]) -> None:
    """Writes a report and shows it."""
    text = "\n".join(lines) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    print(text)
    command.say(f"written to {path}")
