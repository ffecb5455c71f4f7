import io
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ganzoo.data import open_source


def zipped(folder, path, prefix=""):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, prefix + file.relative_to(folder).as_posix())
    return path


@pytest.fixture(params=["folder", "zip"])
def open_written(request, write, tmp_path):
    """Returns a function that writes images and opens them, as a folder or as a zip of it."""

    def open_written(*names, **options):
        root, written = write(*names)
        source = root if request.param == "folder" else zipped(root, tmp_path / "source.zip")
        return open_source(source, **options), written

    return open_written


def test_images_come_in_order_of_their_paths(open_written):
    opened, written = open_written("b.png", "a.png", "C.png", "a10.png")
    np.testing.assert_array_equal(opened.images, [written[name] for name in sorted(written)])
    assert opened.labels is None
    assert opened.class_names == ()
    assert opened.name == "source"


def test_class_folders_become_labels_in_order_of_name(open_written):
    opened, written = open_written("dog/1.png", "cat/2.png", "cat/deeper/3.png", "emu/a/4.png")
    assert opened.class_names == ("cat", "dog", "emu")
    np.testing.assert_array_equal(opened.labels, [0, 0, 1, 2])
    order = ["cat/2.png", "cat/deeper/3.png", "dog/1.png", "emu/a/4.png"]
    np.testing.assert_array_equal(opened.images, [written[name] for name in order])


def test_classes_named_by_numbers_are_ordered_as_numbers(open_written):
    opened, _ = open_written("10/a.png", "2/b.png", "1/c.png")
    assert opened.class_names == ("1", "2", "10")
    assert sorted(opened.labels) == [0, 1, 2]


def test_a_wrapping_folder_is_no_class(open_written):
    assert open_written("celeba64/1.png", "celeba64/2.png")[0].labels is None


def test_classes_are_found_inside_a_wrapping_folder(open_written):
    opened, _ = open_written("wrap/celeba64/1.png", "wrap/other/2.png", "wrap/celeba64/2.png")
    assert opened.class_names == ("celeba64", "other")


def test_images_outside_of_the_class_folders_mean_no_classes(open_written):
    opened, _ = open_written("cat/1.png", "dog/1.png", "stray.png")
    assert opened.labels is None
    assert len(opened) == 3


@pytest.mark.parametrize("prefix", ["", "wrap/"])
def test_split_folders_are_respected(open_written, prefix):
    names = ["train/cat/1.png", "train/dog/2.png", "test/cat/3.png", "test/dog/4.png"]
    for split in ("train", "test"):
        opened, written = open_written(*(prefix + name for name in names), split=split)
        assert opened.class_names == ("cat", "dog")
        chosen = [image for name, image in written.items() if split in name]
        np.testing.assert_array_equal(opened.images, chosen)


def test_val_is_the_validation_split(open_written):
    opened, written = open_written("train/1.png", "val/2.png", split="validation")
    np.testing.assert_array_equal(opened.images, [written["val/2.png"]])


def test_a_split_that_is_not_there_raises_with_those_that_are(open_written):
    with pytest.raises(ValueError, match="no split 'tset'; did you mean 'test'"):
        open_written("train/1.png", "test/2.png", split="tset")


def test_a_folder_without_splits_is_all_train(open_written):
    with pytest.raises(ValueError, match="no split 'test'. It has: train"):
        open_written("other/1.png", split="test")


def test_train_alone_is_a_split_and_no_class(open_written):
    opened, _ = open_written("train/a/1.png", "train/b/1.png")
    assert opened.class_names == ("a", "b")


LAYOUTS = {  # files; classes of all splits; labels of each
    "a split lacks a class": (
        "train/a/1 train/b/2 train/c/3 test/b/4 test/c/5", "a b c", [0, 1, 2], [1, 2]
    ),
    "each lacks one": ("train/a/1 train/c/2 test/b/3 test/c/4", "a b c", [0, 2], [1, 2]),
    "numbers": ("train/9/1 train/11/2 test/10/3 test/11/4", "9 10 11", [2, 0], [1, 2]),
    "one class": ("train/a/1 train/b/2 test/b/3", "a b", [0, 1], [1]),
    "one class of several folders": (
        "train/a/x/1 train/b/y/2 test/b/x/3 test/b/y/4", "a b", [0, 1], [1, 1]
    ),
    "train has one class": ("train/b/1 test/a/2 test/b/3", "a b", [1], [0, 1]),
    "a wrapped split": ("train/all/a/1 train/all/b/2 test/b/3 test/c/4", "a b c", [0, 1], [1, 2]),
    "one class, wrapped": ("train/a/1 train/b/2 test/all/b/3", "a b", [0, 1], [1]),
    "a wrapper named like a class": (
        "train/a/a/1 train/a/b/2 test/a/3 test/b/4", "a b", [0, 1], [0, 1]
    ),
    "a flat split": ("train/a/1 train/b/2 test/3 test/c/4", "a b", [0, 1], None),
    "a flat split, wrapped": ("train/a/all/1 train/b/all/2 test/all/3", "a b", [0, 1], None),
    "train is flat": ("train/1 test/a/2 test/b/3", "a b", None, [0, 1]),
    "no classes": ("train/faces/1 test/others/2", "", None, None),
    "splits in splits": ("train/train/1 test/test/2", "", None, None),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("prefix", ["", "wrap/"])
def test_classes_have_the_same_numbers_in_all_splits(open_written, prefix, layout):
    names, classes, *labels = LAYOUTS[layout]
    for split, expected in zip(("train", "test"), labels, strict=True):
        opened, _ = open_written(*(f"{prefix}{name}.png" for name in names.split()), split=split)
        assert opened.class_names == (() if expected is None else tuple(classes.split()))
        assert (None if opened.labels is None else opened.labels.tolist()) == expected


def test_a_class_that_another_split_gains_shifts_the_numbers_of_what_is_cached(write):
    root, _ = write("train/b/1.png", "train/c/2.png", "test/b/3.png")
    assert open_source(root).class_names == ("b", "c")
    write("test/a/4.png")
    opened = open_source(root)
    assert opened.class_names == ("a", "b", "c")
    np.testing.assert_array_equal(opened.labels, [1, 2])


def test_hidden_files_and_other_files_are_left_out(open_written, tmp_path):
    noise = [".hidden.png", ".git/a.png", "__MACOSX/a.png", "a/._1.png", "a/__MACOSX/1.png"]
    source = tmp_path / "source"
    source.mkdir()
    (source / "notes.txt").write_text("no image")
    (source / "Thumbs.db").write_text("no image")
    opened, written = open_written("a/1.PNG", *noise)
    np.testing.assert_array_equal(opened.images, [written["a/1.PNG"]])


def test_no_images_raise_with_what_was_looked_for(tmp_path):
    empty = tmp_path / "source"
    (empty / "sub").mkdir(parents=True)
    (empty / "a.txt").write_text("")
    for source in (empty, zipped(empty, tmp_path / "source.zip")):
        with pytest.raises(ValueError, match=r"source.* holds no images.*\*\.png"):
            open_source(source)


def test_folder_and_zip_of_it_decode_to_the_same(write, tmp_path):
    root, _ = write("a/1.png", "b/2.png", "b/3.png", size=(9, 7))
    folder = open_source(root, image_size=5)
    archive = open_source(zipped(root, tmp_path / "source.zip"), image_size=5)
    assert folder.fingerprint == archive.fingerprint
    np.testing.assert_array_equal(folder.labels, archive.labels)


def test_a_grey_folder_has_one_channel_and_one_colour_file_makes_it_three(write):
    root, _ = write("1.png", "2.png", colour=False)
    assert open_source(root).images.shape == (2, 6, 6, 1)
    assert open_source(root, channels=3).images.shape == (2, 6, 6, 3)
    write("3.png", colour=True)
    assert open_source(root).images.shape == (3, 6, 6, 3)
    assert open_source(root, channels=1).images.shape == (3, 6, 6, 1)


def test_images_of_different_sizes_need_an_image_size(write):
    root, _ = write("1.png", size=(6, 8))
    write("2.png", size=(8, 6))
    with pytest.raises(ValueError, match=r"1\.png is 8x6, 2\.png is 6x8\. Give image_size"):
        open_source(root)
    assert open_source(root, image_size=6).images.shape == (2, 6, 6, 3)


def test_images_that_are_not_square_keep_their_shape_without_image_size(write):
    root, written = write("1.png", size=(6, 8))
    np.testing.assert_array_equal(open_source(root).images, [written["1.png"]])


def test_linked_folders_are_followed_and_circles_end(write, tmp_path):
    root, written = write("a/1.png")
    other, more = write("2.png", root=tmp_path / "elsewhere", seed=1)
    (root / "b").symlink_to(other)
    (other / "back").symlink_to(root)
    opened = open_source(root)
    assert opened.class_names == ("a", "b")
    np.testing.assert_array_equal(opened.images, [written["a/1.png"], more["2.png"]])


# --- broken files


def test_broken_files_are_left_out_and_named_in_one_warning(write):
    root, written = write("a/1.png", "b/2.png", "b/3.png")
    (root / "a/0.jpg").write_bytes(b"no image")
    (root / "b/4.png").write_bytes((root / "b/3.png").read_bytes()[:60])
    (root / "b/5.png").write_bytes(b"")
    for _ in range(2):  # The second time from the cache.
        with pytest.warns(UserWarning, match=r"3 files are broken") as warned:
            opened = open_source(root)
        assert len(warned) == 1
        assert all(name in str(warned[0].message) for name in ("a/0.jpg", "b/4.png", "b/5.png"))
        assert opened.skipped[0] == "a/0.jpg: ValueError: not an image of a known format"
        assert len(opened.skipped) == 3
        np.testing.assert_array_equal(opened.images, list(written.values()))
        np.testing.assert_array_equal(opened.labels, [0, 1, 1])


@pytest.mark.parametrize("cached", [False, True])
def test_on_error_raise_names_the_broken_file(write, cached):
    root, _ = write("1.png")
    (root / "2.png").write_bytes(b"no image")
    if cached:
        with pytest.warns(UserWarning, match="1 file is broken"):
            open_source(root)
    with pytest.raises(ValueError, match=r"2\.png"):
        open_source(root, on_error="raise")


def test_a_folder_of_broken_files_raises(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "1.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"none of 1 files could be decoded: 1\.png"):
        open_source(tmp_path / "source")


def test_many_broken_files_are_counted_and_the_first_ten_named(write):
    root, _ = write("a.png")
    for number in range(25):
        (root / f"{number:02}.png").write_bytes(b"")
    with pytest.warns(UserWarning, match="25 files are broken") as warned:
        opened = open_source(root)
    text = str(warned[0].message)
    assert "09.png" in text and "10.png" not in text
    assert len(opened.skipped) == 25


def test_unreadable_files_are_broken_files(write, monkeypatch):
    root, written = write("1.png", "2.png")
    read = Path.read_bytes

    def denied(self):
        if self.name == "2.png":
            raise PermissionError("Permission denied")
        return read(self)

    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.warns(UserWarning, match=r"2\.png: PermissionError"):
        np.testing.assert_array_equal(open_source(root).images, [written["1.png"]])


@pytest.mark.parametrize("on_error", ["skip", "raise"])
def test_a_subfolder_that_cannot_be_read_raises(write, deny_folders, on_error):
    root, _ = write("a/1.png", "b/2.png", "c/3.png")
    deny_folders("b")
    with pytest.raises(ValueError, match=f"Cannot read {root}/b: Permission denied"):
        open_source(root, on_error=on_error)


def test_hidden_folders_and_lost_and_found_need_not_be_read(write, deny_folders):
    root, _ = write("a/1.png", "b/2.png", ".Trash/3.png", "lost+found/4.png")
    deny_folders(".Trash", "lost+found")
    assert open_source(root).class_names == ("a", "b")


def test_links_to_images_that_are_gone_are_broken_files(write, encode):
    root, written = write("a/1.png", "c/2.png")
    (root / "b").mkdir()
    for name in ("b/3.png", "c/4.png"):
        (root / name).symlink_to(root.with_name("gone.jpg"))
    with pytest.warns(UserWarning, match=r"2 files are broken.*\n.*b/3\.png: FileNotFoundError"):
        opened = open_source(root)
    assert opened.class_names == ("a", "b", "c")
    np.testing.assert_array_equal(opened.labels, [0, 2])
    with pytest.raises(ValueError, match=r"b/3\.png"):
        open_source(root, on_error="raise")
    (root.with_name("gone.jpg")).write_bytes(encode(written["a/1.png"]))
    np.testing.assert_array_equal(open_source(root).labels, [0, 1, 2, 2])


def test_a_link_to_a_folder_that_is_gone_raises(write, tmp_path):
    root, _ = write("a/1.png", "c/2.png", "c/notes/3.png")
    (root / "notes.txt").symlink_to(tmp_path / "gone.txt")  # of a file that is no image
    assert open_source(root).class_names == ("a", "c")
    (root / "b").symlink_to(tmp_path / "gone")
    with pytest.raises(ValueError, match=f"Cannot read {root}/b, a link to {tmp_path}/gone: No"):
        open_source(root)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_pipes_are_no_images(write):
    root, _ = write("1.png")
    os.mkfifo(root / "2.png")
    assert len(open_source(root)) == 1


# --- zip archives


@pytest.mark.parametrize(
    "name", ["../1.png", "a/../../1.png", "/etc/1.png", "C:/1.png", "..\\1.png"]
)
def test_archives_that_point_outside_are_refused(tmp_path, encode, name):
    path = tmp_path / "some.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("1.png", encode(np.zeros((4, 4), np.uint8)))
        archive.writestr(zipfile.ZipInfo(name), b"")
    with pytest.raises(ValueError, match="points outside"):
        open_source(path)


def test_a_member_with_a_wrong_checksum_is_a_broken_file(write, tmp_path):
    root, _ = write("1.png", "2.png")
    path = zipped(root, tmp_path / "some.zip")
    data = bytearray(path.read_bytes())
    data[data.index(b"IDAT") + 20] ^= 1
    path.write_bytes(data)
    with pytest.warns(UserWarning, match=r"1\.png: BadZipFile"):
        assert len(open_source(path)) == 1


def test_encrypted_archives_are_refused(write, tmp_path):
    root, _ = write("1.png")
    path = zipped(root, tmp_path / "some.zip")
    data = bytearray(path.read_bytes())
    central = data.index(b"PK\x01\x02")
    struct.pack_into("<H", data, central + 8, 1)
    path.write_bytes(data)
    with pytest.raises(ValueError, match="encrypted"):
        open_source(path)


def test_what_is_no_archive_is_named(tmp_path):
    for data in (b"no archive", b""):
        (tmp_path / "some.zip").write_bytes(data)
        with pytest.raises(ValueError, match=r"Cannot read .*some\.zip"):
            open_source(tmp_path / "some.zip")


def test_nothing_is_unpacked(write, tmp_path, home):
    root, _ = write("1.png")
    path = zipped(root, tmp_path / "some.zip")
    before = set(tmp_path.rglob("*"))
    open_source(path)
    assert all(home in made.parents or made == home for made in set(tmp_path.rglob("*")) - before)
    assert not list(home.rglob("*.png"))


def test_compressed_archives_decode_in_threads(tmp_path, encode):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (300, 8, 8, 3), dtype=np.uint8)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, image in enumerate(images):
            archive.writestr(f"{number:03}.png", encode(image))
    (tmp_path / "some.zip").write_bytes(file.getvalue())
    np.testing.assert_array_equal(open_source(tmp_path / "some.zip").images, images)
