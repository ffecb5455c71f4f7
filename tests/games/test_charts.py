"""What phase portraits show, and where."""

import sys

import numpy as np
import pytest

from ganzoo import games
from ganzoo.games import charts


def coloured(picture, name):
    """Returns the places (row, column) of the pixels of a colour."""
    rgb = [int(charts.COLOURS[name][at : at + 2], 16) for at in (1, 3, 5)]
    return np.argwhere(np.abs(picture.astype(int) - rgb).max(axis=-1) < 30)


def frame(picture):
    """Returns the middle of the axes' black frame and its half sides, in pixels (row, column)."""
    dark = (picture < 60).all(axis=-1)
    rows = np.flatnonzero(dark.mean(axis=1) > 0.5)
    columns = np.flatnonzero(dark.mean(axis=0) > 0.5)
    ends = np.array([[rows[0], columns[0]], [rows[-1], columns[-1]]])
    return ends.mean(axis=0), np.diff(ends, axis=0)[0] / 2


def test_a_picture_has_its_size_and_what_was_drawn_at_its_place():
    axes = charts.axes(size=(400, 300), xlim=(0, 1), ylim=(0, 1), title="one dot")
    axes.plot(0.75, 0.25, "o", color=charts.COLOURS["orange"], label="dot")
    picture = charts.picture(axes)
    assert picture.shape == (300, 400, 3) and picture.dtype == np.uint8
    middle, half = frame(picture)
    expected = middle + half * [0.5, 0.5]  # rows count downwards
    assert np.linalg.norm(coloured(picture, "orange").mean(axis=0) - expected) < 2


def test_a_legend_names_what_is_labelled():
    axes = charts.axes(size=(400, 300))
    axes.plot([0, 1], label="a course")
    without = charts.picture(axes)
    beside = charts.picture(axes, "beside")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a course"]
    assert frame(beside)[1][1] < frame(without)[1][1] - 20
    with pytest.raises(ValueError, match="uper left"):
        charts.picture(axes, "uper left")


def test_charts_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"keras-ganzoo\[plots\]"):
        games.portrait(games.bilinear())


def test_a_portraits_arrows_point_along_the_field():
    """Of a field that moves to the right alone, all arrows lie flat, heads to the right."""
    right = games.Game(
        name="drift", losses=np.asarray, equilibria=np.zeros((0, 2)),
        gradients=lambda w: np.stack([-np.ones(len(w)), np.zeros(len(w))], axis=-1),
        jacobian=np.asarray,
    )  # fmt: skip
    picture = games.portrait(right, arrows=3, size=320)
    middle, half = frame(picture)
    inked = np.argwhere((picture < 225).all(axis=-1))
    arrow = inked[(np.abs(inked - middle) < half / 3).all(axis=1)]
    assert np.ptp(arrow[:, 1]) > 5 * np.ptp(arrow[:, 0])
    tall = [np.ptp(arrow[arrow[:, 1] == c][:, 0]) for c in np.unique(arrow[:, 1])]
    assert np.argmax(tall) > len(tall) / 2


def test_a_portrait_shows_its_courses_from_their_first_place():
    game = games.bilinear()
    places = games.play(game, "simultaneous", (1.0, 0.0), rate=0.2, steps=40)
    picture = games.portrait(game, {"steps": places}, limits=2.0, size=320)
    assert picture.shape == (320, 330, 3) and picture.dtype == np.uint8
    middle, half = frame(picture)
    near = coloured(picture, "blue") - (middle + half * [0, 0.5])
    assert np.linalg.norm(near, axis=1).min() < 2
    assert not len(coloured(games.portrait(game, limits=2.0), "blue"))
