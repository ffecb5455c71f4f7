"""A run that is stopped anywhere goes on and leaves the files of one that was not."""

import contextlib
import json
import os
import signal
import threading

import numpy as np
import pytest

from ganzoo import callbacks, checkpoints, durable, signals, training, weights
from ganzoo.metrics.evaluation import Evaluator
from ganzoo.workdir import Workdir
from tests import resumed
from tests.test_callbacks import events

TIMES = ("images_per_second", "evaluate_seconds")


class Killed(BaseException):
    """Passes through what handles errors, as a killed process does."""


class Deaths:
    """Kills at places, one after the other: (place, on which call of it)."""

    PLACES = {
        "step": (callbacks.StopAt, "on_train_batch_end"),  # after a step, before its checkpoint
        "samples": (callbacks.SampleGrid, "act"),
        "scores": (Evaluator, "score"),
        "logged": (callbacks.Scalars, "on_epoch_end"),
        "best": (durable, "write_text"),  # of best.json, best.keras is there
        "writing": (checkpoints, "seal"),
        "renaming": (durable, "replace"),
        "pruning": (Workdir, "saved"),
        "finishing": (weights, "write"),
    }

    def __init__(self, monkeypatch, *, after):
        self.due, self.calls, self.landed = None, 0, []
        for place, (holder, name) in self.PLACES.items():
            original = getattr(holder, name)
            monkeypatch.setattr(holder, name, self._deadly(place, original, after))

    def _deadly(self, place, original, after):
        def call(*args, **options):
            if not after:
                self._count(place)
            found = original(*args, **options)
            if after:
                self._count(place)
            return found

        return call

    def _count(self, place):
        if self.due and self.due[0] == place:
            self.calls += 1
            if self.calls == self.due[1]:
                self.landed.append(self.due)
                raise Killed

    @contextlib.contextmanager
    def at(self, place, call):
        self.due, self.calls = (place, call), 0
        with contextlib.suppress(Killed):
            yield
        self.due = None


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a run that was never stopped, its GAN, and its evaluation callback."""
    with pytest.MonkeyPatch.context() as patch:
        resumed.eagerly(patch)
        kept = watched(patch)
        workdir = tmp_path_factory.mktemp("runs") / "whole"
        return workdir, resumed.run(workdir), kept[-1]


def watched(patch):
    """The evaluation callbacks that runs make from here on."""
    made, original = [], callbacks.EvaluateCallback

    def make(*args, **options):
        made.append(original(*args, **options))
        return made[-1]

    patch.setattr(callbacks, "EvaluateCallback", make)
    return made


def same_files(found, expected):
    """Whether two runs left the same, times aside."""
    for name in ("config.yaml", "best.json", "final.safetensors"):
        assert (found / name).read_bytes() == (expected / name).read_bytes(), name
    for folder in ("samples", "checkpoints"):
        names = sorted(path.name for path in (expected / folder).iterdir())
        assert sorted(path.name for path in (found / folder).iterdir()) == names
    for path in (expected / "samples").iterdir():
        assert (found / "samples" / path.name).read_bytes() == path.read_bytes()
    assert scalars(found) == scalars(expected)
    best, wanted = (checkpoints.load(one / "best.keras") for one in (found, expected))
    assert best[1] == wanted[1] and not resumed.differing(best[0], wanted[0])


def scalars(workdir):
    """Step, and values by name, of each event, without those that are times."""
    found = sorted(events(workdir / "tensorboard"), key=lambda one: one[0])
    return [(step, {k: v for k, v in one.items() if k not in TIMES}) for step, one in found]


FEW = [
    *(("step", 2), ("writing", 2), ("scores", 2), ("best", 2)),
    *(("logged", 2), ("pruning", 1), ("finishing", 1)),
]
MANY = [
    *(("step", number) for number in (1, 2, 3, 1, 2)),
    *(("writing", 1), ("writing", 2), ("renaming", 2), ("samples", 1), ("scores", 2)),
    *(("logged", 1), ("best", 2), ("pruning", 2), ("step", 2), ("step", 4), ("finishing", 1)),
]


@pytest.mark.parametrize(
    ("ends", "after"),
    [
        pytest.param(FEW, False, id="few"),
        pytest.param(MANY, False, id="before", marks=pytest.mark.slow),
        pytest.param(MANY, True, id="after", marks=pytest.mark.slow),
    ],
)
def test_a_run_killed_again_and_again_leaves_what_one_that_was_not_does(
    whole, tmp_path, monkeypatch, ends, after
):
    expected, gan, evaluations = whole
    resumed.eagerly(monkeypatch)
    made, deaths = watched(monkeypatch), Deaths(monkeypatch, after=after)
    for place, call in ends:
        with deaths.at(place, call):
            resumed.run(tmp_path / "run")
    found = resumed.run(tmp_path / "run")
    assert len(deaths.landed) >= 0.7 * len(ends), deaths.landed
    assert not resumed.differing(found, gan)
    same_files(tmp_path / "run", expected)
    assert without_times(made[-1].get_state()) == without_times(evaluations.get_state())


def without_times(state):
    assert state["scores"] and not state["fresh"]
    return state["scores"]


def test_events_after_a_resumed_steps_are_not_there_twice_and_torn_ones_are_gone(
    whole, tmp_path, monkeypatch
):
    resumed.eagerly(monkeypatch)
    deaths = Deaths(monkeypatch, after=True)
    with deaths.at("logged", 2):  # at step 8; the last checkpoint is of step 6
        resumed.run(tmp_path)
    assert [step for step, _ in events(tmp_path / "tensorboard")] == [4, 8]
    (path,) = (tmp_path / "tensorboard").iterdir()
    path.write_bytes(path.read_bytes()[:-3])
    resumed.run(tmp_path)
    assert scalars(tmp_path) == scalars(whole[0])
    assert [step for step, _ in scalars(tmp_path)] == [4, 8, 12, 13]


def test_a_resumed_run_may_look_elsewhere_and_train_longer(whole, tmp_path, monkeypatch):
    """Bars, samples, evaluations and checkpoints change nothing in what is trained."""
    resumed.eagerly(monkeypatch)
    resumed.run(tmp_path / "run", training={"steps": 5})
    other = {"checkpoint_every": None, "sample_every": 2, "log_every": 3}
    found = resumed.run(
        tmp_path / "run",
        progress=True,
        training=other,
        evaluation={"metrics": ["high_quality"], "every": 3},
    )
    weights_of = [v for v in resumed.everything(whole[1]) if not v[0].endswith(("total", "count"))]
    for (path, value), (_, expected) in zip(
        [v for v in resumed.everything(found) if not v[0].endswith(("total", "count"))],
        weights_of,
        strict=True,
    ):
        np.testing.assert_array_equal(value, expected, err_msg=path)
    best = json.loads((tmp_path / "run" / "best.json").read_text())
    assert best["metric"] == "high_quality" and best["step"] in (6, 9, 12)
    # fewer steps than were done: nothing is undone
    assert resumed.run(tmp_path / "run", training={"steps": 4}).steps_done == 13


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize(
    "kind", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_a_signal_ends_the_run_after_all_of_its_step_was_done(whole, tmp_path, monkeypatch, kind):
    resumed.eagerly(monkeypatch)
    original = training.builders.build

    def build(config, **options):
        gan = original(config, **options)
        step = gan.train_step

        def train_step(data):
            logs = step(data)
            if gan.steps_done == 10:  # no multiple of checkpoint_every; samples and scores are due
                os.kill(os.getpid(), kind)
            return logs

        gan.train_step = train_step
        return gan

    monkeypatch.setattr(training.builders, "build", build)
    before = signal.getsignal(kind)
    with pytest.raises(KeyboardInterrupt):
        resumed.run(tmp_path)
    assert signal.getsignal(kind) is before
    assert Workdir(tmp_path).saved()[0].name == "step_00000010.keras"
    assert (tmp_path / "samples" / "step_00000010.png").exists()
    monkeypatch.undo()
    resumed.eagerly(monkeypatch)
    assert not resumed.differing(resumed.run(tmp_path), whole[1])
    same_files(tmp_path, whole[0])


@pytest.mark.usefixtures("ctrl_c")
def test_a_second_ctrl_c_stops_at_once():
    stop = threading.Event()
    with signals.asked_to_stop_by(stop):
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_signals_that_somebody_handles_are_left_to_them():
    asked, stop = [], threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
    try:
        with signals.asked_to_stop_by(stop):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert len(asked) == 2 and not stop.is_set()


@pytest.mark.parametrize(
    ("done", "steps", "every", "pieces"),
    [
        (0, 8, 4, [(4, 2)]),
        (0, 9, 4, [(4, 3)]),
        (3, 9, 4, [(1, 1), (4, 2)]),
        (4, 8, 4, [(4, 1)]),
        (5, 7, 4, [(2, 1)]),
        (5, 8, 4, [(3, 1)]),
    ],
)
def test_epochs_end_at_multiples_wherever_a_run_begins(done, steps, every, pieces):
    assert list(training._pieces(done, steps, every)) == pieces
