"""`evaluate` where modes are counted: points of the ring and the grid, and stacked digits."""

import json

import numpy as np
import pytest

from ganzoo import data, visualize
from ganzoo.data import stacked as stacked_source
from ganzoo.metrics import evaluation, modes, verification
from ganzoo.metrics.stacked import stack
from tests.metrics.fakes import Blocks, images


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path))


def evaluate(gan, real, **options):
    return evaluation.evaluate(gan, real, **{"progress": False, **options})


# --- points


@pytest.mark.parametrize(("name", "make"), [("ring", modes.ring), ("grid", modes.grid)])
def test_perfect_points_cover_all_modes_and_so_do_held_out_ones(name, make):
    mixture = make()
    found = evaluate(mixture.sample(2500, seed=9), name)
    assert list(found) == ["modes", "high_quality"]
    assert found["modes"].value == found["modes"].floor == len(mixture.centres)
    assert found["high_quality"].value == pytest.approx(1 - np.exp(-4.5), abs=0.007)
    assert found["high_quality"].floor == pytest.approx(1 - np.exp(-4.5), abs=0.007)
    assert found["high_quality"].value != found["high_quality"].floor  # points of another draw


def test_points_are_judged_by_their_modes():
    ring = modes.ring()
    half = ring.sample(2000, seed=1)
    half = half[half[:, 1] > 0.5]  # three modes of eight
    far = np.full((len(half), 2), np.nan, np.float32)
    found = evaluate(np.concatenate([half, far]), "ring", floor=False)
    assert found["modes"].value == 3
    assert found["high_quality"].value == pytest.approx(0.5 * (1 - np.exp(-4.5)), abs=0.01)
    assert found["modes"].floor is None
    on_grid = evaluate(half, "grid", metrics="modes", floor=False)
    assert on_grid["modes"].value == 0


def test_scores_of_points_say_what_they_rest_on_and_need_no_extractor():
    found = evaluate(modes.ring().sample(70), "ring", seed=3)
    for score in found.values():
        facts = (score.images, score.real_images, score.split, score.seed, score.extractor)
        assert facts == (70, 70, "train", 3, None)
    assert "points: 70 points, seed 3" in str(found) and "against 70 of ring" in str(found)
    card = verification.to_card(found)
    assert card["modes"]["tolerance"] < 1 and json.dumps(card)


def test_points_need_modes_that_are_known():
    points = modes.ring().sample(50)
    with pytest.raises(ValueError, match="the modes are known: expected .*'ring'.*<Points array"):
        evaluate(points, points)
    assert evaluate(points, data.open_source("ring"))["modes"].value == 8


@pytest.mark.parametrize(
    ("samples", "real", "metrics", "message"),
    [
        ("points", "ring", "fid", r"fid is a score of images. Received: points .*modes, high_qua"),
        ("points", "ring", "ms_ssim", "ms_ssim is a score of images"),
        ("images", "images", "modes", r"modes is a score of points. Received: images of .*8, 8, 1"),
        ("images", "ring", "ms_ssim", "ring holds points: leave image_size out"),
        ("points", "images", "modes", "the modes are known"),
        ("images", "images", "stacked_kl", "stacked_kl expects digits in 3 channels"),
        ("wide", "ring", "modes", r"Expected points of \(2,\).*Received: \(3,\)"),
    ],
)
def test_metrics_of_other_data_are_refused(samples, real, metrics, message):
    given = {
        "points": np.zeros((30, 2), np.float32),
        "wide": np.zeros((30, 3), np.float32),
        "images": images(30),
        "ring": "ring",
    }
    with pytest.raises(ValueError, match=message):
        evaluate(given[samples], given[real], metrics=metrics)


# --- stacked digits


class Levels(Blocks):
    """Tells a digit by its grey level: 20 times the digit, and a little more."""

    name = "mnist_classifier"
    classes = 10

    def __call__(self, pixels):
        features, _ = super().__call__(pixels)
        digits = pixels[:, 0, 0, 0] // 20
        return features, np.eye(10, dtype=np.float32)[digits]


@pytest.fixture
def digits(tmp_path, monkeypatch):
    monkeypatch.setattr(stacked_source, "_COUNTS", {"train": 1500, "test": 900})
    rng = np.random.default_rng(0)
    arrays = {}
    for split in ("train", "test"):
        labels = rng.integers(0, 10, 400)
        noise = rng.integers(0, 5, (400, 8, 8))
        arrays |= {f"x_{split}": (20 * labels[:, None, None] + noise).astype(np.uint8)}
        arrays |= {f"y_{split}": labels}
    np.savez(tmp_path / "mnist.npz", **arrays)
    return arrays, {"data_dir": tmp_path, "extractor": Levels()}


def expected(labels):
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    return len(shares), float(np.sum(shares * np.log(1000 * shares)))


def test_stacked_digits_are_classified_a_channel_at_a_time(digits):
    arrays, options = digits
    fakes, labels = stack(arrays["x_train"], arrays["y_train"], count=700, seed=4)
    found = evaluate(fakes, "stacked_mnist", metrics=["stacked_modes", "stacked_kl"], **options)
    count, divergence = expected(labels)
    assert found["stacked_modes"].value == count and count > 300
    assert found["stacked_kl"].value == pytest.approx(divergence, rel=1e-12)
    held_out = data.open_source("stacked_mnist", split="test", data_dir=options["data_dir"])
    from ganzoo.metrics.references import draw

    count, divergence = expected(held_out.labels[draw(900, 700, 0)[0]])
    assert found["stacked_modes"].floor == count
    assert found["stacked_kl"].floor == pytest.approx(divergence, rel=1e-12)
    assert found["stacked_kl"].extractor == "mnist_classifier"


def test_no_features_of_the_real_stacked_images_are_computed(digits):
    _, options = digits
    real = data.open_source("stacked_mnist", data_dir=options["data_dir"])
    evaluate(real.images[:200], real, metrics="stacked_modes", floor=False, **options)
    assert sum(options["extractor"].batches) == 3 * 200


def test_a_collapsed_sampler_has_one_triple(digits):
    _, options = digits
    one = np.full((600, 8, 8, 3), (0, 45, 180), np.uint8)
    found = evaluate(one, "stacked_mnist", floor=False, **options)
    assert list(found) == ["stacked_modes", "stacked_kl"]  # the usual ones of this data set
    assert found["stacked_modes"].value == 1
    assert found["stacked_kl"].value == pytest.approx(np.log(1000))


def test_another_classifier_does_not_count_digits(digits):
    _, options = digits
    other = options["extractor"]
    other.name = "fashion_mnist_classifier"
    one = np.zeros((60, 8, 8, 3), np.uint8)
    with pytest.raises(ValueError, match="stacked_modes is the name of a score on mnist_classif"):
        evaluate(one, "stacked_mnist", **options)


def test_the_classifier_of_digits_is_what_stacked_metrics_take_by_themselves(digits):
    _, options = digits
    real = data.open_source("stacked_mnist", data_dir=options["data_dir"], image_size=28)
    found = evaluate(real.images[:50], real, metrics=["stacked_modes"], floor=False)
    assert found["stacked_modes"].extractor == "mnist_classifier"
    assert 1 <= found["stacked_modes"].value <= 50


# --- how many


@pytest.mark.parametrize(
    ("shape", "real", "metrics", "count"),
    [((2,), "ring", None, 2_500), ((8, 8, 1), "digits", "ms_ssim", 10_000)],
)
def test_as_many_samples_are_made_as_papers_count(shape, real, metrics, count):
    one = evaluation.Evaluator(
        real, image_shape=shape, metrics=metrics, floor=False, progress=False
    )
    assert one.images == count


def test_as_many_stacked_digits_are_made_as_papers_count(digits):
    _, options = digits
    one = evaluation.Evaluator(
        "stacked_mnist", image_shape=(8, 8, 3), floor=False, progress=False, **options
    )
    assert one.images == 26_000


def test_a_picture_file_of_points_is_a_source_to_score_against(tmp_path):
    visualize.save_points(modes.grid().sample(30), tmp_path / "cloud.npz")
    assert data.open_source(tmp_path / "cloud.npz").images.shape == (30, 2)
