"""Pictures of points: each where its coordinates say, modes marked, limits from the data."""

import numpy as np
import pytest
from PIL import Image

from ganzoo import visualize
from ganzoo.metrics import modes
from ganzoo.scatter import limits_of, scatter

SQUARE = ((-1.0, 1.0), (-1.0, 1.0))
RNG = np.random.default_rng(0)


def blue(picture):
    """Rows and columns of the pixels that points left."""
    red, _, blue = (picture[..., n].astype(int) for n in range(3))
    return np.argwhere(blue - red > 60)


def orange(picture):
    red, _, blue = (picture[..., n].astype(int) for n in range(3))
    return np.argwhere(red - blue > 60)


@pytest.mark.parametrize("x", [-0.9, 0.0, 0.7])
@pytest.mark.parametrize("y", [-0.5, 0.95])
def test_a_point_lies_where_its_coordinates_say_with_y_upwards(x, y):
    picture = scatter([[x, y]], limits=SQUARE)
    assert picture.shape == (512, 512, 3) and picture.dtype == np.uint8
    row, column = blue(picture).mean(axis=0)
    frame = 512 - 2 * 32
    assert column == pytest.approx(32 + frame * (x + 1) / 2, abs=1)
    assert row == pytest.approx(32 + frame * (1 - y) / 2, abs=1)


def test_points_out_of_the_limits_or_not_finite_are_left_out():
    inside = scatter([[0.2, 0.3]], limits=SQUARE)
    others = [[0.2, 0.3], [1.01, 0], [0, -7], [np.nan, 0], [0, np.inf]]
    np.testing.assert_array_equal(scatter(others, limits=SQUARE), inside)
    assert len(blue(scatter(np.full((4, 2), np.nan)))) == 0


@pytest.mark.parametrize(("make", "half"), [(modes.ring, 1.5), (modes.grid, 6.0)])
def test_limits_come_from_the_modes_not_from_the_samples(make, half):
    mixture = make()
    limits = limits_of(1000 * RNG.normal(size=(50, 2)), mixture)
    np.testing.assert_allclose(limits, [[-half, half]] * 2)


def test_limits_without_modes_are_square_and_hold_every_point():
    points = RNG.normal([5, -3], [10, 1], (200, 2))
    (left, right), (bottom, top) = limits_of(points)
    assert right - left == pytest.approx(top - bottom)
    assert right - left == pytest.approx(1.1 * np.ptp(points[:, 0]))
    assert left < points[:, 0].min() and bottom < points[:, 1].min() and top > points[:, 1].max()
    assert limits_of([[3.0, 4.0]]) == ((2.0, 4.0), (3.0, 5.0))


def test_every_mode_has_its_mark_and_samples_lie_over_it():
    ring = modes.ring()
    empty = scatter(np.empty((0, 2)), mixture=ring)
    marks = orange(empty)
    middle = (marks - 255.5) / (448 / 3)  # the limits are -1.5 and 1.5
    angles = np.arctan2(-middle[:, 0], middle[:, 1])
    sectors = np.bincount(np.rint(angles / (np.pi / 4)).astype(int) % 8, minlength=8)
    assert sectors.min() > 20
    np.testing.assert_allclose(np.linalg.norm(middle, axis=1), 1, atol=0.06)
    assert not len(orange(scatter(np.empty((0, 2)))))
    edge = ring.centres[0] + [7 / (448 / 3), 0]
    row, column = 256, round(32 + 448 * (edge[0] + 1.5) / 3)
    assert [row, column] in orange(empty).tolist()
    assert [row, column] in blue(scatter([edge], mixture=ring)).tolist()


@pytest.mark.parametrize(
    "points", [np.zeros((3, 3)), np.zeros(4), np.zeros((2, 2, 2)), [["a", "b"]]]
)
def test_what_is_no_points_in_the_plane_is_refused(points):
    with pytest.raises(ValueError, match=r"Expected points \(N, 2\) for a picture"):
        scatter(points)
    with pytest.raises(ValueError, match="Expected size, 128 or more"):
        scatter([[0, 0]], size=100)


# --- through `visualize`


def test_points_are_saved_as_a_picture_of_them(tmp_path):
    points = modes.ring().sample(40)
    path = visualize.save(points, tmp_path / "new" / "a.png")
    np.testing.assert_array_equal(np.asarray(Image.open(path)), scatter(points))
    np.testing.assert_array_equal(np.asarray(visualize.preview(points)), scatter(points))
    marked = visualize.save_points(points, tmp_path / "b.webp", mixture=modes.ring(), size=200)
    expected = scatter(points, mixture=modes.ring(), size=200)
    np.testing.assert_array_equal(np.asarray(Image.open(marked).convert("RGB")), expected)


def test_points_of_any_dimension_are_saved_as_an_array(tmp_path):
    for points in (RNG.normal(size=(9, 5)) * 100, modes.ring().sample(9)):
        path = visualize.save_points(points, tmp_path / "a.npz")
        np.testing.assert_array_equal(np.load(path)["points"], points.astype(np.float32))
    with pytest.raises(ValueError, match="Expected points .*Received: float64"):
        visualize.save_points(RNG.normal(size=(9, 5)), tmp_path / "a.png")


def test_points_are_no_images_and_no_animation(tmp_path):
    with pytest.raises(ValueError, match=r"Received: points \(9, 2\)"):
        visualize.to_uint8(np.zeros((9, 2), np.float32))
    with pytest.raises(ValueError, match=r"ends in .png, .webp, .jpg, .jpeg, .npz"):
        visualize.save(np.zeros((9, 2), np.float32), tmp_path / "a.gif")


class Doubler:
    """Its points are its latents, doubled."""

    latent_dim = 2

    def generate(self, *, latents):
        return 2 * latents


def test_a_walk_of_points_has_a_picture_a_step_to_one_scale():
    frames = visualize.interpolation_frames(Doubler(), 5, stops=2, steps=3, seed=1)
    assert frames.shape == (6, 512, 512, 3)
    ends = np.random.default_rng(1).standard_normal((2, 5, 2), np.float32)
    latents = [visualize.slerp(a, b, t) for a, b in (ends, ends[::-1]) for t in (0, 1 / 3, 2 / 3)]
    limits = limits_of(2 * np.concatenate(latents))
    expected = [scatter(2 * one, limits=limits) for one in latents]
    np.testing.assert_array_equal(frames, expected)
    assert visualize.interpolate(Doubler(), 3, 4).shape == (12, 2)
