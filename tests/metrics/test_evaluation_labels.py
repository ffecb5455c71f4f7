"""`evaluate` of GANs with labels, with codes, and of those that classify."""

import json

import numpy as np
import pytest

import ganzoo
from ganzoo.gans import ACGAN, CGAN
from ganzoo.labels import categorical_code
from ganzoo.metrics import evaluation, per_class, verification
from ganzoo.metrics.frechet import frechet_distance
from ganzoo.metrics.references import draw
from ganzoo.networks.dcgan import dcgan_discriminator, dcgan_generator
from tests import small
from tests.metrics.fakes import Blocks, images

SHAPE = (8, 8, 1)
NAMES = ("dark", "middle", "bright")
OF_LABELS = ["label_accuracy", "intra_fcd", "intra_ms_ssim"]
pytestmark = pytest.mark.filterwarnings("ignore:intra_fcd of")  # few images


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path))


class Brightness(Blocks):
    """Tells three classes by the mean grey level."""

    name = "brightness_classifier"
    classes = 3

    def __call__(self, pixels):
        features, _ = super().__call__(pixels)
        return features, np.eye(3, dtype=np.float32)[classes_of(pixels)]


def classes_of(pixels):
    return np.minimum(pixels.mean(axis=(1, 2, 3)) // 86, 2).astype(int)


def real_images(count=120, seed=0):
    """Images with the labels that their brightness gives; the classes are not equally frequent."""
    pixels = images(count, seed=seed, high=230)
    return pixels, classes_of(pixels)


def evaluate(gan, data, **options):
    options = {"extractor": Brightness(), "metrics": OF_LABELS, "progress": False, **options}
    return evaluation.evaluate(gan, data, **options)


def networks(kind=CGAN):
    options = {"width": 2, "smallest": 2, "classes": 3}
    extra = {"auxiliary": 3} if kind is ACGAN else {"conditioning": "concat", "classes": 3}
    generator = dcgan_generator(SHAPE, latent_dim=5, **options, conditioning="concat")
    return generator, dcgan_discriminator(SHAPE, width=2, smallest=2, **extra)


@pytest.fixture(scope="module")
def cgan():
    return small.gan(networks, kind=CGAN, latent_dim=5, classes=NAMES, name="mine")


class Asked:
    """Notes what a GAN is asked for."""

    def __init__(self, gan, monkeypatch):
        self.calls, generate = [], gan.generate

        def noting(*arguments, **options):
            self.calls.append(options)
            return generate(*arguments, **options)

        monkeypatch.setattr(gan, "generate", noting)


def test_a_conditional_gan_is_asked_for_the_real_images_own_labels(cgan, monkeypatch):
    real, labels = real_images()
    asked = Asked(cgan, monkeypatch)
    found = evaluate(cgan, (real, labels), images=60, floor=False, seed=3)
    (call,) = asked.calls
    rows = draw(120, 60, 3)[0]
    np.testing.assert_array_equal(np.sort(call["labels"]), np.sort(labels[rows]))
    fake = cgan.generate(60, seed=3, labels=call["labels"])
    expected = np.mean(classes_of(fake) == call["labels"])
    assert found["label_accuracy"].value == expected
    of_pair = evaluate((fake, call["labels"]), (real, labels), floor=False, seed=3)
    assert of_pair.values_only == found.values_only


def test_the_images_do_not_depend_on_the_metrics(cgan):
    data = real_images()
    one = evaluate(cgan, data, images=60, metrics="ms_ssim", floor=False)
    two = evaluate(cgan, data, images=60, metrics=["ms_ssim", "label_accuracy"], floor=False)
    assert one["ms_ssim"].value == two["ms_ssim"].value


def test_each_class_is_reachable_by_name_and_real_images_stand_beside():
    (real, labels), (held, held_labels) = real_images(), real_images(seed=5)
    wrong = np.roll(np.arange(3), 1)[held_labels]  # each class under the next one's name
    found = evaluate((held, wrong), (real, labels))
    assert found["label_accuracy"].value == 0 and found["label_accuracy"].floor == 1
    assert set(found["intra_fcd"].by_class) == {"0", "1", "2"}
    assert found["intra_fcd"].floor < found["intra_fcd"].value / 20
    rows, others = draw(120, 60, 0, held_out=True)
    features = Blocks()
    for label in range(3):
        one = features(real[rows][labels[rows] == label])[0]
        two = features(held[wrong == label])[0]
        three = features(real[others][labels[others] == label])[0]
        assert found["intra_fcd"].by_class[str(label)] == pytest.approx(
            frechet_distance(one, two), rel=1e-6
        )
        assert found["intra_fcd"].floor_by_class[str(label)] == pytest.approx(
            frechet_distance(one, three), rel=1e-6
        )
    similar = per_class.intra_ms_ssim(held, wrong)
    assert found["intra_ms_ssim"].value == similar.value
    assert json.loads(found.to_json())["scores"]["intra_fcd"]["by_class"]


def test_a_table_shows_the_classes_by_their_names_beside_real_ones(cgan):
    found = evaluate(cgan, real_images(), images=60)
    lines = str(found).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("class "))
    assert [line.split()[0] for line in lines[start + 1 : start + 4]] == list(NAMES)
    score = found["label_accuracy"]
    told = f"{score.by_class['bright']:.4g} ({score.floor_by_class['bright']:.4g})"
    assert told in lines[start + 3]


def test_labels_are_scored_by_default_where_there_are_any(cgan):
    usual = {"metrics": None, "images": 60, "floor": False}
    assert set(OF_LABELS) <= set(evaluate(cgan, real_images(), **usual))
    plain = small.gan(lambda: (dcgan_generator(SHAPE, latent_dim=5, width=2, smallest=2),
                               dcgan_discriminator(SHAPE, width=2, smallest=2)))  # fmt: skip
    assert not set(OF_LABELS) & set(evaluate(plain, real_images(), **usual))


def test_an_unconditional_gan_is_refused_before_real_images_are_read():
    plain = small.gan(options={"size": 8})
    extractor = Brightness()
    for metric in OF_LABELS:
        with pytest.raises(ValueError, match=f"{metric} is a score of images made for a label.*"
                           f"Received: {plain.name}, a GAN that is unconditional"):  # fmt: skip
            evaluate(plain, real_images(), metrics=metric, extractor=extractor)
    assert not extractor.batches
    with pytest.raises(ValueError, match="intra_fcd is .* Received: images without labels"):
        evaluate(images(30), real_images(), metrics="intra_fcd")
    with pytest.raises(ValueError, match="code_agreement is a score of images made for a cat"):
        evaluate(plain, real_images(), metrics="code_agreement")
    with pytest.raises(ValueError, match="test_errors is a score of a GAN that tells the classes"):
        evaluate(plain, real_images(), metrics="test_errors", extractor=None)


def test_real_images_without_labels_are_refused_to_scores_of_labels_alone(cgan, monkeypatch):
    with pytest.raises(ValueError, match="label_accuracy needs real images with labels. Received"):
        evaluate(cgan, real_images()[0])
    asked = Asked(cgan, monkeypatch)
    evaluate(cgan, real_images()[0], images=30, metrics="ms_ssim")
    np.testing.assert_array_equal(asked.calls[0]["labels"], np.arange(30) % 3)


def test_a_data_set_of_pairs_gives_its_labels(cgan):
    data = ganzoo.data.load(real_images(), batch_size=40, shuffle=False, labels=True)
    found = evaluate(cgan, data, images=60, floor=False)
    expected = evaluate(cgan, real_images(), images=60, floor=False)
    assert found.values_only == expected.values_only


def test_few_images_of_a_class_are_warned_of(cgan):
    with pytest.warns(UserWarning, match="intra_fcd of classes of .* fewer than the 4 features"):
        labels = np.repeat([0, 1], [15, 3])
        real = images(120), np.arange(120) % 2
        evaluate((images(18), labels), real, metrics="intra_fcd", floor=False)


def test_verify_checks_each_class_of_a_card(cgan):
    found = evaluate(cgan, real_images(), images=60)
    stated = verification.to_card(found)["intra_fcd"]
    checks = verification._class_checks("intra_fcd", stated, found["intra_fcd"])
    own = [f"intra_fcd, {name}" for name in NAMES]
    assert [check.metric for check in checks] == [*own, *(f"{one}, real" for one in own)]
    assert all(check.holds for check in checks)
    stated["by_class"]["bright"] *= 1.1
    stated["floor_by_class"]["dark"] += 1.1 * stated["tolerance"]
    held = verification._class_checks("intra_fcd", stated, found["intra_fcd"])
    assert [check.holds for check in held] == [True, True, False, False, True, True]
    floorless = evaluate(cgan, real_images(), images=60, floor=False)["intra_fcd"]
    held = verification._class_checks("intra_fcd", stated, floorless)
    assert not any(check.holds for check in held[3:])


# --- codes


class Coded:
    """An InfoGAN's side that an evaluation sees, whose images have their code's brightness."""

    conditions = ("codes",)
    codes = {"level": range(3), "tilt": (-1.0, 1.0)}


@pytest.fixture
def coded(monkeypatch):
    gan = small.gan(options={"size": 8}, eager=True)
    gan.conditions, calls = Coded.conditions, []
    monkeypatch.setattr(type(gan), "codes", Coded.codes, raising=False)
    level = {0: 200, 1: 40, 2: 120}  # another order than the classes have

    def generate(n, *, codes, **options):
        calls.append(codes)
        grey = np.array([level[one] for one in codes["level"]])
        return np.broadcast_to(grey[:, None, None, None], (n, *SHAPE)).astype(np.uint8)

    monkeypatch.setattr(gan, "generate", generate)
    return gan, calls


def test_codes_are_drawn_and_matched_with_the_classes(coded):
    gan, calls = coded
    assert categorical_code(gan) == ("level", range(3))
    found = evaluate(gan, real_images(), images=90, metrics="code_agreement", seed=2)
    assert found["code_agreement"].value == 1 and found["code_agreement"].floor is None
    counts = np.bincount(calls[0]["level"])
    assert 15 < counts.min() < counts.max() < 45  # drawn, not in turn
    evaluate(gan, real_images(), images=90, metrics="code_agreement", seed=3)
    assert calls[0] != calls[1]
    assert "code_agreement" in evaluate(gan, real_images(), images=90, metrics=None, floor=False)


def test_a_gan_of_continuous_codes_alone_has_no_agreement(coded, monkeypatch):
    gan, _ = coded
    monkeypatch.setattr(type(gan), "codes", {"tilt": (-1.0, 1.0)})
    with pytest.raises(ValueError, match="code_agreement is a score of"):
        evaluate(gan, real_images(), metrics="code_agreement")


# --- classifiers


def test_errors_are_counted_on_the_whole_test_split(tmp_path, monkeypatch):
    gan = small.gan(lambda: networks(ACGAN), kind=ACGAN, latent_dim=5, classes=NAMES, name="mine")
    (train, labels), (test, test_labels) = real_images(40), real_images(30, seed=4)
    path = tmp_path / "levels.npz"
    np.savez(path, x_train=train, y_train=labels, x_test=test, y_test=test_labels)
    monkeypatch.setattr(gan, "generate", None)  # no image is made for it
    found = evaluate(gan, str(path), metrics="test_errors", extractor=None, images=20)
    score = found["test_errors"]
    assert score.value == np.sum(gan.classify(test) != test_labels) > 0
    assert (score.images, score.split, score.extractor) == (30, "test", None)
    (group,) = verification._groups(_card(verification.to_card(found)))
    assert (group["metrics"], group["split"], group["images"]) == (["test_errors"], None, None)


def _card(metrics):
    from types import SimpleNamespace

    return SimpleNamespace(name="mine", metrics=metrics)


def test_data_without_a_labelled_test_split_are_refused_to_test_errors(tmp_path):
    gan = small.gan(lambda: networks(ACGAN), kind=ACGAN, latent_dim=5, classes=NAMES, name="mine")
    options = {"metrics": "test_errors", "extractor": None}
    with pytest.raises(ValueError, match="split 'test'.*Received: no such split"):
        evaluate(gan, real_images(), **options)
    np.savez(tmp_path / "levels.npz", x_train=real_images()[0], x_test=images(9))
    with pytest.raises(ValueError, match="with labels. Received: <Images"):
        evaluate(gan, str(tmp_path / "levels.npz"), **options)
