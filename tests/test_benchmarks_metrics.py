import json
import os
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
TINY = ["--fid_images=30", "--prdc_images=20", "--dimension=6"]


@pytest.fixture
def script(script, monkeypatch):
    """As everywhere, and this checkout's package for the processes that are started."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    return script


def ran(script, arguments, tmp_path, capsys):
    path = tmp_path / "figures.json"
    script("metrics").main([*TINY, *arguments, f"--json={path}"])
    return json.loads(path.read_text())["results"], capsys.readouterr().out


def test_the_scores_that_are_timed_are_right(script, tmp_path, capsys):
    from tests.metrics.test_neighbours import by_definition

    results, out = ran(script, ["--nopeers", "--tasks=fid,prdc"], tmp_path, capsys)
    inputs = script("metrics_inputs")
    real, fake = inputs.features(images=20, dimension=6)
    assert results["prdc"]["runs"]["ganzoo"]["scores"] == pytest.approx(
        list(by_definition(real, fake, inputs.K).values())
    )
    first, second = inputs.features(images=30, dimension=6)
    means = np.sum((first.mean(axis=0) - second.mean(axis=0)) ** 2)
    (score,) = results["fid"]["runs"]["ganzoo"]["scores"]
    assert means < score < means + 6
    assert "| fid 30 x 6, ganzoo" in out
    assert "| prdc 20 x 6, ganzoo" in out
    assert "60 s, 4 GB" in out


def test_time_and_memory_are_those_of_the_run(script):
    before = script("metrics_inputs").measured(lambda: [1])
    run = script("metrics_inputs").measured(lambda: [np.ones(30_000_000).sum()])
    assert run["scores"] == [3e7]
    assert run["seconds"] > 0
    assert run["cpu_seconds"] > 0
    if run["peak_bytes"] is not None:
        assert run["peak_bytes"] > 240e6
        assert run["peak_bytes"] >= before["peak_bytes"]


def test_a_goal_that_is_missed_is_said(script):
    module = script("metrics")
    runs = {"ganzoo": {"seconds": 59.0, "cpu_seconds": 100.0, "peak_bytes": 6.1e9, "scores": [1]}}
    sizes = {"images": 50_000, "dimension": 2048}
    ((*_, goal, met, _),) = module._rows("fid", {"sizes": sizes, "runs": runs})
    assert (goal, met) == ("60 s, 6 GB", "NO")
    runs["ganzoo"]["peak_bytes"] = 5.9e9
    assert module._rows("fid", {"sizes": sizes, "runs": runs})[0][5] == "yes"


def test_a_peer_that_is_not_installed_is_said(script, tmp_path, capsys, monkeypatch):
    (tmp_path / "prdc.py").write_text("raise ImportError('none here', name='prdc')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]]))
    results, out = ran(script, ["--tasks=prdc"], tmp_path, capsys)
    assert list(results["prdc"]["runs"]) == ["ganzoo"]
    assert "not compared with what needs prdc" in out


def test_help_explains_and_a_wrong_task_is_named(script, capsys):
    module = script("metrics")
    with pytest.raises(SystemExit, match="0"):
        module.main(["--help"])
    assert "python benchmarks/metrics.py" in capsys.readouterr().out
    with pytest.raises(script("workers").Problem, match="fid, prdc, inception; got 'kid'"):
        module.main(["--tasks=kid"])


@pytest.mark.slow
def test_the_inception_networks_take_turns(script, tmp_path, capsys):
    quick = ["--tasks=inception", "--batch_size=2", "--rounds=2", "--seconds=0"]
    results, out = ran(script, quick, tmp_path, capsys)
    found = results["inception"]
    assert len(found["images_a_second"]["ganzoo"]) == 2
    if found["ratios"] is not None:
        ours, theirs = found["images_a_second"].values()
        assert found["ratios"] == [a / b for a, b in zip(ours, theirs, strict=True)]
    assert "| inception, ganzoo" in out


@pytest.mark.slow
@pytest.mark.parametrize("task", ["fid", "prdc"])
def test_peers_give_the_same_scores(script, tmp_path, capsys, task):
    pytest.importorskip("prdc")
    pytest.importorskip("torch")
    results, _ = ran(script, [f"--tasks={task}"], tmp_path, capsys)
    assert len(results[task]["runs"]) == 2
    assert results[task]["difference"] < 1e-6  # torch-fidelity means in float32
