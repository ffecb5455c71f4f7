"""InfoGAN's experiment: its plan, what it measures, its tables; the runs take hours."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from ganzoo import builders, registry, weights
from ganzoo.config import dump
from tests import small

NARROW = {
    f"{player}.{key}": 2 for player in ("generator", "discriminator") for key in ("width", "hidden")
}


def plan(infogan):
    return infogan.planned(list(infogan.ROWS), infogan.WHOLE)


def line(run, *, agreement=0.5, lean=0.8):
    config = run.config()
    shapes = {"slant": lean, "stroke width": 0.1, "mass": -0.2}
    other = {"slant": 0.3, "stroke width": -0.9, "mass": 0.1}
    return {
        "row": run.row, "column": run.column, "seed": run.seed,
        "scores": {"fcd": 12.34}, "config": config.hash, "steps": config.training.steps,
        "seconds": 600.0, "machine": "a machine", "agreement": agreement,
        "information": {"digit": 2.2, "rotation": 1.0, "width": -0.5},
        "correlations": {"rotation": shapes, "width": other},
        "within": {"rotation": other, "width": shapes},
    }  # fmt: skip


def test_three_seeds_of_each_data_set_and_one_of_each_ablation_are_planned(script):
    runs = plan(script("infogan"))
    seeds = {}
    for run in runs:
        seeds.setdefault((run.row, run.column), []).append(run.seed)
    assert seeds.pop(("infogan", "mnist")) == seeds.pop(("infogan", "fashion_mnist")) == [0, 1, 2]
    assert {row for row, _ in seeds} == {"generator without information", "no information"}
    assert set(map(tuple, seeds.values())) == {(0,)} and len(seeds) == 2
    assert len({run.config().hash for run in runs}) == len(runs)


def test_the_entries_own_runs_are_those_of_ganzoo_train(script):
    entry = registry.entry("infogan_mnist")
    assert entry.hash in [
        run.config().hash
        for run in plan(script("infogan"))
        if (run.row, run.column, run.seed) == ("infogan", "mnist", entry.training.seed)
    ]


def test_ablations_take_the_term_from_the_generator_or_from_both(script):
    assert registry.entry("infogan_mnist").gan.options["continuous_weight"] > 0
    weights_of = {
        run.row: {
            key: value for key, value in run.config().gan.options.items() if key.endswith("_weight")
        }
        for run in plan(script("infogan"))
    }
    own = weights_of["infogan"]
    every = ("categorical_weight", "continuous_weight", "final_continuous_weight")
    assert weights_of == {
        "infogan": own,
        "generator without information": {**own, "generator_weight": 0},
        "no information": dict.fromkeys(every, 0),
    }


# -- what is measured ------------------------------------------------------------------------


class Bars:
    """A generator of bars: the class is a renamed code, one code leans, the other widens."""

    codes = {"digit": range(3), "lean": (-1.0, 1.0), "width": (2.0, 6.0)}

    def generate(self, *, seed, codes):
        images = np.zeros((len(codes["digit"]), 28, 28, 1), np.uint8)
        for image, lean, width in zip(images, codes["lean"], codes["width"], strict=True):
            for row in range(12):
                left = 14 + round(-0.6 * lean * (row - 6))
                image[8 + row, left : left + round(width)] = 255
        images[:, 0, 0, 0] = (codes["digit"] + 1) % 3  # seen by `Judge` alone
        return images

    def information(self, images, codes):
        return {name: float(len(values)) for name, values in codes.items()}


class Judge:
    name, channels, dimension, classes = "judge", (1,), 1, 3

    def __call__(self, images):
        return np.zeros((len(images), 1), np.float32), np.eye(3)[images[:, 0, 0, 0]]


def test_it_measures_what_codes_do(script):
    found = script("infogan_worker").measured(Bars(), Judge(), count=600)
    assert found["agreement"] == 1 and found["matching"] == {0: 1, 1: 2, 2: 0}
    assert found["information"] == {"digit": 600, "lean": 600, "width": 600}
    for kind in ("correlations", "within"):
        lean, width = found[kind]["lean"], found[kind]["width"]
        assert lean["slant"] > 0.97 and width["stroke width"] > 0.8 and width["mass"] > 0.95
        assert abs(lean["mass"]) < 0.15 and abs(width["slant"]) < 0.15
    json.dumps(found)


# -- trained runs ----------------------------------------------------------------------------


def workdir(folder, gan, config):
    folder.mkdir()
    (folder / "config.yaml").write_text(dump(config))
    (folder / "card.json").write_text(json.dumps({"trained": {"seconds": 77}}))
    weights.write(folder / "final.safetensors", weights.collect(gan), {})


def test_a_run_that_is_done_is_read_and_not_trained_again(script, tmp_path, monkeypatch):
    infogan, worker = script("infogan"), script("infogan_worker")
    monkeypatch.setattr(infogan, "SHARED", {**infogan.SHARED, **NARROW})
    run = plan(infogan)[1]
    config = run.config()
    gan, other = builders.build(config), builders.build(config)
    for variable in gan.discriminator.weights:
        variable.assign(variable + 0.25)
    workdir(tmp_path / "run", gan, config)
    options = SimpleNamespace(workdirs=[str(tmp_path / "run")], seeds=3, columns=["mnist"])
    settings = infogan.trained(options)
    runner = worker.CodesRunner.__new__(worker.CodesRunner)  # threads are set by now
    runner.done = settings["done"]
    runner.train(other, config)
    for a, b in zip(small.values(gan.discriminator), small.values(other.discriminator),
                    strict=True):  # fmt: skip
        np.testing.assert_allclose(a, b, atol=2e-3)
    monkeypatch.setattr(script("run_worker").Runner, "run", lambda *a: {"seconds": 0.1})
    assert runner.run(run.entry, dict(run.overrides), run.seed) == {"seconds": 77}
    assert runner.run(run.entry, dict(run.overrides), 2) == {"seconds": 0.1}


def test_published_weights_are_taken_for_the_run_that_they_are(script, monkeypatch):
    infogan, entry = script("infogan"), registry.entry("infogan_mnist")
    done = infogan.trained(SimpleNamespace(workdirs=[], **vars(infogan.WHOLE)))["done"]
    found = [one for one in plan(infogan) if script("infogan_worker").key(one.config()) in done]
    places = [(run.row, run.column, run.seed) for run in found]
    assert ("infogan", "mnist", entry.training.seed) in places
    assert {
        "weights": "infogan_mnist",
        "seconds": weights.card("infogan_mnist").trained["seconds"],
    } in [*done.values()]


@pytest.mark.parametrize("kind", ["other", "unfinished"])
def test_a_folder_of_no_such_run_is_refused(script, tmp_path, kind):
    config = registry.entry("infogan_mnist", {"training.steps": 5})
    (tmp_path / "config.yaml").write_text(dump(config))
    if kind == "other":
        (tmp_path / "card.json").write_text("{}")
        (tmp_path / "final.safetensors").write_text("")
    infogan = script("infogan")
    options = SimpleNamespace(workdirs=[str(tmp_path)], **vars(infogan.WHOLE))
    told = "none of these runs: infogan_mnist, seed 1, 5 steps" if kind == "other" else "no final"
    with pytest.raises(script("workers").Problem, match=told):
        infogan.trained(options)


# -- tables ----------------------------------------------------------------------------------


def test_the_tables_have_every_seed_and_mark_the_best_pairs(script, tmp_path):
    infogan, runs_module = script("infogan"), script("runs")
    results = runs_module.Results(tmp_path / "r.jsonl")
    for run in plan(infogan):
        if run.column == "mnist":
            results.add(line(run, agreement=0.9 + 0.01 * run.seed))
    text = "\n".join(infogan.report(results))
    rows = [[c.strip() for c in one.strip("|").split("|")] for one in text.splitlines()
            if one.startswith("| infogan")]  # fmt: skip
    assert [row[:5] for row in rows[:3]] == [
        ["infogan", str(seed), f"{90 + seed:.1f}", "2.70", "2.20"] for seed in range(3)
    ]
    assert rows[3][2:6] == ["rotation", "**0.80**", "0.10", "**-0.20**"]
    assert rows[4][2:6] == ["width", "0.30", "**-0.90**", "0.10"]
    assert rows[4][6:] == ["0.80", "0.10", "-0.20"]
    assert "91.0 ± 1.0%, best 92.0%; largest correlations: slant 0.80, 0.80, 0.80" in text
    silent = next(one for one in text.splitlines() if one.startswith("| no information"))
    assert silent.count(" - ") == 4 and "## fashion_mnist" not in text


def test_lines_without_results_make_no_tables(script, tmp_path):
    infogan, runs_module = script("infogan"), script("runs")
    text = infogan.report(runs_module.Results(tmp_path / "none.jsonl"))
    assert not any(one.startswith(("| ", "## ")) for one in text)
