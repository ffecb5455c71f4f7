"""Stacked MNIST as a source, on a stand-in for MNIST."""

import numpy as np
import pytest

from ganzoo.data import open_source, stacked
from ganzoo.metrics.stacked import stack

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(stacked, "_COUNTS", {"train": 300, "test": 40})


@pytest.fixture
def digits(tmp_path):
    """Digits whose grey level tells their class: 20 times the class, and a little more."""
    arrays = {}
    for split, count in (("train", 60), ("test", 30)):
        labels = RNG.integers(0, 10, count)
        noise = RNG.integers(0, 5, (count, 8, 8))
        arrays |= {f"x_{split}": (20 * labels[:, None, None] + noise).astype(np.uint8)}
        arrays |= {f"y_{split}": labels}
    np.savez(tmp_path / "mnist.npz", **arrays)
    return tmp_path, arrays


def test_each_channel_is_a_digit_of_its_own_and_the_label_tells_all_three(digits):
    opened = open_source("stacked_mnist", data_dir=digits[0])
    assert opened.images.shape == (300, 8, 8, 3) and opened.name == "stacked_mnist"
    classes = opened.images[:, 0, 0].astype(int) // 20
    np.testing.assert_array_equal(opened.labels, classes @ [100, 10, 1])
    assert (classes[:, 0] != classes[:, 1]).any() and len(np.unique(opened.labels)) > 150
    assert opened.class_names[7] == "007" and len(opened.class_names) == 1000


def test_the_draw_is_that_of_the_metric_s_own_function(digits):
    folder, arrays = digits
    for split, count in (("train", 300), ("test", 40)):
        opened = open_source("stacked-mnist", split=split, data_dir=folder)
        images, labels = stack(arrays[f"x_{split}"], arrays[f"y_{split}"], count=count)
        np.testing.assert_array_equal(opened.images, images)
        np.testing.assert_array_equal(opened.labels, labels)


def test_it_is_drawn_once_and_anew_for_other_digits(digits, monkeypatch, home):
    folder, arrays = digits
    first = open_source("stacked_mnist", data_dir=folder)
    assert isinstance(first.images, np.memmap)
    monkeypatch.setattr(stacked, "stack", lambda *_, **__: pytest.fail("drawn again"))
    again = open_source("stacked_mnist", data_dir=folder)
    assert again.fingerprint == first.fingerprint and len(list((home / "data").iterdir())) == 1
    np.testing.assert_array_equal(again.labels, first.labels)
    monkeypatch.undo()
    for key, changed in (("x_train", arrays["x_train"] + 1), ("y_train", arrays["y_train"][::-1])):
        np.savez(folder / "mnist.npz", **{**arrays, key: changed})
        monkeypatch.setenv("GANZOO_HOME", str(home))
        monkeypatch.setattr(stacked, "_COUNTS", {"train": 300})
        other = open_source("stacked_mnist", data_dir=folder)
        same = (other.fingerprint == first.fingerprint, (other.labels == first.labels).all())
        assert same == (key != "x_train", key != "y_train")


def test_size_is_that_of_the_digits_and_depth_is_three(digits):
    opened = open_source("stacked_mnist", data_dir=digits[0], image_size=4, channels=3)
    assert opened.images.shape == (300, 4, 4, 3)
    with pytest.raises(ValueError, match="stacked_mnist has 3 channels. Received: channels=1"):
        open_source("stacked_mnist", data_dir=digits[0], channels=1)
    with pytest.raises(ValueError, match="no split 'all'"):
        open_source("stacked_mnist", data_dir=digits[0], split="all")


def test_digits_without_labels_are_refused(tmp_path):
    np.savez(tmp_path / "mnist.npz", images=RNG.integers(0, 256, (9, 8, 8), np.uint8))
    with pytest.raises(ValueError, match="digits with labels"):
        open_source("stacked_mnist", data_dir=tmp_path)
