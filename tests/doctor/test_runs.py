"""The doctor in a run of `ganzoo train`: resumed, left out, and ended by it."""

import json

import pytest

from ganzoo import callbacks, training
from ganzoo.config import load_config
from ganzoo.doctor import Report, rules
from tests import resumed
from tests.test_callbacks import events


@pytest.fixture
def often(monkeypatch):
    """Lets doctors look at every second step of an eager run."""
    resumed.eagerly(monkeypatch)
    original = callbacks.TrainingDoctor
    options = {"every": 2, "budget": None}
    monkeypatch.setattr(callbacks, "TrainingDoctor", lambda **own: original(**own, **options))


def run(workdir, *, steps=8, **options):
    changes = {"training.steps": steps, "training.checkpoint_every": 4, "evaluation.every": 0}
    config = load_config(resumed.POINTS, changes)
    return training.train(config, workdir=workdir, strategy="cpu", progress=False, **options)


def test_a_run_that_goes_on_keeps_what_was_seen_and_has_the_bits_of_one_without_a_doctor(
    often, tmp_path
):
    run(tmp_path / "watched", steps=4)
    first = Report.from_json((tmp_path / "watched" / "doctor.json").read_text())
    gan = run(tmp_path / "watched")
    report = Report.from_json((tmp_path / "watched" / "doctor.json").read_text())
    assert [look["step"] for look in report.series] == [2, 4, 6, 8]
    assert report.series[:2] == first.series and report.steps == 8
    assert "modes" in report.series[0]  # the mixture is known
    marks = events(tmp_path / "watched" / "tensorboard" / "doctor")
    assert sorted({step for step, _ in marks}) == [2, 4, 6, 8]
    bare = run(tmp_path / "bare", doctor=False)
    assert not resumed.differing(gan, bare)
    assert not (tmp_path / "bare" / "doctor.json").exists()


def test_a_run_beyond_saving_is_ended_and_can_be_told_to_go_on(often, tmp_path, monkeypatch):
    lost = rules.Finding("divergence", "numbers that are not finite", 2, "NaN", True)
    monkeypatch.setattr(rules, "diagnose", lambda looks: [lost] if looks else [])
    assert run(tmp_path, stop_hopeless=True).steps_done == 2
    found = json.loads((tmp_path / "doctor.json").read_text())
    assert found["stopped"] == 2 and found["findings"][0]["failure"] == "divergence"
    assert run(tmp_path).steps_done == 8
