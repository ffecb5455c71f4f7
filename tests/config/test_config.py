"""What is accepted comes out as written, equal after a round trip, and hashes alike."""

import copy
import dataclasses
import hashlib
import json
import pickle

import pytest
import yaml

from ganzoo import config, entries, paths
from ganzoo.config import dump, load_config, to_dict

SHIPPED = sorted(entries.shipped())


# What comes out


def test_a_file_becomes_dataclasses_with_the_stem_as_name(mine, tmp_path):
    assert mine.name == "mine"
    assert mine.path == tmp_path / "mine.yaml"
    assert mine.gan == config.PartConfig("dcgan", {"latent_dim": 8})
    assert mine.generator.options["image_shape"] == (8, 8, 1)
    assert mine.optimizers["generator"].options == {"learning_rate": 2e-4, "beta_1": 0.5}
    assert mine.data == config.DataConfig("digits", 8)
    assert mine.training == config.TrainingConfig(10)
    assert mine.evaluation == config.EvaluationConfig((), 10000)
    assert (mine.paper, mine.licence) == ("", "")


def test_a_dict_gives_the_same_config_as_the_file(mine, data):
    assert load_config(data()) == mine


def test_defaults_are_those_that_published_hashes_rest_on():
    assert dataclasses.asdict(config.DataConfig("x", 8)) == {
        "dataset": "x", "image_size": 8, "batch_size": 64, "flip": False, "split": "train",
        "labels": False, "channels": None, "crop": None, "labelled": None, "stream": False,
    }  # fmt: skip
    assert dataclasses.asdict(config.TrainingConfig(1)) == {
        "steps": 1, "seed": 0, "ema_decay": 0.999, "precision": "float32",
        "checkpoint_every": None, "sample_every": 1000, "log_every": 100,
        "sync_batch_norm": False,
    }  # fmt: skip


def test_a_config_cannot_be_changed(mine):
    with pytest.raises(dataclasses.FrozenInstanceError):
        mine.name = "other"
    with pytest.raises(TypeError):
        mine.gan.options["latent_dim"] = 9
    with pytest.raises(TypeError):
        mine.optimizers["generator"] = None


def test_a_config_can_be_hashed_pickled_and_copied(mine):
    assert len({mine, pickle.loads(pickle.dumps(mine)), copy.deepcopy(mine)}) == 1


def test_the_source_dict_is_neither_kept_nor_changed(data):
    source = data()
    before = copy.deepcopy(source)
    loaded = load_config(source)
    source["generator"]["image_shape"][0] = 99
    assert loaded.generator.options["image_shape"] == (8, 8, 1)
    source["generator"]["image_shape"][0] = 8
    assert source == before


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_config_survives_dict_json_and_yaml(name, file):
    first = load_config(paths.zoo_configs() / f"{name}.yaml")
    assert load_config(json.loads(json.dumps(to_dict(first)))) == first
    # The workdir's copy has another stem.
    assert load_config(file(dump(first), "config")) == first


@pytest.mark.parametrize(
    "text",
    ["1e-4", "yes", "null", "", "~", "12", "09", "0x1F", "1_000", "1:30", "2024-01-01", "=", "<<"]
    + ["a: b", "- x", "two\nlines", "naïve 文", " padded ", "true", ".5", "1.e3", "#", "*a", "!t"],
)
def test_text_that_looks_like_something_else_survives_dump(text, file, data):
    first = load_config(data(gan={"class": "dcgan", "option": [text, {"deep": text}]}))
    second = load_config(file(dump(first)))
    assert second == first
    assert second.gan.options["option"][0] == text
    assert yaml.safe_load(dump(first))["gan"]["option"][0] == text  # other readers agree


@pytest.mark.parametrize(
    ("written", "read"),
    [("1e-4", 1e-4), ("2.0e-4", 2e-4), ("5E+2", 500.0), (".5", 0.5), ("1.", 1.0), ("-3", -3)]
    + [("010", 10), ("null", None), ("~", None), ("true", True), ("False", False)]
    + [("yes", "yes"), ("off", "off"), ("'1e-4'", "1e-4"), ("1:30", "1:30"), ("e5", "e5")],
)
def test_plain_scalars_are_read_as_yaml_1_2(written, read, file, text):
    loaded = load_config(file(text.replace("latent_dim: 8", f"option: {written}")))
    assert loaded.gan.options["option"] == read
    assert type(loaded.gan.options["option"]) is type(read)


# The hash


def test_hash_is_sha256_of_canonical_json_of_what_a_step_depends_on(data):
    player = {"image_shape": [8, 8, 1], "width": 4}
    parts = {
        "data": {"dataset": "digits", "image_size": 8},
        "discriminator": {"network": "dcgan_discriminator", **player},
        "gan": {"class": "dcgan", "latent_dim": 8},
        "generator": {"network": "dcgan_generator", **player},
        "optimizers": {
            "discriminator": {"class": "adam", "learning_rate": 0.0002},
            "generator": {"class": "adam", "beta_1": 0.5, "learning_rate": 0.0002},
        },
        "training": {},
    }
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()
    assert load_config(data()).hash == hashlib.sha256(canonical).hexdigest()


@pytest.mark.parametrize(
    "override",
    ["training.steps=99", "training.checkpoint_every=1", "training.sample_every=1"]
    + ["training.log_every=1", "summary=x", "paper=x", "licence=x", "evaluation.images=2"]
    + ["evaluation.every=5", "evaluation.extractor=inception", "evaluation.metrics=[fid]"]
    + ["optimizers.generator.learning_rate=0.0002", "gan.latent_dim=8.0", "data.batch_size=64"]
    + ["training.ema_decay=0.999", "training.seed=0", "data.channels=null", "data.labelled=null"],
)
def test_hash_is_blind_to_what_changes_no_step(override, data):
    assert load_config(data(), [override]).hash == load_config(data()).hash


@pytest.mark.parametrize(
    "override",
    ["gan.latent_dim=9", "gan.class=other", "generator.width=5", "discriminator.width=5"]
    + ["optimizers.generator.beta_1=0.4", "data.batch_size=32", "data.dataset=other"]
    + [
        "data.flip=true",
        "training.seed=1",
        "training.ema_decay=0",
        "training.precision=mixed_float16",
    ]
    + ["data.channels=1", "data.split=test", "data.labelled=100"],
)
def test_hash_sees_what_changes_a_step(override, data):
    assert load_config(data(), [override]).hash != load_config(data()).hash


def test_hash_is_blind_to_the_order_of_keys_and_sees_true_apart_from_1(data):
    turned = {key: data()[key] for key in reversed(data())}
    turned["gan"] = {"latent_dim": 8, "class": "dcgan"}
    assert load_config(turned).hash == load_config(data()).hash
    one, true = ({"class": "dcgan", "option": value} for value in (1, True))
    assert load_config(data(gan=one)).hash != load_config(data(gan=true)).hash
