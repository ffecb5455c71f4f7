import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from ganzoo import visualize


class Linear:
    """A stand-in for a GAN: its images show the latents, so that paths can be read off them."""

    latent_dim = 12

    def generate(self, *, latents):
        assert latents.shape[1] == self.latent_dim
        levels = np.clip(np.rint(latents * 30 + 128), 0, 255)
        return levels.astype(np.uint8).reshape(-1, 2, 2, 3)


def numbered(n, height=4, width=5, channels=3):
    """Images whose every pixel is the image's number."""
    return np.broadcast_to(
        np.arange(n, dtype=np.uint8)[:, None, None, None], (n, height, width, channels)
    )


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_module_needs_neither_tensorflow_nor_matplotlib():
    code = (
        "import sys, ganzoo.visualize; "
        "sys.exit(bool({'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# -- conversion ------------------------------------------------------------------------------


def test_every_uint8_level_survives_the_way_to_float_and_back():
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    floats = levels.astype(np.float32) / 127.5 - 1
    np.testing.assert_array_equal(visualize.to_uint8(floats), levels)


def test_floats_are_rounded_not_cut():
    image = np.full((1, 1, 1, 1), 0.9 / 127.5 - 1)
    assert visualize.to_uint8(image).item() == 1


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((6, 8, 9, 3), (6, 8, 9, 3)),
        ((6, 8, 9), (6, 8, 9, 1)),
        ((8, 9, 3), (1, 8, 9, 3)),
        ((8, 9), (1, 8, 9, 1)),
    ],
)
def test_shapes_of_images_are_understood(shape, expected):
    assert visualize.to_uint8(np.zeros(shape, np.uint8)).shape == expected


@pytest.mark.parametrize("shape", [(3,), (2, 4, 4, 2), (0, 4, 4, 3), (1, 2, 4, 4, 3)])
def test_shapes_of_no_images_raise(shape):
    with pytest.raises(ValueError, match=r"Expected images \(N, H, W, C\).*Received: shape \("):
        visualize.to_uint8(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("value", [255.0, -1.5, np.nan, np.inf])
def test_floats_out_of_range_raise(value):
    with pytest.raises(ValueError, match=r"Expected float images in \[-1, 1\]"):
        visualize.to_uint8(np.full((1, 4, 4, 1), value))


def test_other_dtypes_raise():
    with pytest.raises(ValueError, match="Received: int64"):
        visualize.to_uint8(np.zeros((1, 4, 4, 1), np.int64))


# -- grids -----------------------------------------------------------------------------------


def test_grid_places_each_image_where_its_number_says():
    picture = visualize.grid(numbered(7), columns=3, padding=1, scale=2, background=99)
    assert picture.shape == (3 * (8 + 1) + 1, 3 * (10 + 1) + 1, 3)
    for i in range(9):
        top, left = 1 + (i // 3) * 9, 1 + (i % 3) * 11
        cell = picture[top : top + 8, left : left + 10]
        assert (cell == (i if i < 7 else 99)).all()
    cells = 7 * 8 * 10 * 3
    assert (picture != 99).sum() == cells


def test_grid_without_padding_or_scale_is_a_transposition():
    images = noise(6, 4, 5, 3)
    expected = images.reshape(2, 3, 4, 5, 3).transpose(0, 2, 1, 3, 4).reshape(8, 15, 3)
    np.testing.assert_array_equal(visualize.grid(images, columns=3, padding=0), expected)


@pytest.mark.parametrize(("n", "rows", "columns"), [(1, 1, 1), (4, 2, 2), (5, 2, 3), (64, 8, 8)])
def test_grid_is_about_square_by_default(n, rows, columns):
    assert visualize.grid(numbered(n), padding=0).shape == (rows * 4, columns * 5, 3)


def test_grid_is_no_wider_than_its_images():
    assert visualize.grid(numbered(3), columns=8, padding=0).shape == (4, 15, 3)


def test_enlarged_pixels_are_exact_squares():
    image = noise(1, 3, 3, 1)
    picture = visualize.grid(image, padding=0, scale=4)
    np.testing.assert_array_equal(picture[..., 0], np.kron(image[0, ..., 0], np.ones((4, 4))))


@pytest.mark.parametrize(("size", "factor"), [(8, 4), (28, 2), (32, 1), (64, 1), (5, 7)])
def test_automatic_scale_makes_cells_of_32_pixels_or_more(size, factor):
    picture = visualize.grid(numbered(4, size, size + 1), padding=0, scale=None)
    assert picture.shape == (2 * factor * size, 2 * factor * (size + 1), 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": 0}, "Expected columns, 1 or more. Received: columns=0"),
        ({"columns": 2.0}, "Received: columns=2.0"),
        ({"padding": -1}, "Expected padding, 0 or more. Received: padding=-1"),
        ({"scale": 0}, "Expected scale, 1 or more. Received: scale=0"),
        ({"scale": "2"}, "Received: scale='2'"),
        ({"background": 256}, "Expected background, 0 to 255. Received: background=256"),
    ],
)
def test_wrong_grid_options_raise(options, message):
    with pytest.raises(ValueError, match=message):
        visualize.grid(numbered(4), **options)


# -- files -----------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".webp", ".PNG"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_lossless_files_hold_the_grid_exactly(tmp_path, suffix, channels):
    images = noise(5, 16, 16, channels)
    path = visualize.save(images, tmp_path / f"new/folder/grid{suffix}", columns=2)
    expected = visualize.grid(images, columns=2, scale=2)
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    with Image.open(path) as opened:
        found = np.asarray(opened.convert(mode)).reshape(expected.shape)
    if channels == 4:  # WebP leaves the colours of fully transparent pixels aside
        found, expected = (np.where(a[..., 3:] > 0, a, 0) for a in (found, expected))
    np.testing.assert_array_equal(found, expected)


def test_jpeg_is_near_the_grid(tmp_path):
    smooth = np.linspace(-1, 1, 64 * 64).reshape(1, 64, 64, 1)
    path = visualize.save(smooth.repeat(3, axis=3), tmp_path / "one.jpg")
    with Image.open(path) as opened:
        error = np.abs(np.asarray(opened, float) - visualize.to_uint8(smooth)[0])
    assert opened.size == (64, 64)
    assert error.max() < 8


def test_one_image_is_saved_without_a_frame(tmp_path):
    image = noise(40, 50, 3)
    with Image.open(visualize.save(image, tmp_path / "one.png")) as opened:
        np.testing.assert_array_equal(np.asarray(opened), image)


def test_picture_of_a_grid_is_saved_as_it_is(tmp_path):
    picture = visualize.grid(noise(9, 28, 28, 3), padding=5)
    with Image.open(visualize.save(picture, tmp_path / "grid.png", padding=9)) as opened:
        np.testing.assert_array_equal(np.asarray(opened), picture)


def test_npz_holds_the_images_themselves(tmp_path):
    images = noise(5, 8, 8, 1)
    path = visualize.save(images / np.float32(127.5) - 1, tmp_path / "images.npz")
    with np.load(path) as found:
        assert found["images"].dtype == np.uint8
        np.testing.assert_array_equal(found["images"], images)


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_animation_holds_each_frame_in_order_for_its_time(tmp_path, suffix):
    frames = noise(6, 8, 8, 1)  # grey, so that a GIF's 256 colours suffice
    path = visualize.animate(frames, tmp_path / f"frames{suffix}", fps=10, scale=3)
    with Image.open(path) as opened:
        assert opened.n_frames == 6
        assert opened.info["loop"] == 0
        for number in range(6):
            opened.seek(number)
            opened.load()
            assert opened.info["duration"] == 100
            shown = np.asarray(opened.convert("L"))
            np.testing.assert_array_equal(shown, np.kron(frames[number, ..., 0], np.ones((3, 3))))


def test_saved_gif_has_an_image_a_frame(tmp_path):
    with Image.open(visualize.save(noise(5, 32, 32, 3), tmp_path / "a.gif", fps=50)) as opened:
        assert (opened.n_frames, opened.size, opened.info["duration"]) == (5, (32, 32), 20)


def test_frames_of_different_shapes_raise(tmp_path):
    frames = [np.zeros((8, 8), np.uint8), np.zeros((9, 8), np.uint8)]
    with pytest.raises(ValueError, match=r"all of one shape.*\(8, 8\), \(9, 8\)"):
        visualize.animate(frames, tmp_path / "a.gif")
    with pytest.raises(ValueError, match="Expected one frame or more"):
        visualize.animate([], tmp_path / "a.gif")


@pytest.mark.parametrize("fps", [0, -1, 51, float("nan")])
def test_frame_rates_that_cannot_be_shown_raise(tmp_path, fps):
    with pytest.raises(ValueError, match="Expected 0 < fps <= 50"):
        visualize.animate(noise(2, 8, 8, 1), tmp_path / "a.gif", fps=fps)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.pgn", r"ends in \.png, .*\.npz\. Received: .*a\.pgn'; did you mean '\.png'"),
        ("a.jpgg", "did you mean '.jpg'"),
        ("a", r"Received: .*a'\."),
    ],
)
def test_unknown_suffix_names_the_nearest(tmp_path, name, message):
    with pytest.raises(ValueError, match=message):
        visualize.save(numbered(4), tmp_path / name)


def test_animation_in_a_still_format_raises(tmp_path):
    with pytest.raises(ValueError, match=r"ends in \.gif, \.webp"):
        visualize.animate(numbered(4), tmp_path / "a.png")


def test_picture_larger_than_its_format_raises(tmp_path):
    with pytest.raises(ValueError, match=r"at most 16383 pixels a side for \.webp.* 16384 x 32"):
        visualize.save(np.zeros((32, 16384), np.uint8), tmp_path / "a.webp")


def test_jpeg_with_transparency_raises(tmp_path):
    with pytest.raises(ValueError, match=r"Expected \.png or \.webp"):
        visualize.save(noise(2, 32, 32, 4), tmp_path / "a.jpg")


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = visualize.save(numbered(4), tmp_path / "a.png")
    before = path.read_bytes()

    def fail(self, file, **options):
        file.write(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="No space left"):
        visualize.save(noise(4, 8, 8, 3), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_files_have_the_permissions_that_the_user_asks_for(tmp_path):
    mask = os.umask(0o027)
    try:
        path = visualize.save(numbered(4), tmp_path / "a.png")
    finally:
        os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_preview_is_a_picture_that_notebooks_show(channels, mode):
    shown = visualize.preview(noise(4, 8, 8, channels), padding=1)
    assert (shown.mode, shown.size) == (mode, (2 * 33 + 1, 2 * 33 + 1))
    assert hasattr(shown, "_repr_png_")


# -- interpolation ---------------------------------------------------------------------------


def test_slerp_starts_at_the_start_and_ends_at_the_end():
    a, b = np.random.default_rng(0).standard_normal((2, 5, 64), np.float32)
    np.testing.assert_array_equal(visualize.slerp(a, b, 0), a)
    np.testing.assert_allclose(visualize.slerp(a, b, 1), b, rtol=0, atol=1e-6)


def test_slerp_of_unit_vectors_stays_on_the_sphere_at_constant_speed():
    a, b = np.random.default_rng(1).standard_normal((2, 16))
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    t = np.linspace(0, 1, 11)
    path = visualize.slerp(a, b, t)
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(np.arccos(path @ a), t * np.arccos(a @ b), atol=1e-7)


def test_slerp_of_two_axes_is_a_circle():
    t = np.linspace(0, 1, 5)
    path = visualize.slerp([1.0, 0.0], [0.0, 1.0], t)
    expected = np.stack([np.cos(t * np.pi / 2), np.sin(t * np.pi / 2)], axis=1)
    np.testing.assert_allclose(path, expected, atol=1e-15)


def test_slerp_of_normal_latents_keeps_their_length_where_a_line_does_not():
    a, b = np.random.default_rng(2).standard_normal((2, 2000, 128))
    middle = visualize.slerp(a, b, 0.5)
    assert np.linalg.norm(middle, axis=1).mean() == pytest.approx(np.sqrt(128), rel=0.01)
    assert np.linalg.norm((a + b) / 2, axis=1).mean() == pytest.approx(8, rel=0.01)


@pytest.mark.parametrize("gap", [0, 1e-12, 1e-7, 1e-5])
def test_slerp_of_near_parallel_vectors_is_the_line(gap):
    a, b = np.array([3.0, 0.0]), np.array([3.0, gap])
    np.testing.assert_allclose(visualize.slerp(a, b, 0.25), [3, gap / 4], rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("end", [[-2.0, 0.0], [0.0, 0.0]])
def test_slerp_to_the_opposite_or_to_zero_is_the_line(end):
    path = visualize.slerp([2.0, 0.0], end, [0, 0.25, 1])
    expected = [[2, 0], [1.5 + 0.25 * end[0], 0], end]
    np.testing.assert_allclose(path, expected, atol=1e-12)


def test_slerp_keeps_float32_and_broadcasts_t_in_front():
    a = np.ones((5, 8), np.float32)
    path = visualize.slerp(a, -a, np.zeros((2, 3)))
    assert (path.shape, path.dtype) == ((2, 3, 5, 8), np.float32)


def test_slerp_of_different_shapes_raises():
    with pytest.raises(ValueError, match=r"Received: \(3,\), \(4,\)"):
        visualize.slerp(np.zeros(3), np.zeros(4), 0)


def test_interpolation_rows_run_between_the_seeded_latents():
    ends = np.random.default_rng(7).standard_normal((2, 3, 12), np.float32)
    images = visualize.interpolate(Linear(), 3, 5, seed=7)
    assert images.shape == (15, 2, 2, 3)
    rows = images.reshape(3, 5, 2, 2, 3)
    np.testing.assert_array_equal(rows[:, 0], Linear().generate(latents=ends[0]))
    np.testing.assert_array_equal(rows[:, -1], Linear().generate(latents=ends[1]))
    steps = np.abs(np.diff(rows.astype(int), axis=1))
    assert steps.max() < np.abs(rows[:, -1].astype(int) - rows[:, 0]).max()


def test_interpolation_grid_has_a_pair_in_each_row():
    picture = visualize.interpolation_grid(Linear(), 3, 5, seed=7, padding=0)
    images = visualize.interpolate(Linear(), 3, 5, seed=7)
    np.testing.assert_array_equal(picture, visualize.grid(images, columns=5, padding=0))


def test_interpolation_frames_come_back_to_the_start_without_a_jump():
    frames = visualize.interpolation_frames(Linear(), 4, 3, 20, seed=0, padding=0, scale=1)
    assert frames.shape == (60, 4, 4, 3)
    steps = np.abs(np.roll(frames, -1, axis=0).astype(int) - frames)
    assert steps.max() < 30
    assert steps[-1].max() > 0


@pytest.mark.parametrize(("n", "steps"), [(0, 8), (8, 1)])
def test_too_few_interpolation_steps_raise(n, steps):
    with pytest.raises(ValueError, match="Expected (n, 1|steps, 2) or more"):
        visualize.interpolate(Linear(), n, steps)
