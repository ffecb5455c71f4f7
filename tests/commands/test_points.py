"""Every command on an entry that makes points."""

import json

import numpy as np
import pytest
import tensorflow as tf
import yaml
from PIL import Image

import ganzoo
from ganzoo import cli, paths, weights
from ganzoo.metrics import modes
from ganzoo.scatter import scatter
from tests.commands.words import one_line

CONFIG = {
    "summary": "Points of a ring",
    "gan": {"class": "non_saturating", "latent_dim": 4},
    "generator": {"network": "mlp_generator", "shape": [2], "width": 8},
    "discriminator": {"network": "mlp_discriminator", "shape": [2], "width": 8},
    "optimizers": {
        "generator": {"class": "adam", "learning_rate": 0.01},
        "discriminator": {"class": "adam", "learning_rate": 0.01},
    },
    "data": {"dataset": "ring", "batch_size": 16},
    "training": {"steps": 6, "ema_decay": 0.5, "sample_every": 3, "log_every": 2},
    "evaluation": {"metrics": ["modes", "high_quality"], "images": 300, "every": 3},
}


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """A zoo of one entry, `planar`, and a finished run of it with its scores."""
    root = tmp_path_factory.mktemp("zoo")
    for folder in ("zoo_configs", "pretrained"):
        (root / folder).mkdir()
    (root / "zoo_configs" / "planar.yaml").write_text(yaml.safe_dump(CONFIG))
    with pytest.MonkeyPatch.context() as patch:
        for folder in ("zoo_configs", "pretrained"):
            patch.setattr(paths, folder, lambda folder=folder: root / folder)
        assert cli.main(["train", "planar", f"--workdir={root / 'run'}"]) == 0
        words = [f"--workdir={root / 'run'}", "--record"]
        assert cli.main(["evaluate", "planar", *words]) == 0
        assert cli.main(["publish", f"--workdir={root / 'run'}"]) == 0
        yield root


@pytest.fixture(scope="module")
def gan(zoo):
    return ganzoo.load("planar")


def test_a_run_draws_its_points_with_the_modes_and_scores_them(zoo, gan):
    samples = sorted((zoo / "run" / "samples").iterdir())
    assert [path.name for path in samples] == ["step_00000003.png", "step_00000006.png"]
    picture = np.asarray(Image.open(samples[0])).astype(int)
    assert picture.shape == (512, 512, 3)
    orange = picture[..., 0] - picture[..., 2] > 60  # what marks the modes
    assert orange.sum() > 8 * 20
    assert (zoo / "run" / "best.keras").exists()
    run = json.loads((zoo / "run" / "run.json").read_text())
    assert run["data"]["image_size"] is None and run["data"]["source"] == "ring"


def test_train_says_what_it_trains_on(zoo, cli_run):
    code, out, _ = cli_run("train", "planar", f"--workdir={zoo / 'run'}", "--steps=6")
    assert code == 0
    assert "6 steps of 16 points" in out and "points:  100,000 of 2 from ring" in out


def test_scores_are_on_the_card_with_their_floors_and_verify(zoo, cli_run, gan):
    metrics = weights.card("planar").metrics
    assert set(metrics) == {"modes", "high_quality"} and metrics["modes"]["floor"] == 8
    ring = modes.ring()
    points = gan.generate(300, seed=0)
    counted = modes.count_modes(points, ring.centres, sigma=ring.sigma)
    assert metrics["modes"]["value"] == counted.covered
    assert metrics["high_quality"]["value"] == counted.high_quality
    code, out, _ = cli_run("verify", "planar")
    assert code == 0 and out.count(" ok") == 4 and "modes, real" in out


def test_verify_finds_a_card_that_lies(zoo, cli_run):
    path = zoo / "pretrained" / "planar.json"
    card = path.read_text()
    modes_now = weights.card("planar").metrics["modes"]
    weights.add_metrics(path, {"modes": {**modes_now, "value": modes_now["value"] + 1}})
    code, _, err = cli_run("verify", "planar")
    path.write_text(card)
    assert code == 1 and "modes is" in one_line(err)


def test_info_speaks_of_points(zoo, cli_run):
    out = cli_run("info", "planar")[1]
    assert "modes, high_quality of 300 points" in out and "100,000 points of ring" in out
    assert "shape 2" in out and "(real images 8)" in out
    assert " ring " in cli_run("list")[1]


def test_generate_draws_all_points_and_marks_the_modes(zoo, cli_run, gan):
    code, out, _ = cli_run("generate", "planar", "--seed=3", "--out=a.png")
    assert code == 0 and "2500 points of planar, seed 3" in out
    picture = scatter(gan.generate(2500, seed=3), mixture=modes.ring())
    np.testing.assert_array_equal(np.asarray(Image.open("a.png")), picture)


def test_generate_writes_points_as_they_are(zoo, cli_run, gan):
    assert cli_run("generate", "planar", "--num=70", "--out=a.npz")[0] == 0
    points = np.load("a.npz")["points"]
    np.testing.assert_array_equal(points, gan.generate(70, seed=0))
    assert points.dtype == np.float32
    assert (
        cli_run("train", "planar", "--workdir=r", "--data=a.npz", "--set=evaluation.every=0")[0]
        == 0
    )


def test_generate_walks_through_points(zoo, cli_run):
    assert cli_run("generate", "planar", "--interpolate", "--num=5", "--out=a.gif")[0] == 0
    with Image.open("a.gif") as walk:
        assert walk.size == (512, 512) and walk.n_frames > 20
    code, out, _ = cli_run("generate", "planar", "--interpolate", "--out=a.png")
    assert code == 0 and "64 points" in out


def test_generate_refuses_an_animation_of_single_points(zoo, cli_run):
    code, _, err = cli_run("generate", "planar", "--out=a.gif")
    assert code == 2 and "points make one picture" in one_line(err)
    wide = ["--set=generator.shape=[3]", "--set=discriminator.shape=[3]", "--weights=none"]
    code, _, err = cli_run("generate", "planar", *wide)
    assert code == 2 and "--format=npz" in one_line(err)


def test_export_names_its_output_points(zoo, cli_run, gan):
    code, out, _ = cli_run("export", "planar", "--format=savedmodel", "--out=saved")
    assert code == 0 and "latents (N, 4) -> points (N, 2): saved" in out
    latents = np.ones((3, 4), np.float32)
    served = tf.saved_model.load("saved").signatures["serving_default"]
    found = served(latents=tf.constant(latents))["points"]
    np.testing.assert_allclose(found, gan.generate(latents=latents), rtol=1e-4, atol=1e-6)


def test_evaluate_refuses_scores_of_images(zoo, cli_run):
    code, _, err = cli_run("evaluate", "planar", "--metrics=fid")
    assert code == 1 and "of points there are modes, high_quality" in one_line(err)
