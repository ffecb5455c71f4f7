import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ganzoo.data import open_source

IMAGES = np.arange(2 * 36, dtype=np.uint8).reshape(2, 6, 6)


def test_opening_needs_no_tensorflow(write, tmp_path):
    root, _ = write("1.png")
    np.savez(tmp_path / "some.npz", IMAGES)
    code = f"""
import sys
from ganzoo.data import open_source
for source in ({str(root)!r}, {str(tmp_path / "some.npz")!r}, "digits"):
    open_source(source)
assert "tensorflow" not in sys.modules
assert "tensorflow_datasets" not in sys.modules
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_the_public_names_are_there():
    from ganzoo import data

    assert set(data.__all__) == {"Images", "batches", "distributed", "load", "open_source"}
    assert all(callable(getattr(data, name)) and name in dir(data) for name in data.__all__)
    with pytest.raises(AttributeError, match="no attribute 'laod'"):
        _ = data.laod


@pytest.mark.parametrize("by", ["argument", "environment"])
@pytest.mark.parametrize("name", ["my_faces", "my-faces", "My_Faces"])
@pytest.mark.parametrize("stored", ["my_faces", "my-faces"])
def test_data_dir_is_searched_whatever_the_hyphens(tmp_path, monkeypatch, by, name, stored):
    np.savez(tmp_path / f"{stored}.npz", IMAGES)
    options = {"data_dir": tmp_path}
    if by == "environment":
        monkeypatch.setenv("GANZOO_DATA_DIR", str(tmp_path))
        options = {}
    np.testing.assert_array_equal(open_source(name, **options).images[..., 0], IMAGES)


def test_data_dir_is_searched_for_npz_then_zip_then_folder(write, tmp_path):
    root, _ = write("1.png", root=tmp_path / "some")
    assert len(open_source("some", data_dir=tmp_path)) == 1
    write("2.png", root=root)
    shutil.make_archive(str(tmp_path / "some"), "zip", root)
    write("3.png", root=root)
    assert len(open_source("some", data_dir=tmp_path)) == 2
    np.savez(tmp_path / "some.npz", np.concatenate([IMAGES] * 2))
    assert len(open_source("some", data_dir=tmp_path)) == 4


def test_data_dir_comes_before_tfds(tmp_path):
    np.savez(tmp_path / "mnist.npz", IMAGES)
    np.testing.assert_array_equal(open_source("mnist", data_dir=tmp_path).images[..., 0], IMAGES)


def test_names_with_configs_are_found_in_data_dir(write, tmp_path):
    write("1.png", root=tmp_path / "lsun" / "bedroom")
    assert len(open_source("lsun/bedroom", data_dir=tmp_path)) == 1
    write("1.png", "2.png", root=tmp_path / "lsun-church")
    assert len(open_source("lsun/church", data_dir=tmp_path)) == 2
    np.savez(tmp_path / "lsun" / "tower.npz", IMAGES)
    assert len(open_source("lsun/tower", data_dir=tmp_path)) == 2


def test_names_do_not_reach_outside_of_data_dir(write, tmp_path):
    write("1.png", root=tmp_path / "outside")
    (tmp_path / "inside").mkdir()
    with pytest.raises(ValueError, match="no file or folder '../outside'"):
        open_source("../outside", data_dir=tmp_path / "inside")


def test_celeb_a_is_cropped_to_its_centre_178_by_default(write, tmp_path):
    _, written = write("1.png", size=(220, 200), root=tmp_path / "celeb_a")
    opened = open_source("celeb_a", data_dir=tmp_path, image_size=178)
    np.testing.assert_array_equal(opened.images[0], written["1.png"][21:199, 11:189])
    other = open_source(tmp_path / "celeb_a", image_size=178)
    assert (other.images != opened.images).any()
    wider = open_source("celeb_a", data_dir=tmp_path, image_size=178, crop=200)
    np.testing.assert_array_equal(wider.images, other.images)


def test_local_paths_are_sources(write, tmp_path, monkeypatch):
    write("1.png", root=tmp_path / "pictures")
    monkeypatch.chdir(tmp_path)
    for source in ("pictures", "./pictures", "pictures/", tmp_path / "pictures"):
        assert len(open_source(source)) == 1


def test_a_local_folder_does_not_take_the_name_of_a_known_data_set(write, tmp_path, monkeypatch):
    write("grid.png", root=tmp_path / "cifar10")  # A run's folder, say.
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError, match="GANZOO_OFFLINE"):
        open_source("cifar10")
    assert len(open_source("./cifar10")) == 1


def test_a_path_object_is_never_a_name(write, tmp_path, monkeypatch):
    write("1.png", root=tmp_path / "digits")
    monkeypatch.chdir(tmp_path)
    assert len(open_source(Path("digits"))) == 1
    assert len(open_source("digits")) == 1797
    with pytest.raises(ValueError, match="no file or folder"):
        open_source(Path("mnist"))


@pytest.mark.parametrize("source", ["./nothing", "/nothing/there", "faces.zip", "~/nothing"])
def test_a_path_that_is_not_there_raises(source):
    with pytest.raises(ValueError, match="no file or folder"):
        open_source(source)


def test_files_of_other_kinds_are_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("some notes")
    with pytest.raises(ValueError, match=r"notes\.txt is no source: expected a folder, a \.zip"):
        open_source(path)


def test_unknown_names_say_what_was_looked_for_where_and_the_nearest(tmp_path):
    with pytest.raises(ValueError) as caught:
        open_source("fashion_mnits", data_dir=tmp_path)
    for part in ("'fashion_mnits'", "'fashion_mnist'", "fashion_mnits.npz", str(tmp_path), "TFDS"):
        assert part in str(caught.value)
    with pytest.raises(ValueError, match="did you mean 'digits'.*GANZOO_DATA_DIR is not set"):
        open_source("digitz")
    with pytest.raises(ValueError, match="did you mean 'cifar10'"):
        open_source("CIFAR10")
    (tmp_path / "my_faces").mkdir()
    with pytest.raises(ValueError, match="did you mean 'my_faces'"):
        open_source("my_face", data_dir=tmp_path)


def test_data_dir_must_be_a_folder_where_it_is_needed(write, tmp_path):
    with pytest.raises(ValueError, match="data_dir must be a folder"):
        open_source("mnist", data_dir=tmp_path / "nothing")
    root, _ = write("1.png")
    assert len(open_source(root, data_dir=tmp_path / "nothing")) == 1


@pytest.mark.parametrize("source", [None, 3, {"a": 1}, object()])
def test_other_types_are_refused(source):
    with pytest.raises(TypeError, match="name, a path, an array or a pair"):
        open_source(source)


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"image_size": 0}, ValueError, "image_size must be at least 1"),
        ({"image_size": 32.0}, TypeError, "image_size must be a whole number"),
        ({"image_size": True}, TypeError, "image_size must be a whole number"),
        ({"crop": -1}, ValueError, "crop must be at least 1"),
        ({"channels": 2}, ValueError, r"channels must be 1 \(grey\), 3"),
        ({"on_error": "rise"}, ValueError, "did you mean 'raise'"),
        ({"split": ""}, TypeError, "split must be a name"),
        ({"split": None}, TypeError, "split must be a name"),
    ],
)
def test_wrong_options_raise(options, error, message):
    with pytest.raises(error, match=message):
        open_source(IMAGES, **options)


def test_representations_are_short():
    text = repr(open_source((IMAGES, [0, 1])))
    assert text == "<Images array: 2 of 6x6x1, 2 classes>"
