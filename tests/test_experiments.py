"""The experiments' plans, records and tables; the runs themselves take hours."""

import dataclasses
import json
import statistics
from types import SimpleNamespace

import numpy as np
import pytest

from ganzoo import builders, registry

EXPERIMENTS = ("modes", "stacked_mnist", "objectives")


def plan(script, name):
    module = script(name)
    options = SimpleNamespace(seeds=5 if name == "modes" else 3, columns=["ring", "grid"])
    return module.planned(list(module.ROWS), options)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_row_builds_and_differs_from_the_others(script, name):
    runs = [run for run in plan(script, name) if run.seed == 0]
    hashes, built = {}, set()
    for run in runs:
        narrow = dict(run.overrides)
        config = run.config()
        hashes.setdefault(config.hash, []).append(run.key)
        networks = repr((config.gan, config.generator, config.discriminator))
        if networks in built:  # on other data
            continue
        built.add(networks)
        if config.discriminator.name != "flatten_features":
            narrow["discriminator.width"] = 2
        gan = builders.build(registry.entry(run.entry, narrow | {"generator.width": 2}))
        assert gan.updates_per_batch == run.overrides["gan"].get("discriminator_steps", 1)
    assert all(len(keys) == 1 for keys in hashes.values()), hashes


def test_schedules_end_with_the_run_for_both_players(script):
    for run in plan(script, "modes"):
        config = run.config()
        steps = config.training.steps
        k = config.gan.options.get("discriminator_steps", 1)
        decays = {
            player: config.optimizers[player].options["learning_rate"]["decay_steps"]
            for player in ("generator", "discriminator")
        }
        assert decays == {"generator": steps, "discriminator": steps * k}


def test_named_rows_have_five_seeds_and_others_three(script):
    modes = script("modes")
    seeds = {}
    for run in plan(script, "modes"):
        seeds.setdefault((run.row, run.column), []).append(run.seed)
    for (row, _), found in seeds.items():
        assert found == list(range(5 if row in modes.FIVE else 3))


def line(run, **scores):
    config = run.config()
    return {
        "row": run.row,
        "column": run.column,
        "seed": run.seed,
        "scores": scores,
        "without_average": scores,
        "floors": scores,
        "config": config.hash,
        "steps": config.training.steps,
        "seconds": 60.0,
        "machine": "a machine",
        "finite": 1.0,
        "points": [[0.0, 1.0], [1.0, 0.0]],
    }


def test_a_recorded_run_is_not_done_again_unless_its_config_changes(script, tmp_path):
    runs_module, (run, other, *_) = script("runs"), plan(script, "modes")
    path = tmp_path / "r.jsonl"
    runs_module.Results(path).add(line(run, modes=8.0, high_quality=0.5))
    again = runs_module.Results(path)
    assert again.missing([run, other]) == [other]
    changed = runs_module.Run(run.row, run.column, run.entry, run.seed,
                              {**run.overrides, "generator.width": 64})  # fmt: skip
    assert again.missing([changed]) == [changed]
    longer = runs_module.Run(run.row, run.column, run.entry, run.seed,
                             {**run.overrides, "training.steps": 7})  # fmt: skip
    assert again.missing([longer]) == [longer]


def test_the_table_has_mean_and_deviation_over_the_seeds(script, tmp_path):
    modes, runs_module = script("modes"), script("runs")
    results = runs_module.Results(tmp_path / "r.jsonl")
    covered, quality = [8.0, 8.0, 5.0], [0.98, 0.95, 0.99]
    chosen = [r for r in plan(script, "modes") if (r.row, r.column) == ("lsgan", "ring")]
    for run, one, share in zip(chosen, covered, quality, strict=True):
        results.add(line(run, modes=one, high_quality=share))
    text = "\n".join(modes.report(results))
    row = next(one for one in text.splitlines() if one.startswith("| lsgan"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    percent = [100 * share for share in quality]
    assert cells[1:4] == [
        f"{statistics.mean(covered):.1f} ± {np.std(covered, ddof=1):.1f}",
        "2 of 3",
        f"{statistics.mean(percent):.1f} ± {np.std(percent, ddof=1):.1f}",
    ]
    assert "`python benchmarks/modes.py`; seeds 0, 1, 2; 3 of 258 runs done" in text
    assert "diverged" not in text
    lost = {**line(chosen[0], modes=0.0, high_quality=0.0), "finite": 0.0}
    results.add(lost)
    assert "lsgan (1 of 3 diverged)" in "\n".join(modes.report(results))
    assert modes.picture(results, "ring").size[0] > 176


def lsgan_on_the_ring(script):
    return [r for r in plan(script, "modes") if (r.row, r.column) == ("lsgan", "ring")]


def test_runs_of_another_recipe_are_left_out_of_the_table_and_counted(script, tmp_path):
    modes, runs_module = script("modes"), script("runs")
    results = runs_module.Results(tmp_path / "r.jsonl")
    first, *others = lsgan_on_the_ring(script)
    results.add(line(first, modes=8.0, high_quality=0.5))
    for run in others:  # of before the recipe changed
        results.add({**line(run, modes=1.0, high_quality=0.1), "config": "0" * 64})
    results.add({**line(first, modes=2.0, high_quality=0.2), "row": "a row of before"})
    text = "\n".join(modes.report(results))
    assert (
        "; seeds 0; 1 of 258 runs done, 0.0 hours one after the other, 3 older lines left" in text
    )
    row = next(one for one in text.splitlines() if one.startswith("| lsgan"))
    assert [cell.strip() for cell in row.strip("|").split("|")][1:3] == ["8.0", "1 of 1"]
    shorter = {**line(first, modes=1.0, high_quality=0.1), "steps": 7}
    results.add(shorter)
    assert "0 of 258 runs done" in "\n".join(modes.report(results))


def test_more_seeds_of_a_recipe_are_in_the_table(script, tmp_path):
    modes, runs_module = script("modes"), script("runs")
    results = runs_module.Results(tmp_path / "r.jsonl")
    first, *_ = lsgan_on_the_ring(script)
    for seed, covered in ((0, 8.0), (7, 6.0)):
        results.add(line(dataclasses.replace(first, seed=seed), modes=covered, high_quality=0.5))
    text = "\n".join(modes.report(results))
    assert "seeds 0, 7; 1 of 258 runs done and 1 of other seeds, 0.0 hours" in text
    assert "7.0 ± 1.4" in text and "left out" not in text


def test_what_rests_on_several_runs_has_no_config_and_stays(script, tmp_path):
    runs_module, (run, *_) = script("runs"), plan(script, "modes")
    results = runs_module.Results(tmp_path / "r.jsonl")
    results.add({**line(run, modes=8.0), "row": "together", "config": "", "steps": 0})
    recorded = results.recorded([run])
    assert len(recorded.of("together", run.column)) == 1 and not recorded.left_out


def test_a_run_is_trained_and_scored(script):
    worker = script("run_worker")
    runner = worker.Runner.__new__(worker.Runner)
    runner.threads, runner.data_dir, runner._evaluators = 1, None, {}
    changes = {"training.steps": 4, "generator.width": 4, "discriminator.width": 4}
    found = runner.run("non_saturating_ring", changes, 0)
    assert set(found["scores"]) == set(found["without_average"]) == {"modes", "high_quality"}
    assert found["steps"] == 4 and len(found["points"]) == 500
    assert found["floors"]["modes"] == 8 and found["floors"]["high_quality"] > 0.97
    assert json.loads(json.dumps(found)) == found
    assert "points" not in runner.run("non_saturating_ring", changes, 1)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_help_and_an_unknown_row(script, name, capsys):
    module = script(name)
    with pytest.raises(SystemExit) as done:
        module.main(["--help"])
    assert done.value.code == 0 and "--rows=" in capsys.readouterr().out
    with pytest.raises(script("workers").Problem, match="there is no row 'wgan_pg'"):
        module.main(["--rows=wgan_pg"])
