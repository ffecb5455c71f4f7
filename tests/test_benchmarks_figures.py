"""`--json`: every benchmark that takes it writes the figures that its table rests on."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from ganzoo import weights


@pytest.fixture
def told(script, tmp_path):
    """Runs a benchmark with --json in a folder of its own; returns what the file holds."""

    def run(name, *words):
        path = tmp_path / "figures.json"
        script(name).main([*words, f"--json={path}"])
        found = json.loads(path.read_text())
        assert found["machine"]["cores"] and found["options"]["json"] == str(path)
        return found["results"]

    return run


def test_figures_become_what_json_has(script):
    found = {
        ("minimax", 0): np.array([1 + 2j, 3.0]),
        "far": [np.float32(0.5), np.inf, float("nan")],
        "counts": {10: np.int64(3), 100: None},
        "whole": np.arange(4).reshape(2, 2),
        "said": (True, "yes"),
    }
    plain = script("command").plain(found)
    assert json.loads(json.dumps(plain, allow_nan=False)) == {
        "minimax, 0": [[1, 2], [3, 0]],
        "far": [0.5, None, None],
        "counts": {"10": 3, "100": None},
        "whole": [[0, 1], [2, 3]],
        "said": [True, "yes"],
    }


def test_a_page_of_games_has_them(told, tmp_path):
    found = told("games/wells", f"--results={tmp_path}")["equilibria"]
    assert len(found) == 4 and sum(one["share"] for one in found) == pytest.approx(1)
    table = (tmp_path / "games_wells.md").read_text()
    for one in found:
        x, y = one["equilibrium"]
        row = next(line for line in table.splitlines() if line.startswith(f"| ({x:.3f}, {y:.3f})"))
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert cells[1:3] == [f"{loss:.3f}" for loss in one["losses"]]
        assert cells[4:6] == [f"{gain:.3f}" for gain in one["gains"]]


def test_an_experiment_has_the_lines_of_the_rows_named(script, told, tmp_path):
    modes, runs = script("modes"), script("runs")
    results = runs.Results(tmp_path / "modes.jsonl")
    for run in modes.planned(["lsgan", "hinge"], SimpleNamespace(seeds=1, columns=["ring"])):
        config = run.config()
        scores = {"modes": 8.0, "high_quality": 0.5}
        line = {"row": run.row, "column": run.column, "seed": run.seed, "scores": scores}
        line |= {"without_average": scores, "seconds": 1.0, "machine": "m", "finite": 1.0}
        line |= {"points": [[0.0, 1.0]], "steps": config.training.steps, "config": config.hash}
        results.add(line)
    words = ["--report", "--columns=ring", f"--results={tmp_path}"]
    found = told("modes", *words, "--rows=lsgan")
    assert [(one["row"], one["scores"]["modes"]) for one in found] == [("lsgan", 8)]
    assert {one["row"] for one in told("modes", *words)} == {"lsgan", "hinge"}


def test_what_several_runs_make_together_is_in_the_table_and_among_the_figures(script, tmp_path):
    runs, seen = script("runs"), []

    def together(results, options):
        results.add({"row": "both", "column": "c", "seed": 0, "config": "", "steps": 0})

    def report(results):
        seen.extend(results.recorded([]).of("both", "c"))
        return []

    runs.experiment(
        "x", "", rows=["a"], plan=lambda rows, options: [], report=report, together=together,
        arguments=[f"--results={tmp_path}", f"--json={tmp_path / 'f.json'}"],
    )  # fmt: skip
    (line,) = json.loads((tmp_path / "f.json").read_text())["results"]
    assert seen == [line] and line["row"] == "both"


def test_the_doctors_runs_are_among_them(script, told, tmp_path):
    (run, *_), runs = script("failures/doctor_runs").judged(), script("runs")
    config = run.config()
    line = {"row": run.row, "column": run.column, "seed": run.seed, "truth": "healthy"}
    line |= {"found": [], "since": [], "scores": {"error": 0.5}, "seconds": 1.0, "machine": "m"}
    line |= {"steps": config.training.steps, "config": config.hash}
    runs.Results(tmp_path / "doctor.jsonl").add(line)
    assert told("failures/doctor", "--report", f"--results={tmp_path}") == [line]


def test_scores_of_conditional_gans_are_among_them(told, monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "cards", dict)
    assert told("conditional", f"--results={tmp_path}") == {}


def test_accuracies_of_classifiers_are_among_them(script, told, monkeypatch):
    monkeypatch.setattr(script("classifiers"), "make", lambda *_, **options: 0.994)
    assert told("classifiers", "--names=mnist_classifier") == {"mnist_classifier": 0.994}


def test_figures_of_mode_collapse_are_those_of_its_steps(script):
    looks = [
        SimpleNamespace(step=step, modes=2, high_quality=0.5, points=np.eye(2, dtype="float32"))
        for step in (0, 500)
    ]
    collapse = script("failures/mode_collapse").figures({"a game": looks})
    assert [one["step"] for one in collapse["a game"]] == [0, 500]
    assert sum(collapse["a game"][1]["shares"]) == pytest.approx(1)


def test_figures_of_the_optimal_discriminator_are_those_of_its_frames(script):
    optimal = script("games/optimal_discriminator")
    shot = SimpleNamespace(error=0.1, from_half=0.2, distance=0.3)
    course = optimal.Course([(2, "both", shot)] * 4, [0, 1, 2, 3])
    found = optimal.figures(course)
    assert found["panels"] == dict(zip(optimal.TITLES, range(4), strict=True))
    assert found["frames"][0] == {"step": 2, "learns": "both", "error": 0.1, "from_half": 0.2,
                                  "distance": 0.3}  # fmt: skip
