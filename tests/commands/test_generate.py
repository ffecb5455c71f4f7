import os
from pathlib import Path

import numpy as np
from PIL import Image

import ganzoo
from tests.commands.words import one_line


def test_generate_writes_each_format(cli_run, trained):
    for kind in ("png", "webp", "gif", "npz"):
        code, out, _ = cli_run(
            "generate", "dcgan_digits", "--num=4", f"--out=out/images.{kind}", *trained
        )
        assert code == 0 and f"out/images.{kind}" in out
    images = np.load("out/images.npz")["images"]
    assert images.shape == (4, 8, 8, 1) and images.dtype == np.uint8
    grid = ganzoo.visualize.grid(images, scale=4)[..., 0]
    for kind in ("png", "webp"):
        with Image.open(f"out/images.{kind}") as picture:
            np.testing.assert_array_equal(np.asarray(picture.convert("L")), grid)
    with Image.open("out/images.gif") as picture:
        assert picture.n_frames == 4


def test_generate_gives_the_images_of_the_package(cli_run, trained):
    from ganzoo import builders

    gan = builders.load(
        "dcgan_digits",
        weights=trained[0].partition("=")[2],
        generator={"width": 8},
        discriminator={"width": 8},
    )
    for seed in (0, 3):
        words = ("generate", "dcgan_digits", "--num=5", f"--seed={seed}", "--format=npz")
        assert cli_run(*words, "--batch_size=2", *trained)[0] == 0
        images = np.load("dcgan_digits.npz")["images"]
        np.testing.assert_array_equal(images, gan.generate(5, seed=seed))


def test_generate_interpolates_in_rows_and_in_an_animation(cli_run, trained):
    words = ("generate", "dcgan_digits", "--interpolate", *trained)
    assert cli_run(*words, "--num=16", "--out=rows.npz")[0] == 0
    assert cli_run(*words, "--num=16", "--out=rows.png")[0] == 0
    assert cli_run(*words, "--num=3", "--out=walk.gif")[0] == 0
    images = np.load("rows.npz")["images"]
    assert images.shape == (16, 8, 8, 1)
    with Image.open("rows.png") as picture:
        rows = ganzoo.visualize.grid(images, columns=8, scale=4)[..., 0]
        np.testing.assert_array_equal(np.asarray(picture), rows)
    with Image.open("walk.gif") as picture:
        assert picture.n_frames > 8


def test_generate_adds_the_suffix_that_format_names(cli_run, trained):
    code, out, _ = cli_run(
        "generate", "dcgan_digits", "--num=1", "--out=one", "--format=webp", *trained
    )
    assert code == 0 and "one.webp" in out and Path("one.webp").is_file()


def test_generate_with_weights_of_another_width_names_the_variable_and_both_shapes(
    cli_run, trained
):
    code, _, err = cli_run("generate", "dcgan_digits", trained[0])
    assert code == 1 and "generator_ema/" in one_line(err) and err.count("(") >= 2
    assert not os.listdir()
