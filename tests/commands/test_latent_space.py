import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo import latent
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
    for mask in ("center", "m.png"):
        Image.fromarray(np.uint8([[0, 255], [255, 255]])).save("m.png")
        words = (f"--mask={mask}", "--blend=paste", "--window=0", *SEARCH)
        code, out, _ = cli_run("inpaint", "dcgan_digits", *words, *trained)
        assert code == 0 and "in the holes" in out
        picture = shown("dcgan_digits_inpainted.png")[2:-2, 2:-2]
        assert picture.shape == (3 * 34 - 2, 4 * 34 - 2)
        masked, _, result, given = (
            picture[:32:4, left : left + 32 : 4] for left in range(0, 136, 34)
        )
        hole = np.s_[2:6, 2:6] if mask == "center" else np.s_[:4, :4]
        known = np.ones((8, 8), bool)
        known[hole] = False
        assert (masked[~known] == 128).all()
        np.testing.assert_array_equal(result[known], given[known])
        np.testing.assert_array_equal(masked[known], given[known])


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
