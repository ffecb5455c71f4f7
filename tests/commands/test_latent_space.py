from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo import latent
from ganzoo.commands import inpaint, pictures
from tests.commands.words import one_line

DATA = ("--data=digits", "--split=train")
SEARCH = ("--steps=3", "--restarts=1", "--num=3", *DATA)


def shown(path):
    """The pixels of a grey picture."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L"))


@pytest.fixture(scope="module")
def gan(workdir):
    from ganzoo import builders

    narrow = {"generator": {"width": 8}, "discriminator": {"width": 8}}
    return builders.load("dcgan_digits", weights=str(workdir / "final.safetensors"), **narrow)


def test_arithmetic_numbers_images_and_shows_the_equation(cli_run, trained, gan):
    code, out, _ = cli_run("arithmetic", "dcgan_digits", "--num=9", "--seed=1", *trained)
    assert code == 0 and "dcgan_digits_numbered.png" in out
    numbered = latent.numbered(gan.generate(9, seed=1))
    np.testing.assert_array_equal(shown("dcgan_digits_numbered.png"), numbered[..., 0])
    words = ("--terms=0,3 - 1,2 + 8", "--num=9", "--seed=1", "--out=a/sum.png")
    code, out, _ = cli_run("arithmetic", "dcgan_digits", *words, *trained)
    assert code == 0 and "a/sum.png" in out
    picture = latent.arithmetic(gan, "0,3 - 1,2 + 8", of=9, seed=1).picture()
    np.testing.assert_array_equal(shown("a/sum.png"), picture[..., 0])


def test_traverse_shows_rows_along_an_axis(cli_run, trained, gan):
    words = ("--axis=3", "--rows=2", "--steps=4", "--seed=5")
    code, out, _ = cli_run("traverse", "dcgan_digits", *words, *trained)
    assert code == 0 and "dcgan_digits_axis3.png" in out
    picture = latent.traverse_grid(gan, 3, n=2, steps=4, seed=5)
    np.testing.assert_array_equal(shown("dcgan_digits_axis3.png"), picture[..., 0])


def test_neighbours_shows_samples_beside_the_nearest_real_images(cli_run, trained, gan):
    words = ("--num=3", "--k=2", "--out=n.webp")
    code, out, _ = cli_run("neighbours", "dcgan_digits", *words, *trained)
    assert code == 0 and "grey levels away: n.webp" in out
    digits = ganzoo.data.open_source("digits")
    picture = latent.neighbours(gan, digits, n=3, k=2).picture()
    np.testing.assert_array_equal(shown("n.webp"), picture[..., 0])


def test_invert_takes_files_or_images_of_the_data_set(cli_run, trained):
    digit = ganzoo.data.open_source("digits").images[5]
    ganzoo.visualize.save(digit, "five.png", scale=1)
    words = ("--steps=3", "--restarts=1", "--tune=2")
    code, out, err = cli_run("invert", "dcgan_digits", "five.png", *words, *trained)
    assert code == 0 and "1 images" in out and "tuned" in out and "dB" in out and "step" in err
    picture = shown("dcgan_digits_inverted.png")
    assert picture.shape == (4 * 8 + 4, 3 * 34 + 2)
    np.testing.assert_array_equal(picture[2:34:4, 2:34:4], digit[..., 0])
    code, out, _ = cli_run("invert", "dcgan_digits", *SEARCH, "--out=i.png", *trained)
    assert code == 0 and "3 images" in out and shown("i.png").shape[1] == 2 * 34 + 2


def test_inpaint_takes_kinds_of_masks_and_pictures_of_them(cli_run, trained):
    Image.fromarray(np.uint8([[0, 255], [255, 255]])).save("m.png")
    Image.fromarray(np.uint8([[0] * 4 + [255] * 8] * 8)).save("wide.png")  # its centre is 8x8
    holes = {"center": np.s_[2:6, 2:6], "m.png": np.s_[:4, :4], "wide.png": np.s_[:, :2]}
    for mask, hole in holes.items():
        words = (f"--mask={mask}", "--blend=paste", "--window=0", *SEARCH)
        code, out, _ = cli_run("inpaint", "dcgan_digits", *words, *trained)
        assert code == 0 and "in the holes" in out
        picture = shown("dcgan_digits_inpainted.png")[2:-2, 2:-2]
        assert picture.shape == (3 * 34 - 2, 4 * 34 - 2)
        masked, _, result, given = (
            picture[:32:4, left : left + 32 : 4] for left in range(0, 136, 34)
        )
        known = np.ones((8, 8), bool)
        known[hole] = False
        assert (masked[~known] == 128).all()
        np.testing.assert_array_equal(result[known], given[known])
        np.testing.assert_array_equal(masked[known], given[known])


@pytest.mark.parametrize("size", [8, 4])
@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_a_mask_is_turned_and_cropped_as_the_image_below_it(tmp_path, size, orientation, turns):
    known = np.random.default_rng(orientation).random((8, 14)) < 0.5
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.uint8(known * 255)).save(tmp_path / "m.png", exif=exif)
    mask = inpaint._mask(str(tmp_path / "m.png"), size)
    upright = np.rot90(known[:, 3:11], turns)
    step = 8 // size  # the nearest pixel: that in the middle, of two the second
    np.testing.assert_array_equal(mask, upright[step // 2 :: step, step // 2 :: step])
    if size == 8:
        image = pictures.read_image(str(tmp_path / "m.png"), size=size, channels=1)
        np.testing.assert_array_equal(image[..., 0], mask * 255)


@pytest.fixture
def broken_files(cli_run, monkeypatch):
    """Files that are no images, are cut off, or too large to be meant."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    Path("notes.txt").write_text("no image")
    Image.fromarray(np.zeros((15, 15), np.uint8)).save("bomb.png")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 9), np.uint8)).save("cut.png")
    Path("cut.png").write_bytes(Path("cut.png").read_bytes()[:60])


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("notes.txt", "not an image of a known format"),
        ("cut.png", "image file is truncated"),
        ("bomb.png", "Image size (225 pixels) exceeds limit"),
    ],
)
@pytest.mark.parametrize(
    "words", [["invert", "{}"], ["inpaint", "{}"], ["inpaint", "--mask={}", *DATA]]
)
def test_a_broken_image_or_mask_is_named(cli_run, trained, broken_files, words, file, why):
    command, *rest = (word.format(file) for word in words)
    code, _, err = cli_run(command, "dcgan_digits", *rest, *trained)
    assert code == 1 and one_line(err).startswith(f"ganzoo: Cannot decode {file}: {why}")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["arithmetic", "dcgan_digits", "--terms=1 - x"], 1, "'3,8,21 - 5,9,11"),
        (["arithmetic", "dcgan_digits", "--label=3"], 2, "dcgan_digits is unconditional"),
        (["arithmetic", "unrolled_ring"], 2, "unrolled_ring makes no images"),
        (["traverse", "dcgan_digits"], 2, "--code=NAME or --axis=NUMBER"),
        (["traverse", "dcgan_digits", "--axis=1", "--code=a"], 2, "--code=NAME or --axis=NUMBER"),
        (["traverse", "dcgan_digits", "--code=slant"], 1, "this GAN has no codes"),
        (["traverse", "dcgan_digits", "--axis=1", "--out=a.gif"], 2, "end in .png, .webp, .jpg"),
        (["neighbours", "dcgan_digits", "--data=nowhere/"], 1, "nowhere"),
        (["invert", "dcgan_digits"], 1, "no split 'test'"),
        (["invert", "dcgan_digits", "no.png"], 1, "no.png: No such file"),
        (["invert", "dcgan_digits", "--num=2000", *DATA], 1, "at most --num=1797"),
        (["inpaint", "dcgan_digits", "--mask=centre", *DATA], 1, "did you mean 'center'?"),
        (["inpaint", "dcgan_digits", "--mask=no.png", *DATA], 1, "no.png: No such file"),
        (["inpaint", "dcgan_digits", "--blend=poison", *DATA], 2, "did you mean 'poisson'?"),
    ],
)
def test_what_can_not_be_shown_ends_in_one_clear_line(cli_run, trained, words, code, message):
    found, _, err = cli_run(*words, *(() if "unrolled_ring" in words else trained))
    assert found == code and message in one_line(err)
