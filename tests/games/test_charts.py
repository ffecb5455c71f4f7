"""Charts and phase portraits: lines and arrows where the numbers say, everything legible."""

import numpy as np
import pytest

from ganzoo import games
from ganzoo.games.charts import COLOURS, Axis, Chart

LEFT, RIGHT, TOP, BOTTOM = 58, 16, 30, 44


def chart(x=(0.0, 10.0), y=(0.0, 1.0), *, size=(360, 320), **options):
    return Chart(Axis(x), Axis(y), size=size, **options)


def coloured(picture, name):
    """Rows and columns of the pixels near to a colour."""
    return np.argwhere(np.abs(picture.astype(int) - COLOURS[name]).max(axis=-1) < 40)


def inked(picture):
    """Rows and columns of the pixels within the frame that are not white."""
    inner = picture[TOP + 2 : -BOTTOM - 2, LEFT + 2 : -RIGHT - 2].astype(int)
    return np.argwhere(inner.min(axis=-1) < 225) + [TOP + 2, LEFT + 2]


@pytest.mark.parametrize("place", [(2.0, 0.25), (9.0, 0.9)])
def test_a_point_lies_where_its_coordinates_say(place):
    one = chart()
    one.dots([place], colour="orange", radius=4)
    row, column = coloured(one.picture(), "orange").mean(axis=0)
    assert column == pytest.approx(LEFT - 0.5 + (360 - LEFT - RIGHT) * place[0] / 10, abs=0.8)
    assert row == pytest.approx(TOP - 0.5 + (320 - TOP - BOTTOM) * (1 - place[1]), abs=0.8)


def test_a_log_axis_gives_each_decade_the_same_room():
    axis = Axis((1e-4, 1e2), log=True)
    np.testing.assert_allclose(axis.shares([1e-4, 1e-1, 1e2]), [0, 0.5, 1])
    assert np.isnan(axis.shares([0.0, -1.0, np.nan])).all()
    assert list(axis.numbers().values()) == ["1e-4", "0.001", "0.01", "0.1", "1", "10", "100"]


@pytest.mark.parametrize("limits", [(0, 1), (-2, 2), (0, 300), (-0.013, 0.02), (4e5, 7e5)])
def test_ticks_are_round_and_within_the_limits(limits):
    ticks = list(Axis(limits).numbers())
    assert 3 <= len(ticks) <= 8 and limits[0] - 1e-9 <= ticks[0] and ticks[-1] <= limits[1] + 1e-9
    steps = np.diff(ticks)
    np.testing.assert_allclose(steps, steps[0])
    digit = float(f"{steps[0]:.6e}".split("e")[0])
    assert digit == pytest.approx(round(digit)) and round(digit) in (1, 2, 5)


def test_lines_are_cut_at_the_frame_and_at_what_is_not_finite():
    one = chart()
    one.line([(-50, 0.5), (50, 0.5)], colour="blue")
    found = coloured(one.picture(), "blue")
    assert found[:, 1].min() >= LEFT and found[:, 1].max() < 360 - RIGHT
    gap = chart()
    gap.line([(0, 0.5), (4, 0.5), (5, np.nan), (6, 0.5), (10, 0.5)], colour="blue")
    columns = set(coloured(gap.picture(), "blue")[:, 1] - LEFT)
    assert not columns & set(range(125, 160)) and {60, 200} <= columns


def test_dashes_leave_gaps_and_arrows_end_at_their_tips():
    solid, dashed, arrow = chart(), chart(), chart()
    for one, gaps in ((solid, False), (dashed, True)):
        one.line([(0, 0.5), (10, 0.5)], colour="blue", dashed=gaps)
    counts = [len(coloured(one.picture(), "blue")) for one in (solid, dashed)]
    assert 0.4 * counts[0] < counts[1] < 0.8 * counts[0]
    arrow.arrows(np.array([[2, 0.5]]), np.array([[8, 0.5]]), colour="green")
    rows, columns = inked(arrow.picture()).T
    heights = [np.ptp(rows[columns < LEFT + 143]), np.ptp(rows[columns > LEFT + 220])]
    assert heights[1] > heights[0]  # the head is at the end


def test_a_legend_beside_covers_nothing_and_one_within_has_its_corner():
    one = chart()
    one.line([(0, 0.5), (10, 0.5)], colour="blue", name="a line")
    plain, beside, within = (one.picture(at) for at in (None, "beside", "upper left"))
    assert beside.shape[1] > plain.shape[1] == within.shape[1] == 360
    np.testing.assert_array_equal(beside[:, : 360 - RIGHT], plain[:, : 360 - RIGHT])
    changed = np.argwhere((within != plain).any(axis=-1))
    assert changed[:, 1].max() < 180 and changed[:, 0].max() < 80
    with pytest.raises(ValueError, match="did you mean 'upper left'"):
        one.picture("uper left")


def test_a_portraits_arrows_point_along_the_field():
    """Of a field that moves to the right alone, all arrows lie flat, heads to the right."""
    right = games.Game(
        name="drift", losses=np.asarray, equilibria=np.zeros((0, 2)),
        gradients=lambda w: np.stack([-np.ones(len(w)), np.zeros(len(w))], axis=-1),
        jacobian=np.asarray,
    )  # fmt: skip
    picture = games.portrait(right, arrows=3, size=320)
    middle = np.array([at for at in inked(picture) if 110 < at[0] < 190 and 145 < at[1] < 228])
    assert np.ptp(middle[:, 1]) > 5 * np.ptp(middle[:, 0])
    wide = [np.ptp(middle[middle[:, 1] == c][:, 0]) for c in np.unique(middle[:, 1])]
    assert np.argmax(wide) > len(wide) / 2


def test_a_portrait_shows_its_courses_from_their_first_place():
    game = games.bilinear()
    places = games.play(game, "simultaneous", (1.0, 0.0), rate=0.2, steps=40)
    picture = games.portrait(game, {"steps": places}, limits=2.0, size=320)
    assert picture.shape == (320, 330, 3) and picture.dtype == np.uint8
    # the first colour of courses, to the right of the middle at y = 0
    row, column = TOP + (320 - TOP - BOTTOM) / 2, LEFT + 0.75 * (330 - LEFT - RIGHT)
    near = coloured(picture, "blue") - [row, column]
    assert np.linalg.norm(near, axis=1).min() < 5
    assert not len(coloured(games.portrait(game, limits=2.0), "blue"))


def test_wrong_axes_sizes_and_colours_are_refused():
    for limits, log in (((1, 1), False), ((0, 1), True), ((0, np.inf), False)):
        with pytest.raises(ValueError, match="Expected limits that grow"):
            Axis(limits, log=log)
    with pytest.raises(ValueError, match="Expected a size"):
        chart(size=(80, 80))
    with pytest.raises(ValueError, match="did you mean 'orange'"):
        chart().line([(0, 0), (1, 1)], colour="orang")
