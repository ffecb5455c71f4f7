"""The commands of benchmarks/games: tables that say what was measured, pictures of a size."""

import numpy as np
import pytest
from PIL import Image


def cells(text, start):
    line = next(one for one in text.splitlines() if one.startswith(f"| {start}"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_methods_measure_the_rates_that_eigenvalues_predict(script):
    methods = script("games/methods")
    for name, found in methods.measured().items():
        assert list(found) == list(methods.NAMES)
        for method, one in found.items():
            assert one["measured"] == pytest.approx(one["predicted"], abs=1.5e-3), (name, method)
    gaps = methods.fictitious()
    assert list(gaps) == [10, 100, 1000, 10_000, 100_000]
    assert (np.diff(list(gaps.values())) < 0).all()


def test_a_table_names_its_command_seed_and_machine(script, tmp_path, capsys):
    script("games/wells").main([f"--results={tmp_path}", "--seed=3"])
    text = (tmp_path / "games_wells.md").read_text()
    assert "`python benchmarks/games/wells.py --seed=3`; " in text and " cores, " in text
    best, worst = cells(text, "(1.130"), cells(text, "(-0.942")
    assert best[4:6] == ["0.000", "0.000"] and min(map(float, worst[4:6])) > 0.2
    shares = [float(cells(text, f"({x}")[-1]) for x in ("1.130", "1.056", "-0.780", "-0.942")]
    assert sum(shares) == pytest.approx(100, abs=0.2) and min(shares) > 10
    picture = np.asarray(Image.open(tmp_path / "games_wells.png"))
    assert picture.shape[0] == 450 and picture.shape[1] > 460


def test_diracs_table_tells_those_that_converge_from_those_that_do_not(script):
    dirac = script("games/dirac")
    rows = {name: dirac.row(game) for name, game in dirac.cases().items() if "WGAN" not in name}
    for name, one in rows.items():
        near = name.startswith(("R1", "instance", "non-saturating, R1", "consensus"))
        assert (one["flow"][-1] < 1e-6) == (one["simultaneous"][-1] < 1e-6) == near, name
        assert (one["largest"] > 0.1) == near, name
    assert rows["non-saturating"]["flow"][-1] < 0.3 < rows["minimax"]["flow"][-1]


def test_averages_are_drawn_for_every_kind_of_play(script):
    averages = script("games/averages")
    courses = {name: averages.course(name, 2000) for name in averages.CASES}
    assert averages.KNOWN.keys() == averages.CASES.keys()
    for name, (play, average) in courses.items():
        assert len(play) == len(average) == 2000
        falls = average[-500:].max() < 0.5 * average[:50].max()
        expected = name not in ("simultaneous, 0.1", "simultaneous, 1.5 / sqrt(t)")
        assert falls == expected, name
        assert play[-500:].min() > 0.7, name  # none of the plays comes near
    assert averages.chart(courses).shape == (412, 1018, 3)
    table = "\n".join(averages.lines(averages.told(courses)))
    assert len(cells(table, "alternating")) == 2 * 2 + 2  # 100 and 1000 steps


def test_numbers_and_eigenvalues_are_written_shortly(script):
    output = script("games/output")
    assert [output.number(v) for v in (0.0, 0.25, 1e9, 2e-7, np.inf)] == [
        "0", "0.25", "1.0e+09", "2.0e-07", "overflow"]  # fmt: skip
    assert output.written([0.5j, -0.5j]) == "± 0.5i"
    assert output.written([-0.25 + 0.5j, -0.25 - 0.5j]) == "-0.25 ± 0.5i"
    assert output.written([-2.0, -0.125]) == "-2, -0.125"


@pytest.mark.slow
def test_the_four_panels_end_near_the_equilibrium(script, tmp_path):
    """A short run through all four stages; the command itself trains for longer."""
    figure = script("games/optimal_discriminator")
    course = figure.train(0, alone=200, both=50)
    shots = [course.frames[n][2] for n in course.panels]
    assert [course.frames[n][1] for n in course.panels] == [
        "both", "discriminator", "generator", "both"]  # fmt: skip
    assert shots[1].error < 0.6 * shots[0].error and shots[1].error < 0.06
    assert shots[2].distance != shots[1].distance == shots[0].distance
    assert figure.four_panels(course).shape[2] == 3
    assert len({frame.shape for frame in figure.animation(course)}) == 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_at_the_equilibrium_the_discriminator_says_one_half(script, seed):
    figure = script("games/optimal_discriminator")
    last = figure.train(seed, alone=1000, both=2500).frames[-1][2]
    assert last.distance < 0.1 and last.error < 0.04 and last.from_half < 0.05
