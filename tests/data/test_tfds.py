import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from ganzoo.data import load, open_source

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (40, 12, 10, 3), dtype=np.uint8)
LABELS = RNG.integers(0, 3, 40)


def store(folder, name="tiny_faces", features=None, examples=None, **options):
    """Writes a data set in TFDS' own format."""
    if features is None:
        features = {
            "picture": tfds.features.Image(shape=(12, 10, 3)),
            "mood": tfds.features.ClassLabel(names=["sad", "so-so", "glad"]),
            "age": tfds.features.Scalar(tf.int32),
        }
        examples = [
            {"picture": image, "mood": int(label), "age": 3}
            for image, label in zip(IMAGES, LABELS, strict=True)
        ]
    examples = list(enumerate(examples))
    options = {"version": "1.0.0", "disable_shuffling": True} | options
    return tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        features=tfds.features.FeaturesDict(features),
        split_datasets={"train": examples[:30], "test": examples[30:]},
        data_dir=folder,
        **options,
    )


def test_a_tfds_data_set_is_read_by_name(tmp_path):
    store(tmp_path / "tfds")
    opened = open_source("tiny_faces", data_dir=tmp_path / "tfds")
    by_tfds = tfds.load("tiny_faces", data_dir=tmp_path / "tfds", split="train")
    np.testing.assert_array_equal(opened.images, [e["picture"] for e in tfds.as_numpy(by_tfds)])
    np.testing.assert_array_equal(opened.images, IMAGES[:30])
    np.testing.assert_array_equal(opened.labels, LABELS[:30])
    assert opened.class_names == ("sad", "so-so", "glad")
    assert "tiny_faces" in opened.name


@pytest.mark.parametrize(
    "split, chosen",
    [
        ("test", slice(30, 40)),
        ("train[:10]", slice(0, 10)),
        ("train[50%:]", slice(15, 30)),
        ("train+test", slice(0, 40)),
    ],
)
def test_tfds_splits_are_understood(tmp_path, split, chosen):
    store(tmp_path / "tfds")
    opened = open_source("tiny_faces", data_dir=tmp_path / "tfds", split=split)
    np.testing.assert_array_equal(opened.images, IMAGES[chosen])
    np.testing.assert_array_equal(opened.labels, LABELS[chosen])


def test_all_splits_at_once(tmp_path):
    store(tmp_path / "tfds")
    assert len(open_source("tiny_faces", data_dir=tmp_path / "tfds", split="all")) == 40


@pytest.mark.parametrize("split", ["tset", "tset[:3]", "train[:x]", "train[99"])
def test_a_wrong_tfds_split_raises(tmp_path, split):
    store(tmp_path / "tfds")
    with pytest.raises(ValueError, match="no split"):
        open_source("tiny_faces", data_dir=tmp_path / "tfds", split=split)


def test_the_folder_of_tfds_itself_is_searched(tmp_path, monkeypatch):
    store(tmp_path / "tfds")
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path / "tfds"))
    assert len(open_source("tiny_faces")) == 30
    (tmp_path / "other").mkdir()
    assert len(open_source("tiny_faces", data_dir=tmp_path / "other")) == 30


def test_a_tfds_folder_is_a_source_by_path(tmp_path):
    store(tmp_path / "tfds", version="1.9.0")
    store(tmp_path / "tfds", version="1.10.0")
    for path in ("tiny_faces", "tiny_faces/1.9.0"):
        opened = open_source(tmp_path / "tfds" / path)
        assert len(opened) == 30
        assert ("1.10.0" in opened.name) == (path == "tiny_faces")


def test_configs_are_found_by_name(tmp_path):
    config = tfds.core.BuilderConfig(name="small", version="1.0.0")
    store(tmp_path / "tfds", config=config)
    for name in ("tiny_faces/small", "tiny_faces", "tiny-faces"):
        assert len(open_source(name, data_dir=tmp_path / "tfds")) == 30


def test_tfds_images_are_decoded_once_and_cached(tmp_path, monkeypatch):
    builder = store(tmp_path / "tfds")
    first = open_source("tiny_faces", data_dir=tmp_path / "tfds", image_size=8)
    assert first.images.shape == (30, 8, 8, 3)
    monkeypatch.setattr(type(builder), "as_dataset", None)
    monkeypatch.setattr(tfds.core.DatasetBuilder, "as_dataset", None)
    again = open_source("tiny_faces", data_dir=tmp_path / "tfds", image_size=8)
    assert isinstance(again.images, np.memmap)
    assert again.fingerprint == first.fingerprint


def test_tfds_and_an_array_of_the_same_pixels_decode_alike(tmp_path):
    store(tmp_path / "tfds")
    by_name = open_source("tiny_faces", data_dir=tmp_path / "tfds", image_size=8, channels=1)
    by_array = open_source(IMAGES[:30], image_size=8, channels=1)
    assert by_name.fingerprint == by_array.fingerprint


def test_grey_and_16_bit_features(tmp_path):
    features = {"image": tfds.features.Image(shape=(None, None, 1), dtype=np.uint16)}
    deep = IMAGES[..., :1].astype(np.uint16) * 257
    store(tmp_path / "tfds", features=features, examples=[{"image": image} for image in deep])
    opened = open_source("tiny_faces", data_dir=tmp_path / "tfds")
    np.testing.assert_array_equal(opened.images, IMAGES[:30, ..., :1])
    assert opened.labels is None


def test_of_two_label_features_neither_is_guessed(tmp_path):
    features = {
        "image": tfds.features.Image(shape=(12, 10, 3)),
        "a": tfds.features.ClassLabel(num_classes=2),
        "b": tfds.features.ClassLabel(num_classes=2),
    }
    examples = [{"image": image, "a": 0, "b": 1} for image in IMAGES]
    store(tmp_path / "tfds", features=features, examples=examples)
    assert open_source("tiny_faces", data_dir=tmp_path / "tfds").labels is None
    with pytest.raises(ValueError, match="has no labels"):
        load("tiny_faces", data_dir=tmp_path / "tfds", labels=True, batch_size=4)


@pytest.mark.parametrize(
    "features, example, message",
    [
        ({"text": tfds.features.Text()}, {"text": "x"}, "no data set of images: it has text"),
        (
            {"image": tfds.features.Image(shape=(4, 4, 1), dtype=np.float32)},
            {"image": np.ones((4, 4, 1), np.float32)},
            "must be uint8 or uint16. Received: .*float32",
        ),
    ],
)
def test_what_is_no_image_data_set_is_refused(tmp_path, features, example, message):
    store(tmp_path / "tfds", features=features, examples=[example] * 40)
    with pytest.raises(ValueError, match=message):
        open_source("tiny_faces", data_dir=tmp_path / "tfds")


@pytest.mark.parametrize("name", ["cifar10", "lsun/bedroom", "celeb_a", "fashion-mnist"])
def test_offline_a_known_name_that_is_not_on_disk_is_an_error_at_once(tmp_path, monkeypatch, name):
    def no_network(*_, **__):
        raise AssertionError("asked the network")

    monkeypatch.setattr(tfds, "builder", no_network)
    with pytest.raises(OSError, match=f"not on disk, and GANZOO_OFFLINE.*{tmp_path}"):
        open_source(name, data_dir=tmp_path)


def test_online_what_tfds_cannot_prepare_is_one_clear_error(tmp_path, monkeypatch):
    class Builder:
        class info:
            full_name = "cifar10/3.0.2"
            features = tfds.features.FeaturesDict({"image": tfds.features.Image()})

        def download_and_prepare(self):
            raise ConnectionError("no route")

    monkeypatch.setenv("GANZOO_OFFLINE", "0")
    monkeypatch.setattr(tfds, "builder", lambda *_, **__: Builder())
    with pytest.raises(OSError, match="TFDS cannot prepare cifar10/3.0.2: no route"):
        open_source("cifar10")


def test_online_data_is_downloaded_to_data_dir_only_if_that_was_an_argument(tmp_path, monkeypatch):
    asked = []

    def builder(name, data_dir):
        asked.append((name, data_dir))
        raise ValueError("enough")

    monkeypatch.setenv("GANZOO_OFFLINE", "")
    monkeypatch.setattr(tfds, "builder", builder)
    monkeypatch.setenv("GANZOO_DATA_DIR", str(tmp_path))
    for options in ({}, {"data_dir": tmp_path}):
        with pytest.raises(ValueError, match="TFDS cannot open 'cifar10': enough"):
            open_source("cifar10", **options)
    assert asked == [("cifar10", None), ("cifar10", tmp_path)]
