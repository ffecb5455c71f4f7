"""The benchmark of discrete outputs, and its entries: their runs, their table, their characters."""

import json

import pytest

from ganzoo import registry
from ganzoo.data.languages import LANGUAGES


def test_runs_differ_and_change_what_their_rows_say(script):
    module = script("sequences")
    runs = module.planned(list(module.ROWS), module.WHOLE)
    assert len(runs) == 5 * 2 * 3 and len({run.config().hash for run in runs}) == 30
    for run in runs:
        config = run.config()
        assert config.data.dataset == run.column
        assert config.gan.name == run.row.split(",")[0]
    soft = next(run for run in runs if "soft" in run.row.split(", "))
    assert soft.config().gan.options["straight_through"] is False


def test_the_table_has_mean_and_deviation_of_the_runs(script, tmp_path):
    module, shared = script("sequences"), script("runs")
    results = shared.Results(tmp_path / "r.jsonl")
    runs = {run.key: run for run in module.planned(list(module.ROWS), module.WHOLE)}
    for seed, share in enumerate((0.5, 0.7, 0.9)):
        config = runs["reinforce", "dates", seed].config()
        scores = {"validity": share, "distinct": 100 * seed, "novelty": 0.25}
        line = {"row": "reinforce", "column": "dates", "seed": seed, "scores": scores}
        line |= {"without_average": {**scores, "validity": 0.5}, "seconds": 60.0}
        line |= {"texts": ["2000-02-29", "1900-02-29"]} if seed == 0 else {}
        line |= {"steps": config.training.steps, "config": config.hash}
        results.add({**line, "machine": "m"})
    rows = "\n".join(module.report(results)).splitlines()
    row = next(one for one in rows if one.startswith("| reinforce "))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1:] == ["70.0 ± 20.0", "100 ± 100", "25.0 ± 0.0", "50.0 ± 0.0", "1.0 ± 0.0"]
    assert "- reinforce: `2000-02-29`, ~~`1900-02-29`~~" in rows


def test_characters_for_themselves_are_as_often_valid_as_enumeration_says(script):
    module = script("sequences")
    found = module.independent("arithmetic")
    language = LANGUAGES["arithmetic"]
    known = language.split("train")
    # the probability of each valid text, by the frequencies of its characters in their places
    expected = 0.0
    for text in language.texts:
        share = 1.0
        for place, character in enumerate(text.ljust(6)):
            share *= sum(one.ljust(6)[place] == character for one in known) / len(known)
        expected += share
    error = (expected * (1 - expected) / 10_000) ** 0.5
    assert abs(found["validity"] - expected) < 4.5 * error
    assert found["validity"] < 0.05 < 1 - found["novelty"]


def test_a_run_is_trained_and_scored(script):
    worker = script("run_worker")
    runner = worker.Runner.__new__(worker.Runner)
    runner.threads, runner.data_dir, runner._evaluators = 1, None, {}
    changes = {"training.steps": 2, "generator.width": 4, "discriminator.width": 4}
    changes |= {"evaluation.images": 100}
    found = runner.run("gumbel_arithmetic", changes, 0)
    assert len(found["texts"]) == 12 and all(len(text) <= 6 for text in found["texts"])
    assert "texts" not in runner.run("gumbel_arithmetic", changes, 1)
    assert set(found["scores"]) == {"validity", "distinct", "novelty"}
    assert found["floors"]["validity"] == 1 and found["steps"] == 2
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["gumbel", "reinforce"])
def test_entries_have_the_characters_of_their_data(kind, language):
    config = registry.entry(f"{kind}_{language}")
    whole = LANGUAGES[language]
    assert config.data.dataset == language
    assert config.gan.options["characters"] == whole.characters
    for part in (config.generator, config.discriminator):
        assert part.options["shape"] == (whole.length,)
        assert part.options["vocabulary"] == len(whole.characters)
