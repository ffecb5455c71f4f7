"""`ganzoo generate` with classes, codes, traversals and truncation."""

import numpy as np
import pytest
from PIL import Image

from ganzoo import builders, entries, latent, registry, visualize, weights
from tests.commands.words import one_line

NAMES = ["low", "middle", "high"]
NARROW = {"image_shape": [8, 8, 1], "width": 2, "smallest": 2}
SHARED = {
    "summary": "Tiny",
    "optimizers": {
        "generator": {"class": "adam", "learning_rate": 1e-3},
        "discriminator": {"class": "adam", "learning_rate": 1e-3},
    },
    "training": {"steps": 1},
}
ENTRIES = {
    "tiny_cgan": {
        "gan": {"class": "cgan", "latent_dim": 5, "classes": NAMES},
        "generator": {"network": "dcgan_generator", "conditioning": "concat", **NARROW},
        "discriminator": {"network": "dcgan_discriminator", "conditioning": "concat", **NARROW},
        "data": {"dataset": "digits", "image_size": 8, "labels": True},
    },
    "tiny_infogan": {
        "gan": {
            "class": "infogan",
            "latent_dim": 9,
            "codes": {"digit": 4, "rotation": [-1, 1]},
        },
        "generator": {"network": "dcgan_generator", **NARROW},
        "discriminator": {"network": "dcgan_discriminator", "auxiliary": 6, **NARROW},
        "data": {"dataset": "digits", "image_size": 8},
    },
}


@pytest.fixture(scope="module")
def gans(tmp_path_factory):
    """The GANs of two entries, and the flag that loads the weights of each."""
    folder, before = tmp_path_factory.mktemp("weights"), dict(entries._own)
    found = {}
    for name, config in ENTRIES.items():
        registry.register({"name": name, **SHARED, **config})
        gan = builders.build(registry.entry(name))
        for variable in gan.generator_ema.weights:  # fresh ones make images that are all grey
            spread = np.random.default_rng(0).standard_normal(variable.shape)
            variable.assign(np.abs(spread) if "variance" in variable.path else spread)
        path = folder / f"{name}.safetensors"
        weights.write(path, weights.collect(gan), {})
        found[name] = builders.load(name, weights=path), f"--weights={path}"
    yield found
    entries._own.clear()
    entries._own.update(before)


@pytest.fixture
def generate(cli_run, gans):
    """Runs the command; returns the images that it writes."""

    def run(name, *words):
        code, out, err = cli_run("generate", name, "--out=a.npz", gans[name][1], *words)
        assert code == 0, err
        images = np.load("a.npz")["images"]
        assert out.startswith(f"{len(images)} images of {name}, seed ")
        return images

    return run


@pytest.fixture
def refused(cli_run, gans):
    def run(name, *words):
        code, _, err = cli_run("generate", name, gans[name][1], *words)
        assert code in (1, 2)
        return one_line(err)

    return run


@pytest.mark.parametrize(
    ("words", "labels"),
    [
        ([], [0, 1, 2] * 8),
        (["--num=4"], [0, 1, 2, 0]),
        (["--labels=1", "--num=3"], [1, 1, 1]),
        (["--labels=high", "--num=2"], [2, 2]),
        (["--labels=high,0", "--num=4"], [2, 2, 0, 0]),
        (["--labels=middle,2"], [1] * 8 + [2] * 8),
        (["--labels=all", "--num=6"], [0, 0, 1, 1, 2, 2]),
    ],
)
def test_labels_choose_the_classes(generate, gans, words, labels):
    gan, _ = gans["tiny_cgan"]
    images = generate("tiny_cgan", "--seed=4", *words)
    np.testing.assert_array_equal(images, gan.generate(labels=labels, seed=4))
    assert len(labels) == 2 or np.ptp(images) > 100


@pytest.mark.parametrize(
    ("words", "columns"),
    [([], 3), (["--labels=all"], 8), (["--labels=1,2", "--num=6"], 3), (["--labels=1"], 8)],
)
def test_a_picture_has_a_column_or_a_row_for_each_class(cli_run, generate, gans, words, columns):
    images = generate("tiny_cgan", *words)
    assert cli_run("generate", "tiny_cgan", "--out=a.png", gans["tiny_cgan"][1], *words)[0] == 0
    expected = visualize.grid(images, columns=columns, scale=None)
    np.testing.assert_array_equal(np.asarray(Image.open("a.png")), expected[..., 0])


def test_codes_are_fixed_and_others_drawn(generate, gans):
    gan, _ = gans["tiny_infogan"]
    images = generate("tiny_infogan", "--codes=digit=3,rotation=-0.5", "--num=5")
    expected = gan.generate(5, seed=0, codes={"digit": 3, "rotation": -0.5})
    np.testing.assert_array_equal(images, expected)
    images = generate("tiny_infogan", "--codes=rotation=1", "--num=6")
    expected = gan.generate(6, seed=0, codes={"digit": [0, 1, 2, 3, 0, 1], "rotation": 1})
    np.testing.assert_array_equal(images, expected)
    assert len(generate("tiny_infogan")) == 32


def test_truncation_holds_latents_near_to_zero(generate, gans):
    gan, _ = gans["tiny_cgan"]
    images = generate("tiny_cgan", "--truncation=0.3", "--num=3")
    np.testing.assert_array_equal(images, gan.generate(3, seed=0, truncation=0.3))
    assert (images != gan.generate(3, seed=0)).any()


def test_a_traversal_is_that_of_the_package(cli_run, generate, gans):
    gan, flag = gans["tiny_infogan"]
    images = generate("tiny_infogan", "--traverse=rotation", "--num=30", "--seed=2")
    expected = latent.traverse(gan, "rotation", n=3, steps=10, seed=2)
    np.testing.assert_array_equal(images, expected)
    fixed = generate("tiny_infogan", "--traverse=rotation", "--num=20", "--codes=digit=2")
    expected = latent.traverse(gan, "rotation", n=2, steps=10, seed=0, codes={"digit": 2})
    np.testing.assert_array_equal(fixed, expected)
    assert len(generate("tiny_cgan", "--traverse=1")) == 80
    words = ("--traverse=rotation", "--num=20", "--out=a.gif")
    assert cli_run("generate", "tiny_infogan", flag, *words)[0] == 0
    with Image.open("a.gif") as picture:
        assert picture.n_frames == 18  # there and back


def test_a_row_of_a_walk_keeps_its_class(generate, gans):
    gan, _ = gans["tiny_cgan"]
    images = generate("tiny_cgan", "--interpolate", "--num=24", "--labels=2,0")
    expected = visualize.interpolate(gan, 3, 8, seed=0, labels=[2, 0, 2])
    np.testing.assert_array_equal(images, expected)
    images = generate("tiny_cgan", "--interpolate", "--num=16")
    np.testing.assert_array_equal(images, visualize.interpolate(gan, 2, 8, seed=0, labels=[0, 1]))


@pytest.mark.parametrize(
    ("name", "words", "told"),
    [
        ("tiny_cgan", ["--labels=hihg"], "Unknown label 'hihg'; did you mean 'high'?"),
        ("tiny_cgan", ["--labels=3"], "Expected labels in [0, 2]"),
        ("tiny_cgan", ["--labels=all,1"], "leave the others out"),
        ("tiny_cgan", ["--labels=0,1", "--num=5"], "the next is 6"),
        ("tiny_cgan", ["--codes=digit=3"], "--codes is for InfoGANs: tiny_cgan has no codes"),
        ("tiny_infogan", ["--labels=3"], "tiny_infogan is unconditional"),
        ("tiny_infogan", ["--codes=digit"], "expected --codes=NAME=VALUE"),
        ("tiny_infogan", ["--codes=digit=1,digit=2"], "Received: 'digit=2'"),
        ("tiny_infogan", ["--codes=digti=1"], "did you mean 'digit'?"),
        ("tiny_infogan", ["--codes=rotation=2"], "nearest: 1"),
        ("tiny_infogan", ["--traverse=rotaton"], "did you mean 'rotation'?"),
        ("tiny_infogan", ["--traverse=digit", "--codes=digit=1"], "leave it out of --codes"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_in_one_line(refused, name, words, told):
    assert told in refused(name, *words)
