"""Real data sets, where `GANZOO_TEST_DATA` names the folders that hold them (joined by `:`)."""

import os
from pathlib import Path

import numpy as np
import pytest

from ganzoo.data import batches, open_source

pytestmark = pytest.mark.slow


@pytest.fixture
def folder():
    """Returns a function from a file's name to the folder that holds it."""

    def folder(name):
        places = os.environ.get("GANZOO_TEST_DATA", "").split(os.pathsep)
        found = [Path(place) for place in places if place and Path(place, name).exists()]
        if not found:
            pytest.skip(f"needs {name} in a folder of GANZOO_TEST_DATA")
        return found[0]

    return folder


def test_mnist_is_whole_and_in_its_order(folder):
    data_dir = folder("mnist.npz")
    train = open_source("mnist", data_dir=data_dir)
    assert train.images.shape == (60000, 28, 28, 1)
    assert abs(train.images.mean() - 33.318) < 0.001
    np.testing.assert_array_equal(train.labels[:8], [5, 0, 4, 1, 9, 2, 1, 3])
    test = open_source("mnist", data_dir=data_dir, split="test")
    assert test.images.shape == (10000, 28, 28, 1)
    np.testing.assert_array_equal(test.labels[:8], [7, 2, 1, 0, 4, 1, 4, 9])


def test_fashion_mnist_is_read_from_its_idx_files(folder):
    data_dir = folder("fashion-mnist")
    train = open_source("fashion_mnist", data_dir=data_dir)
    assert train.images.shape == (60000, 28, 28, 1)
    np.testing.assert_array_equal(np.bincount(train.labels), [6000] * 10)
    assert abs(train.images.mean() / 255 - 0.2860) < 0.0001  # As its users normalize it.
    test = open_source("fashion_mnist", data_dir=data_dir, split="test")
    np.testing.assert_array_equal(np.bincount(test.labels), [1000] * 10)


def test_celeba_faces_decode_once_into_a_map(folder):
    options = {"image_size": 64, "crop": 178, "progress": False}
    faces = open_source(folder("celeba64.zip") / "celeba64.zip", **options)
    assert faces.images.shape == (36715, 64, 64, 3)
    assert isinstance(faces.images, np.memmap)
    assert faces.labels is None and faces.skipped == ()
    red, green, blue = faces.images[::10].mean(axis=(0, 1, 2))
    assert red > green > blue  # Faces.
    again = open_source(folder("celeba64.zip") / "celeba64.zip", **options)
    assert again.fingerprint == faces.fingerprint
    batch = next(batches(faces, batch_size=64, flip=True).as_numpy_iterator())
    assert batch.shape == (64, 64, 64, 3)
    assert -1 <= batch.min() < -0.9 and 0.9 < batch.max() <= 1
