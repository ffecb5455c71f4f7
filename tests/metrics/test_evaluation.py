"""`evaluate`: from a GAN, a name or images to scores that say what they rest on."""

import json

import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.metrics import catalogue, evaluation, names
from ganzoo.metrics.frechet import frechet_distance
from ganzoo.metrics.kernel import kernel_distance
from ganzoo.metrics.neighbours import prdc
from ganzoo.metrics.references import draw
from ganzoo.metrics.scores import Evaluation, Score
from tests import small
from tests.metrics.fakes import Blocks, images

SHAPE = (8, 8, 1)
GENERAL = ["frechet_distance", "precision", "recall", "density", "coverage", "ms_ssim"]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path))


def evaluate(gan, data=None, **options):
    options = {"extractor": Blocks(), "metrics": GENERAL, "progress": False, **options}
    return evaluation.evaluate(gan, data, **options)


class Tiny:
    """A network of 8x8 images for `small.gan`."""

    @staticmethod
    def networks():
        from ganzoo.networks import NETWORKS

        options = {"width": 4, "smallest": 2}
        generator = NETWORKS["dcgan_generator"](SHAPE, latent_dim=5, **options)
        return generator, NETWORKS["dcgan_discriminator"](SHAPE, **options)


def tiny_gan():
    return small.gan(Tiny.networks, latent_dim=5)


def test_images_get_the_scores_that_the_mathematics_gives():
    real, fake = images(60), images(40, seed=1, high=128)
    found = evaluate(fake, real, floor=False, seed=2)
    rows = draw(60, 40, 2)[0]
    r, f = (Blocks()(one)[0] for one in (real[rows], fake))
    expected = prdc(r, f)
    assert found["frechet_distance"].value == pytest.approx(frechet_distance(r, f), rel=1e-9)
    for name in ("precision", "recall", "density", "coverage"):
        assert found[name].value == getattr(expected, name)
    assert found["recall"].value < 0.9 < found["precision"].value  # dark ones alone are covered
    assert list(found) == GENERAL


def test_the_floor_is_the_score_of_held_out_real_images():
    real = images(60)
    found = evaluate(images(30, seed=1), real)
    rows, others = draw(60, 30, 0, held_out=True)
    r, held = (Blocks()(real[one])[0] for one in (rows, others))
    assert found["frechet_distance"].floor == pytest.approx(frechet_distance(r, held), rel=1e-9)
    assert found["coverage"].floor == prdc(r, held).coverage
    assert all(score.floor is None for score in evaluate(images(30), real, floor=False).values())


def test_the_floor_comes_from_the_test_split_where_there_is_one(tmp_path):
    train, test = images(50), images(20, seed=5)
    for split, pixels in (("train", train), ("test", test)):
        (tmp_path / "blocks" / split).mkdir(parents=True)
        for number, one in enumerate(pixels):
            ganzoo.visualize.save(one, tmp_path / "blocks" / split / f"{number:03}.png", scale=1)
    found = evaluate(images(50, seed=1), str(tmp_path / "blocks"))
    expected = frechet_distance(Blocks()(train)[0], Blocks()(test)[0])
    assert found["frechet_distance"].floor == pytest.approx(expected, rel=1e-6)
    assert found["frechet_distance"].real_images == 50


def test_real_images_score_better_than_others():
    real = images(200)
    good = evaluate(images(100, seed=1), real)
    bad = evaluate(images(100, seed=1, high=100), real)
    assert good["frechet_distance"].value < bad["frechet_distance"].value / 5
    assert good["coverage"].value > 0.8 > 0.7 > bad["coverage"].value


def test_a_kernel_distance_of_whole_sets_has_no_deviation():
    """All subsets are the same, and their deviation of 1e-16 is none of the score."""
    few = evaluate(images(30, seed=1), images(60), metrics="kernel_distance", floor=False)
    assert few["kernel_distance"].real_images == few["kernel_distance"].images == 30
    assert few["kernel_distance"].std is None and "std" not in str(few)
    rows = draw(60, 30, 0)[0]
    r, f = (Blocks()(one)[0] for one in (images(60)[rows], images(30, seed=1)))
    expected, _ = kernel_distance(r, f, subsets=3, subset_size=30)
    assert few["kernel_distance"].value == pytest.approx(expected, rel=1e-9)
    many = evaluate(images(1010, seed=1), images(1010), metrics="kernel_distance", floor=False)
    assert many["kernel_distance"].std > 1e-9


def test_every_score_says_what_it_rests_on():
    for score in evaluate(images(30), images(60), seed=4).values():
        facts = (score.images, score.real_images, score.split, score.seed)
        assert facts == (30, 30, "train", 4)
        network = (score.extractor, score.extractor_hash, score.resize)
        of_pixels = score.metric == "ms_ssim"
        assert network == ((None,) * 3 if of_pixels else ("blocks", "b" * 64, "none"))


def test_a_gan_is_scored_on_the_images_of_its_seed():
    gan = tiny_gan()
    found = evaluate(gan, images(60), images=30, seed=7)
    again = evaluate(gan.generate(30, seed=7), images(60), seed=7)
    assert found.values_only == again.values_only and found.subject == gan.name
    other = evaluate(gan, images(60), images=30, seed=7, batch_size=11)
    assert other.values_only == pytest.approx(found.values_only)
    assert evaluate(gan, images(60), images=30, seed=8).values_only != found.values_only


def test_the_moving_average_is_scored_unless_told_otherwise():
    gan = tiny_gan()
    for variable in gan.generator_ema.weights:
        variable.assign(variable * 0)
    flat, raw = (evaluate(gan, images(60), images=30, ema=e, metrics="ms_ssim") for e in (1, 0))
    assert flat["ms_ssim"].value == pytest.approx(1) and raw["ms_ssim"].value < 1


def test_a_data_set_of_ganzoo_gives_its_epoch():
    data = ganzoo.data.load(images(64), batch_size=32, shuffle=False)
    found = evaluate(images(32, seed=1), data, floor=False)
    assert found.values_only == evaluate(images(32, seed=1), images(64), floor=False).values_only


def test_a_data_set_that_does_not_end_raises():
    data = tf.data.Dataset.from_tensors(images(8)).repeat()
    with pytest.raises(ValueError, match="a data set that ends. Received: an infinite one"):
        evaluate(images(8), data)


@pytest.mark.parametrize("name", ["fid", "kid", "inception_score", "fcd", "fd_efficientnet"])
def test_a_name_is_refused_to_features_that_it_is_not_due_to(name):
    with pytest.raises(ValueError, match=f"{name} is the name of a score on .*Received: extractor"):
        evaluate(images(30), images(60), metrics=[name])


def test_only_the_hash_of_the_2015_network_gives_the_word_fid():
    blocks = Blocks()
    blocks.name = "inception"
    with pytest.raises(ValueError, match="fid is the name of"):
        evaluate(images(30), images(60), metrics=["fid"], extractor=blocks)
    blocks.hash = catalogue.FID_SHA256[:63] + "0"
    with pytest.raises(ValueError, match="fid is the name of"):
        evaluate(images(30), images(60), metrics=["fid"], extractor=blocks)
    blocks.hash = catalogue.FID_SHA256
    assert blocks.hash.startswith("6726825d")
    assert list(evaluate(images(30), images(60), metrics=["fid"], extractor=blocks)) == ["fid"]


def test_metrics_of_pixels_need_no_extractor():
    found = evaluate(images(30), images(60), metrics=["ms_ssim", "copies"], extractor=None)
    assert found["copies"].value == 0 and found["copies"].floor is None
    data = images(60)
    assert evaluate(data[:30], data, metrics="copies", extractor=None)["copies"].value == 1


def test_copies_of_large_images_are_found_at_a_smaller_size():
    data = np.repeat(np.repeat(images(40), 12, axis=1), 12, axis=2)  # 96x96
    noisy = (
        data[:20].astype(int) + np.random.default_rng(0).integers(-3, 4, data[:20].shape)
    ).clip(0, 255)
    found = evaluate(noisy.astype("uint8"), data, metrics="copies", extractor=None)
    assert found["copies"].value > 0.9
    other = np.repeat(np.repeat(images(20, seed=9), 12, axis=1), 12, axis=2)
    assert evaluate(other, data, metrics="copies", extractor=None)["copies"].value < 0.1


@pytest.fixture
def streamed(tmp_path):
    """60 images in a TFRecord file, decoded as they are read."""
    with tf.io.TFRecordWriter(str(tmp_path / "a.tfrecord")) as file:
        for one in images(60):
            data = tf.train.BytesList(value=[tf.io.encode_png(one).numpy()])
            features = tf.train.Features(feature={"image": tf.train.Feature(bytes_list=data)})
            file.write(tf.train.Example(features=features).SerializeToString())
    return ganzoo.data.open_source(tmp_path / "a.tfrecord", stream=True, progress=False)


@pytest.mark.parametrize(
    ("asked", "others"),
    [(["precision", "copies"], r"\(precision\)"), ("copies", "precision, recall, density")],
)
def test_copies_of_streamed_images_are_refused_at_the_start(streamed, asked, others):
    with pytest.raises(ValueError, match=f"(?s)copies .*other metrics alone .*{others}.*stream="):
        evaluation.Evaluator(streamed, image_shape=SHAPE, extractor=Blocks(), metrics=asked)


def test_streamed_images_are_scored_by_default_without_copies(streamed):
    found = evaluate(images(30, seed=1), streamed, metrics=None)
    known = evaluate(images(30, seed=1), images(60), metrics=None)
    assert "copies" in known and list(found) == [name for name in known if name != "copies"]
    assert all(found[name].value == known[name].value for name in found)


def test_wrong_names_raise_with_the_nearest():
    with pytest.raises(ValueError, match="Unknown metric 'precison'; did you mean 'precision'"):
        evaluate(images(30), images(60), metrics=["precison"])
    with pytest.raises(ValueError, match="Unknown feature extractor 'incepton'.*'inception'"):
        evaluate(images(30), images(60), extractor="incepton")
    with pytest.raises(ValueError, match="an extractor for grey images.*'mnist_classifier'"):
        evaluate(images(30), images(60), extractor=None)
    with pytest.raises(ValueError, match="Unknown entry 'dcgan_mnits'.*dcgan_mnist|dcgan_mnist"):
        evaluate("dcgan_mnits")


def test_too_few_images_raise_and_a_frechet_distance_of_few_warns():
    with pytest.raises(ValueError, match="precision takes at least 5 real and .* Received: 2 real"):
        evaluate(images(2), images(60), metrics=["precision"], floor=False)
    with pytest.raises(ValueError):
        evaluate(images(1), images(60), floor=False)
    with pytest.warns(UserWarning, match="fewer than the 4 features"):
        evaluate(images(3), images(60), metrics=["frechet_distance"], floor=False)


def test_images_of_another_shape_or_range_raise():
    with pytest.raises(ValueError, match="Expected images of .*8, 8, 1.*Received: .*16, 16, 1"):
        evaluation.Evaluator(
            images(60), image_shape=SHAPE, extractor=Blocks(), metrics=GENERAL, progress=False
        ).score(small.images(30, size=16))
    with pytest.raises(ValueError):
        evaluate(images(30).astype("float32") * 3, images(60))
    with pytest.raises(ValueError):
        evaluate(np.full((30, 8, 8, 1), np.nan, "float32"), images(60))
    with pytest.raises(ValueError, match="Expected data=, the real images"):
        evaluate(images(30))


def test_constant_features_raise():
    with pytest.raises(ValueError, match="differ between images"):
        evaluate(images(30), np.full((60, 8, 8, 1), 7, np.uint8), metrics=["frechet_distance"])


def test_the_catalogue_has_just_the_names_that_configs_may_use():
    assert list(catalogue.CATALOGUE) == list(names.METRICS)
    assert set(names.HIGHER) <= set(names.METRICS)
    for kind, chosen in evaluation.DEFAULTS.items():
        assert set(chosen) <= set(names.METRICS), kind


def test_a_printed_evaluation_is_a_table_and_its_json_has_everything():
    scores = [
        Score(
            "fcd",
            3.14159,
            floor=0.5,
            extractor="mnist_classifier",
            extractor_hash="a" * 64,
            resize="clean",
            images=100,
            real_images=90,
            seed=3,
        ),
        Score("kernel_distance", 0.01, std=0.002, images=100, real_images=90, seed=3),
    ]
    found = Evaluation("dcgan_x", "mnist", "f" * 64, scores)
    lines = str(found).splitlines()
    assert lines[0].split() == ["metric", "value", "std", "real", "data"]
    assert lines[1].split() == ["fcd", "3.142", "0.5"]
    assert lines[2].split() == ["kernel_distance", "0.01", "0.002"]
    assert "dcgan_x: 100 images, seed 3" in lines[4] and "aaaaaaaaaaaa, resize clean" in lines[-1]
    told = json.loads(found.to_json())
    assert told["data"] == {"name": "mnist", "fingerprint": "f" * 64}
    assert told["scores"]["fcd"]["extractor_hash"] == "a" * 64
    assert told["scores"]["fcd"]["value"] == 3.14159 and "std" not in told["scores"]["fcd"]
