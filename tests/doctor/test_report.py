"""The report as text and as a file."""

import json

import numpy as np
import pytest

from ganzoo.doctor import Report, Setting, diagnose
from tests.doctor import series


def report(failure="mode_collapse", **own):
    looks = series.run(**series.FAILING[failure]) if failure else series.run(**own.pop("run", {}))
    findings = diagnose(looks)
    advice = {failure: [Setting({"gan.class": "pacgan", "gan.latent_dim": 4}, "packs")]}
    return Report("tiny", 2000, findings, advice if failure else {}, looks, cost=0.021, **own)


def test_a_report_comes_back_from_its_file():
    before = report(left_out=["logits"], stopped=900)
    again = Report.from_json(before.to_json())
    assert again == before and str(again) == str(before)


def test_numbers_that_are_not_finite_are_null():
    looks = [{"step": 1, "finite": 0.0, "g_gradient": float("nan"), "quantiles": [[np.inf]]}]
    text = Report("tiny", 1, [], {}, looks).to_json()
    assert json.loads(text)["series"] == [
        {"step": 1, "finite": 0.0, "g_gradient": None, "quantiles": [[None]]}
    ]
    assert "-" in str(Report.from_json(text))


def test_the_text_names_failure_step_numbers_and_settings():
    text = str(report())
    assert "the doctor on tiny: 20 looks in 2,000 steps, 2.1% of the time" in text
    assert "MODE COLLAPSE, since step 100: samples leave out 90% of the data" in text
    assert "try: --set=gan.class=pacgan --set=gan.latent_dim=4  (packs)" in text
    assert "step 100" in text and "step 2,000" in text
    assert all(len(line) < 400 for line in text.splitlines())


def test_the_table_shows_the_last_value_known():
    looks = series.run(3)
    for look, value in zip(looks, (0.25, None, None), strict=True):
        look["g_gradient"] = value
        if value is None:
            del look["g_gradient"]
    (row,) = [line for line in str(Report("t", 3, [], {}, looks)).splitlines()
              if "generator's gradient" in line]  # fmt: skip
    assert row.split()[-3:] == ["0.25"] * 3


def test_a_report_without_failures_or_looks_says_so():
    assert "no failure seen" in str(report(None))
    assert "too few looks" in str(Report("t", 3, [], {}, series.run(2)))
    assert "nothing to say: no data" in str(Report("t", 3, [], {}, [], problem="no data"))


def test_an_end_by_the_doctor_and_what_is_left_out_are_told():
    text = str(report(stopped=1234, left_out=["logits of tokens"]))
    assert "ended the run at step 1,234" in text and "left out: logits of tokens." in text


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"findings": 3}', '{"name": "x"}'])
def test_what_is_no_report_is_refused(text):
    with pytest.raises(ValueError, match="Expected a report"):
        Report.from_json(text)
