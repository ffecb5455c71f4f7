"""Measures of codes against closed forms on drawn bars, and counts made by hand."""

import itertools

import numpy as np
import pytest

from ganzoo.metrics import codes

SIZE = 40


def canvas(count=1):
    return np.zeros((count, SIZE, SIZE, 1), np.uint8)


def bar(width, height, *, shift=0, level=255):
    """A bar whose rows move to the right by `shift` pixels for each row downwards."""
    image = canvas()
    for row in range(height):
        left = 12 + shift * row
        image[0, 5 + row, left : left + width] = level
    return image


def rotated(width, length, degrees):
    """A bar with grey edges, drawn at 8 times the size, leaning right by an angle."""
    fine = 8
    y, x = (np.mgrid[: SIZE * fine, : SIZE * fine] + 0.5) / fine - SIZE / 2
    angle = np.radians(degrees)
    along, across = -y * np.cos(angle) + x * np.sin(angle), x * np.cos(angle) + y * np.sin(angle)
    inside = (abs(along) < length / 2) & (abs(across) < width / 2)
    shares = inside.reshape(SIZE, fine, SIZE, fine).mean(axis=(1, 3))
    return np.rint(255 * shares).astype(np.uint8)[None, :, :, None]


# -- agreement -------------------------------------------------------------------------------


def test_agreement_is_that_of_the_best_of_all_one_to_one_matchings():
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 5, 300)
    drawn = np.where(rng.random(300) < 0.6, (classes * 2 + 1) % 5, rng.integers(0, 5, 300))
    best = max(
        np.mean(np.array(order)[drawn] == classes) for order in itertools.permutations(range(5))
    )
    assert codes.agreement(drawn, classes) == pytest.approx(best) and best > 0.5


def test_two_codes_cannot_stand_for_one_class():
    # codes 0 and 1 are both class 0, as majority votes would let them be
    assert codes.agreement([0, 0, 0, 1, 1, 2], [0, 0, 0, 0, 0, 1]) == pytest.approx(4 / 6)
    assert codes.matching([0, 0, 1, 1], [3, 3, 0, 0])[0] == 3


def test_a_renaming_of_all_classes_agrees_wholly():
    classes = np.arange(50) % 10
    order = np.random.default_rng(1).permutation(10)
    assert codes.agreement(order[classes], classes) == 1.0
    assert codes.matching(order[classes], classes) == {int(order[i]): i for i in range(10)}


@pytest.mark.parametrize(
    ("drawn", "classes", "kind"),
    [([0.0, 1.0], [0, 1], TypeError), ([0, -1], [0, 1], ValueError), ([], [], TypeError),
     ([0, 1], [0, 1, 1], ValueError), ([[0, 1]], [[0, 1]], ValueError)],
)  # fmt: skip
def test_what_is_no_code_an_image_is_an_error(drawn, classes, kind):
    with pytest.raises(kind, match="(?i)expected"):
        codes.agreement(drawn, classes)


# -- rank correlation ------------------------------------------------------------------------


def test_the_rank_correlation_knows_order_alone():
    values = np.linspace(-1, 1, 21)
    assert codes.rank_correlation(values, np.exp(5 * values)) == pytest.approx(1)
    assert codes.rank_correlation(values, -(values**3)) == pytest.approx(-1)


def test_the_rank_correlation_is_one_minus_6_d2_over_n_n2_minus_1():
    drawn, measured = np.random.default_rng(2).permuted([range(9), range(9)], axis=1)
    expected = 1 - 6 * ((drawn - measured) ** 2).sum() / (9 * (81 - 1))
    assert codes.rank_correlation(drawn, measured) == pytest.approx(expected)


def test_what_never_changes_follows_no_code():
    assert codes.rank_correlation([0.0, 1.0, 2.0], [4.0, 4.0, 4.0]) == 0.0


# -- shapes ----------------------------------------------------------------------------------


def test_mass_is_the_share_of_brightness():
    images = np.concatenate([bar(4, 10), bar(4, 10, level=51), canvas()])
    np.testing.assert_allclose(codes.mass(images), np.array([40, 8, 0]) / SIZE**2)


@pytest.mark.parametrize("shift", [0, 1, -1, 2])
def test_slant_is_the_angle_of_rows_shifted_evenly(shift):
    # y runs downwards: rows that move to the left on the way down lean to the right
    found = codes.slant(bar(3, 12, shift=shift))[0]
    assert found == pytest.approx(np.degrees(np.arctan(-shift)), abs=1e-6)


@pytest.mark.parametrize("degrees", [-30, 0, 20, 40])
def test_slant_follows_a_long_bar_that_turns(degrees):
    assert codes.slant(rotated(1.5, 30, degrees))[0] == pytest.approx(degrees, abs=1)


def test_slant_knows_neither_place_nor_brightness():
    image = rotated(3, 24, 25)
    moved = np.roll(image, (3, -4), axis=(1, 2)) // 2
    assert codes.slant(moved)[0] == pytest.approx(codes.slant(image)[0], abs=0.2)


def test_nothing_and_a_single_row_do_not_lean():
    np.testing.assert_array_equal(codes.slant(np.concatenate([canvas(), bar(9, 1)])), [0, 0])


@pytest.mark.parametrize("width", [2, 3, 5])
def test_the_width_of_an_upright_bar_is_its_own(width):
    # forward differences count one of the four corners by its diagonal
    half, area = width + 30 - 1 + np.sqrt(0.5), width * 30
    expected = (half - np.sqrt(half**2 - 4 * area)) / 2
    found = codes.stroke_width(bar(width, 30, level=200))[0]
    assert found == pytest.approx(expected) == pytest.approx(width, rel=0.02)


@pytest.mark.parametrize("degrees", [0, 15, 45, 80])
@pytest.mark.parametrize("width", [2.5, 4.0])
def test_the_width_of_a_bar_stays_as_it_turns(width, degrees):
    found = codes.stroke_width(rotated(width, 30, degrees))[0]
    assert found == pytest.approx(width, rel=0.1)


def test_longer_strokes_are_heavier_but_not_wider():
    short, long = rotated(3, 16, 20), rotated(3, 32, 20)
    assert codes.mass(long) > 1.9 * codes.mass(short)
    assert codes.stroke_width(long)[0] == pytest.approx(codes.stroke_width(short)[0], rel=0.05)


def test_blobs_and_empty_images_have_a_width():
    np.testing.assert_array_equal(codes.stroke_width(canvas()), [0])
    side = codes.stroke_width(bar(10, 10))[0]
    assert side == pytest.approx(10, rel=0.05)


def test_all_pairs_of_codes_and_measures_are_compared():
    widths = np.array([1, 2, 3, 4, 5])
    images = np.concatenate([bar(width, 30) for width in widths])
    found = codes.correlations({"a": widths, "b": -widths}, images)
    assert found["a"]["stroke width"] == found["a"]["mass"] == pytest.approx(1)
    assert found["b"]["mass"] == pytest.approx(-1) and set(found["b"]) == set(codes.MEASURES)


def test_floats_are_no_images():
    for measure in codes.MEASURES.values():
        with pytest.raises(TypeError, match="expected uint8 images"):
            measure(np.zeros((2, 4, 4, 1)))
