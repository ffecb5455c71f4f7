"""Two workers, processes of this machine, do what one does, and end when one of them dies."""

import json
import shutil
import time

import numpy as np
import pytest

from ganzoo import checkpoints
from tests import launching, small

pytestmark = pytest.mark.slow
SCRIPT = launching.ROOT / "tests" / "two_workers.py"
FLAGS = (
    "generator.width=2",
    "discriminator.width=2",
    "generator.norm=none",
    "discriminator.norm=none",
    "optimizers.generator={class: sgd, learning_rate: 0.2}",
    "optimizers.discriminator={class: sgd, learning_rate: 0.2}",
    "data.batch_size=16",
    "training.sample_every=1000000",
    "training.log_every=7",
)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What two workers and one process tell of the same work, by who does it."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("two", "one")}
    with launching.workers(
        [["-m", "tests.two_workers", folders["two"]]] * 2, folders["two"]
    ) as ran:
        codes = [one.wait() for one in ran]
        assert codes == [0, 0], [one.text for one in ran]
    small.run_script(
        "import runpy, sys; runpy.run_module('tests.two_workers', run_name='__main__')",
        folders["one"],
    )
    found = {}
    for who, folder, name in (
        ("chief", folders["two"], "chief"),
        ("other", folders["two"], "other"),
        ("one", folders["one"], "chief"),
    ):
        found[who] = json.loads((folder / f"{name}.json").read_text())
        for path in folder.glob(f"{name}_*.npz"):
            with np.load(path) as kept:
                found[who][path.stem.partition("_")[2]] = dict(kept)
    return {**found, "folders": folders}


def farthest(first, second):
    return max(float(np.abs(first[key] - second[key]).max()) for key in first)


@pytest.mark.parametrize("kind", ["plain", "arrays", "run"])
def test_two_workers_end_with_the_weights_of_one(told, kind):
    assert told["chief"]["workers"] == [2, True] and told["one"]["workers"] == [1, True]
    assert farthest(told["chief"][kind], told["one"][kind]) < 1e-5
    assert farthest(told["chief"][kind], told["other"][kind]) == 0.0


def test_synchronised_batch_norms_do_so_too_and_others_do_not(told):
    assert farthest(told["chief"]["synchronized"], told["one"]["synchronized"]) < 1e-4
    assert farthest(told["chief"]["apart"], told["one"]["apart"]) > 1e-3


def test_logs_are_means_over_all_workers(told):
    for name, values in told["one"]["logs"].items():
        np.testing.assert_allclose(told["chief"]["logs"][name], values, rtol=1e-4)
    assert told["chief"]["logs"] == told["other"]["logs"]


def test_images_and_scores_are_those_of_one(told):
    assert np.allclose(told["chief"]["images"], told["one"]["images"], atol=2)
    for name, value in told["one"]["scores"].items():
        assert told["chief"]["scores"][name] == pytest.approx(value, rel=1e-3)


def test_the_chief_alone_writes(told):
    folder = told["folders"]["two"]
    assert [told[who]["place"] for who in ("chief", "other")] == [True, False]
    written = {path.relative_to(folder / "run").parts[0] for path in (folder / "run").rglob("*")}
    assert {"card.json", "checkpoints", "final.safetensors", "samples", "tensorboard"} <= written
    _, state = checkpoints.load(folder / "run" / "checkpoints" / "step_00000006.keras")
    assert state["seconds"] > 0


def test_bytes_come_as_they_were_sent_and_wishes_are_heard(told):
    for who in ("chief", "other"):
        assert told[who]["bytes"] == [1, 257, 5_120_001]
        assert told[who]["same_bytes"] and told[who]["any"] == [False, True]


def test_other_data_and_errors_of_the_chief_stop_all(told):
    same, error = told["chief"]["refused"]
    assert "Expected the same images on all 2 workers. Received: 1 of other images" in same
    assert error == "division by zero"
    assert told["other"]["refused"][1] == "The chief has stopped: division by zero"
    assert told["one"]["refused"] == ["division by zero"]


# -- a run that is stopped, or loses a worker ---------------------------------------------------


def command(folder, steps, *changes):
    words = ["-m", "ganzoo", "train", "dcgan_digits", f"--workdir={folder}", f"--steps={steps}"]
    return words + [f"--set={change}" for change in (*FLAGS, *changes)]


def alone(folder, steps, *changes):
    """One process; returns its weights at the end."""
    script = "import sys; from ganzoo.cli import main; sys.exit(main(sys.argv[2:]))"
    small.run_script(script, *command(folder, steps, *changes)[1:])
    return ends(folder, steps)


def ends(folder, steps):
    gan, _ = checkpoints.load(folder / "checkpoints" / f"step_{steps:08d}.keras")
    assert gan.steps_done == steps
    return small.values(gan.trainable_variables)


def apart(first, second):
    return max(float(np.abs(a - b).max()) for a, b in zip(first, second, strict=True))


def saved(folder):
    return sorted(int(p.stem.split("_")[1]) for p in (folder / "checkpoints").glob("step_*.keras"))


def test_a_killed_worker_ends_the_run_and_it_goes_on_with_one(tmp_path):
    whole = alone(tmp_path / "whole", 60)
    folder, steps = tmp_path / "run", 1_000_000
    two = [command(place, steps, "training.checkpoint_every=10") for place in (folder, tmp_path)]
    with launching.workers(two, tmp_path) as (chief, other):
        launching.wait_for(lambda: saved(folder) and saved(folder)[-1] >= 20, watched=[chief])
        other.kill()
        begin = time.monotonic()
        assert chief.wait(90) == 1
        assert time.monotonic() - begin < 90
        assert "ganzoo: One of the 2 workers was lost" in chief.text
        assert "the run goes on at its last checkpoint" in chief.text
    last = saved(folder)[-1]
    assert last % 10 == 0
    # a run whose number of steps is known to compare with
    steps = max(60, last + 5)
    whole = whole if steps == 60 else alone(tmp_path / "whole", steps)
    assert apart(alone(folder, steps), whole) < 1e-4 * steps / 60


def test_a_killed_chief_ends_the_others(tmp_path):
    two = [command(tmp_path / name, 1_000_000) for name in ("run", "none")]
    with launching.workers(two, tmp_path) as (chief, other):
        launching.wait_for(lambda: (tmp_path / "run" / "tensorboard").exists(), watched=[other])
        time.sleep(5)
        chief.kill()
        assert other.wait(120) != 0
        assert "One of the 2 workers was lost" in other.text or "Unavailable" in other.text
    assert not (tmp_path / "none").exists()


def test_one_goes_on_as_two_after_a_damaged_checkpoint_and_two_stop_together(tmp_path):
    folder = tmp_path / "run"
    whole = alone(tmp_path / "whole", 40)
    alone(folder, 10)
    alone(folder, 20)
    newest = folder / "checkpoints" / "step_00000020.keras"
    newest.write_bytes(newest.read_bytes()[:-1])
    shutil.rmtree(folder / "tensorboard")
    two = [command(place, 1_000_000) for place in (folder, tmp_path / "none")]
    with launching.workers(two, tmp_path) as (chief, other):
        launching.wait_for(lambda: any((folder / "tensorboard").glob("*")), watched=[chief, other])
        time.sleep(3)
        other.terminate()
        assert [one.wait(120) for one in (chief, other)] == [130, 130]
        assert "stopped; step" in chief.text and "stopped; the chief tells more." in other.text
        assert "Passed over" in chief.text and "Passed over" not in other.text
    last = saved(folder)[-1]
    assert last > 10 and last % 8 == 0
    assert not (tmp_path / "none").exists()
    if last > 40:
        whole = alone(tmp_path / "whole", last)
        assert apart(ends(folder, last), whole) < 1e-4 * last / 40
    else:
        assert apart(alone(folder, 40), whole) < 1e-4
