"""The runs on which the doctor is judged: their plan, their truth, their tables."""

import dataclasses
import importlib
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from ganzoo import builders
from tests import small

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def room(script, monkeypatch):
    """Imports a module of benchmarks/failures by name."""
    script("runs")
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks" / "failures"))
    before = {}

    def load(name):
        import sys

        before.setdefault(name, None)
        found = importlib.import_module(name)
        assert Path(found.__file__).parent.name == "failures"
        monkeypatch.delitem(sys.modules, name)
        return found

    return load


def planned(room):
    module = room("doctor_runs")
    return module.judged(), module.tuning()


def test_at_least_thirty_runs_are_to_fail_ten_of_each_kind_and_thirty_are_not(room):
    judged, _ = planned(room)
    kinds = [run.row.partition(":")[0] for run in judged]
    for kind in ("vanishing", "collapse", "swinging"):
        assert kinds.count(kind) >= 10
    assert kinds.count("healthy") >= 30 and len(judged) - kinds.count("healthy") >= 30


def test_no_run_that_it_is_judged_on_was_tuned_on(room):
    judged, tuned = planned(room)
    assert len({run.seed for run in judged}) == len(judged)
    assert not {run.seed for run in judged} & {run.seed for run in tuned}
    assert not {run.config().hash for run in judged} & {run.config().hash for run in tuned}


@pytest.mark.slow
def test_every_run_builds(room):
    for run in [*planned(room)[0], *planned(room)[1]]:
        gan = builders.build(run.config(), strategy="cpu")
        assert gan.updates_per_batch == run.overrides["gan"].get("discriminator_steps", 1)


def test_the_energy_distance_is_scipys_on_a_line(room):
    truth = room("doctor_truth")
    rng = np.random.default_rng(0)
    first, second = rng.normal(0, 1, (200, 1)), rng.normal(1, 2, (150, 1))
    expected = stats.energy_distance(first[:, 0], second[:, 0]) / np.sqrt(2)
    assert truth.energy(first, second) == pytest.approx(expected, rel=1e-9)


def snapshots(*samples, gradients=(1.0,), first=1.0):
    return SimpleNamespace(samples=list(samples), gradients=list(gradients), first=first)


def test_the_truth_of_a_run_is_what_its_samples_do(room):
    truth = room("doctor_truth")
    rng = np.random.default_rng(0)
    centres = np.array([[-1.0], [0.0], [1.0]])

    def of(*modes, count=300):
        return rng.choice(centres[list(modes)], count) + 0.01 * rng.normal(size=(count, 1))

    def nearest(samples):
        distances = np.abs(samples - centres.T)
        return np.where(distances.min(axis=1) < 0.5, distances.argmin(axis=1), -1)

    def became(*samples, **own):
        return truth.judged(snapshots(*samples, **own), of(0, 1, 2), nearest, 3)["truth"]

    assert became(of(0, 1, 2), of(0, 1, 2)) == "healthy"
    assert became(of(0), of(0)) == "mode_collapse"
    assert became(of(0), of(2), of(0)) == "non_convergence"
    assert became(of(0), of(0), gradients=[1e-9]) == "vanishing_gradients"
    assert became(of(0), of(0), gradients=[1e-5], first=1.0) == "vanishing_gradients"
    assert became(of(0), np.full((300, 1), np.nan)) == "divergence"
    assert became(of(0, 1), of(0, 1)) == "unclear"


def line(truth, found, **own):
    return {
        "row": "r",
        "column": "c",
        "seed": 0,
        "truth": truth,
        "found": found,
        "since": [100] * len(found),
        "scores": {"error": 0.5, "wander": 0.1, "kept": 0.2, "gradient": 1e-3, "fallen": 0.5},
        "steps": 1000,
        "seconds": 1.0,
        "machine": "m",
        **own,
    }


def test_hits_and_false_alarms_are_counted_by_what_became_of_a_run(room):
    doctor = room("doctor")
    lines = [
        line("mode_collapse", ["mode_collapse"]),
        line("mode_collapse", ["non_convergence"]),
        line("vanishing_gradients", []),
        line("healthy", []),
        line("healthy", ["mode_collapse"]),
        line("unclear", ["mode_collapse"]),
    ]
    expected = {"failed": 3, "found": 2, "named": 1, "healthy": 2, "alarms": 1, "unclear": 1}
    assert doctor.counts(lines) == expected


def test_the_tables_show_rates_confusion_and_every_run(room, tmp_path):
    doctor, runs = room("doctor"), importlib.import_module("runs")
    plan = room("doctor_runs").judged()[:3]
    plan[1] = dataclasses.replace(plan[0], seed=plan[1].seed)  # another seed of the same row
    results = runs.Results(tmp_path / "doctor.jsonl")
    for run, truth, found in zip(
        plan,
        ("mode_collapse", "healthy", "vanishing_gradients"),
        (["mode_collapse"], [], ["mode_collapse"]),
        strict=True,
    ):
        config = run.config()
        own = {"row": run.row, "column": run.column, "seed": run.seed}
        own |= {"config": config.hash, "steps": config.training.steps}
        results.add(line(truth, found, **own))
    text = "\n".join(doctor.report(results, plan))
    assert "2 runs failed: the doctor finds 2 (100%) of them, and names 1 (50%) rightly." in text
    assert "1 runs are healthy: it raises a false alarm in 0 (0%) of them." in text
    assert "3 of 3 runs done" in text
    rows = [row for row in text.splitlines() if row.startswith("| vanishing:")]
    assert len(rows) == 3 and "mode collapse" in rows[0] and "nothing" in rows[1]
    results.add(line("healthy", [], **{**own, "config": "of before"}))
    text = "\n".join(doctor.report(results, plan))
    assert "2 of 3 runs done, 0.0 hours one after the other, 1 older line left out; m" in text


RUN = """
import json, sys
sys.path[:0] = ["benchmarks/failures", "benchmarks"]
import doctor_runs, doctor_worker
run = doctor_runs.run("x", "line", seed=3, g=doctor_runs.sgd(1e-7), d=1e-7, steps=1000)
found = doctor_worker.Patient(1, None).run(run.entry, dict(run.overrides), run.seed)
print(json.dumps({**found, "expected": run.config().hash}))
"""


@pytest.mark.slow
def test_a_run_is_trained_measured_and_diagnosed():
    found = json.loads(small.run_script(RUN).splitlines()[-1])
    assert found["looks"] == 20 and found["truth"] != "healthy" and found["found"]
    assert found["config"] == found["expected"] and found["steps"] == 1000
