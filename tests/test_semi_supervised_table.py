"""The plan and the table of benchmarks/semi_supervised.py; its runs take hours."""

from types import SimpleNamespace

import numpy as np
import pytest


@pytest.fixture
def script(script):
    return script("semi_supervised")


def line(run, errors):
    config = run.config()
    own = {"row": run.row, "column": run.column, "seed": run.seed, "machine": "m"}
    scores = {"scores": {"test_errors": errors}, "seconds": 60.0}
    return {**own, **scores, "config": config.hash, "steps": config.training.steps}


def test_schedules_end_with_the_run_and_labels_alone_differ_by_a_weight(script):
    configs = {run.row: run.config() for run in script.planned(list(script.ROWS), script.WHOLE)}
    assert len({config.hash for config in configs.values()}) == 8
    for row, config in configs.items():
        rates = [config.optimizers[p].options["learning_rate"] for p in config.optimizers]
        assert {rate["decay_steps"] for rate in rates} == {config.training.steps}
        assert config.data.labelled == int(row.rpartition(" ")[2])
        alone = row.startswith(script.ALONE)
        assert config.gan.options.get("unlabelled_weight", 0.5) == (0.0 if alone else 0.5)


def test_100_labels_have_all_seeds_and_other_counts_one(script):
    found = {}
    for run in script.planned(list(script.ROWS), SimpleNamespace(seeds=4)):
        found.setdefault(run.row, []).append(run.seed)
    assert found["100"] == found["labels alone 100"] == [0, 1, 2, 3]
    assert found["20"] == found["50"] == found["200"] == found["labels alone 20"] == [0]


def test_every_row_can_be_named(script):
    def define(values):
        script.runs.define(values, seeds=3)

    for row in script.ROWS:
        given = script.command.parse("", define, [f"--rows={row}"])
        assert script.runs.chosen(script.ROWS, given) == [row]


def test_the_table_has_means_each_seeds_errors_and_the_ensembles(script, tmp_path):
    results = script.runs.Results(tmp_path / "x.jsonl")
    for run in script.planned(["100", "labels alone 100"], script.WHOLE):
        results.add(line(run, (90, 95, 103)[run.seed] + 2000 * (run.row != "100")))
    together = {"row": "ensemble, 100", "column": "mnist", "seed": 0, "seconds": 0}
    results.add({**together, "scores": {"test_errors": 84}, "config": "", "steps": 0})
    text = "\n".join(script.report(results))
    (row,) = [one for one in text.splitlines() if one.startswith("| 100 ")]
    cells = [one.strip() for one in row.split("|")]
    for cell in ("96.0 ± 6.6", "93 ± 6.5", "2096.0 ± 6.6", "90, 95, 103", "84", "3 and 3"):
        assert cell in cells
    assert "6 of 12 runs done" in text and "left out" not in text


def test_an_ensemble_can_be_right_where_most_of_its_models_are_wrong(script):
    sure, unsure = [[0.9, 0.1], [0.4, 0.6]], [[0.45, 0.55], [0.4, 0.6]]
    labels = np.array([0, 1])
    assert script.ensemble_errors([sure, unsure, unsure], labels) == 0
    assert script.ensemble_errors([unsure, unsure], labels) == 1
