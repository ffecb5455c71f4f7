"""What benchmarks/soak.py makes of readings from outside and marks of the run itself."""

import json
import sys
from types import SimpleNamespace

import pytest


@pytest.fixture
def soak(script):
    return script("soak")


def run(soak, *, leak=0.0, slower=1.0):
    """Readings each second and a mark every ten steps of 40 s at ten steps a second.

    The first five seconds hold the start. Memory has 100 MiB more from second 5 on, and `leak` MiB
    a second; after half of the run a step takes `slower` times as long.
    """
    readings, marks, clock, processor = [], [], 1000.0, 0.0
    readings.append(soak.Reading(clock, processor, 300.0, 200.0, 0))
    clock, processor = clock + 5, processor + 9
    for step in range(10, 401, 10):
        seconds = 1.0 if step <= 200 else slower
        clock, processor = clock + seconds, processor + 0.8 * seconds
        marks.append(soak.Mark(clock, step, 640 / seconds))
        more = 100 + leak * (clock - 1000)
        kept = min(step // 50, 2)
        readings.append(soak.Reading(clock, processor, 300 + more, 200 + more, kept))
    return soak.stretches(readings, marks, 100)


def test_a_steady_run_drifts_by_nothing(soak):
    found = run(soak)
    assert [one.end for one in found] == [100, 200, 300, 400]
    assert [one.checkpoints for one in found] == [2, 2, 2, 2]
    assert [one.processor for one in found] == pytest.approx([80.0] * 4)
    assert soak.drifts(found) == pytest.approx(
        {"resident": 0, "anonymous": 0, "speed": 0, "processor": 0}, abs=1e-9
    )


def test_a_leak_and_a_slowdown_are_told_with_their_size(soak):
    found = run(soak, leak=2.0, slower=1.25)
    drift = soak.drifts(found)
    # the medians of ten seconds at 10 s and of 12.5 s at the end
    assert drift["resident"] == pytest.approx(found[-1].resident / found[1].resident - 1)
    assert drift["resident"] > soak.MEMORY_GOAL
    assert drift["anonymous"] > drift["resident"]
    assert drift["speed"] == pytest.approx(1 / 1.25 - 1)
    assert drift["processor"] == pytest.approx(0.25)


def test_the_table_says_what_each_is_compared_with(soak):
    stretch = soak.Stretch(100, 500.0, 200.0, 50.0, 10.0, 0)
    found = [stretch, *(stretch._replace(end=end, resident=400.0) for end in (200, 300))]
    options = SimpleNamespace(entry="x", steps=300, stretch=100, threads=1, beside=0)
    text = "\n".join(soak.report(found, None, options))
    assert "Memory is compared with the second of these" in text
    row = next(one for one in text.splitlines() if one.startswith("| resident memory"))
    assert [cell.strip() for cell in row.split("|")][2:5] == ["+0.0%", "3%", "yes"]
    assert "from the first" not in text


def test_a_stretch_without_a_reading_is_named(soak):
    marks = [soak.Mark(1000.0 + step, step, 64.0) for step in range(1, 31)]
    readings = [soak.Reading(time, 0.0, 300.0, 200.0, 0) for time in (1000.0, 1005.0, 1031.0)]
    with pytest.raises(soak.Problem, match="no reading between steps 10 and 20"):
        soak.stretches(readings, marks, 10)


def test_a_process_that_has_ended_has_no_reading(soak, tmp_path):
    assert soak.reading(2**22 + 1, tmp_path) == []


def test_a_run_is_compared_with_a_fresh_one_while_both_train(soak):
    def marks(start, seconds, speed):
        return [soak.Mark(start + n * seconds, n, speed) for n in range(1, 21)]

    # the old one was faster before the fresh one came, and is 4/5 as fast beside it
    old = [soak.Mark(500.0 + n, n, 900.0) for n in range(20)] + marks(1000.0, 1.0, 400.0)
    assert soak.side_by_side(old, marks(1005.0, 0.8, 500.0)) == pytest.approx(-0.2)
    assert soak.side_by_side(old, marks(1018.0, 0.8, 500.0)) is None  # too short a time
    assert soak.side_by_side(old, []) is None


def test_what_could_not_be_compared_is_told_and_does_not_pass(soak):
    assert soak.verdict(None, 0.1) == ("not measured", "10%", "NO")
    assert soak.verdict(-0.11, 0.1) == ("-11.0%", "10%", "NO")
    assert soak.verdict(-0.09, 0.1) == ("-9.0%", "10%", "yes")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_short_run_of_the_command_is_watched(soak, tmp_path, capfd):
    arguments = ["--entry=dcgan_digits", "--steps=60", "--stretch=20", "--seconds=0.1"]
    arguments += ["--beside=0", f"--out={tmp_path / 'soak.md'}", f"--json={tmp_path / 'soak.json'}"]
    with pytest.raises(soak.Problem, match="expected at least three stretches"):
        soak.main([*arguments, "--stretch=30"])
    with pytest.raises(soak.Problem, match="--workdir: expected a folder that does not exist"):
        soak.main([*arguments, f"--workdir={tmp_path}"])
    with pytest.raises(soak.Problem, match="ended with exit code 1"):
        soak.main([*arguments, "--entry=dcgan_digitz"])
    assert "dcgan_digits" in capfd.readouterr().err and not list(tmp_path.iterdir())
    soak.main(arguments)
    found = json.loads((tmp_path / "soak.json").read_text())["stretches"]
    assert [one["end"] for one in found] == [20, 40, 60]
    assert all(one["resident"] > one["anonymous"] > 50 for one in found)
    assert "# dcgan_digits for 60 steps" in (tmp_path / "soak.md").read_text()
    assert (tmp_path / "soak.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_fresh_run_trains_beside_the_end_of_a_run(soak, tmp_path):
    out = tmp_path / "soak.md"
    arguments = ["--entry=dcgan_digits", "--steps=600", "--stretch=200", "--seconds=0.5"]
    soak.main([*arguments, "--beside=4000", f"--out={out}", f"--json={tmp_path / 'soak.json'}"])
    found = json.loads((tmp_path / "soak.json").read_text())
    assert [one["end"] for one in found["stretches"]] == [200, 400, 600]
    assert abs(found["beside"]) < 0.5 and "beside a fresh run" in out.read_text()
