"""Which TFRecord files a folder has: no unreadable one goes missing in silence."""

import pytest
import tensorflow as tf

from ganzoo import data
from ganzoo.data.records import record_files


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "records"
    for name in ("0/a.tfrecord", "1/b.tfrecord-00000-of-00001", "1/notes.txt", ".old/c.tfrecord"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        tf.io.TFRecordWriter(str(folder / name)).close()
    return folder


def names(folder):
    return [path.relative_to(folder).as_posix() for path in record_files(folder)]


def test_the_files_of_subfolders_are_found_by_name(folder):
    found = ["0/a.tfrecord", "1/b.tfrecord-00000-of-00001"]
    assert names(folder) == found
    assert record_files(folder / found[0]) == [folder / found[0]]
    assert record_files(folder / "1/notes.txt") == record_files(folder / "none.tfrecord") == []


def test_linked_folders_are_followed_once(folder):
    (folder / "0").rename(folder.with_name("elsewhere"))
    (folder / "0").symlink_to(folder.with_name("elsewhere"))
    (folder / "0" / "back").symlink_to(folder)
    assert names(folder) == ["0/a.tfrecord", "1/b.tfrecord-00000-of-00001"]


def test_a_subfolder_that_cannot_be_read_raises(folder, deny_folders):
    deny_folders("1", ".old")
    with pytest.raises(ValueError, match=f"Cannot read {folder}/1: Permission denied"):
        record_files(folder)


def test_a_link_to_a_folder_that_is_gone_raises(folder):
    (folder / "2").symlink_to("gone")
    with pytest.raises(ValueError, match=f"Cannot read {folder}/2, a link to gone: No such file"):
        record_files(folder)


@pytest.mark.parametrize("stream", [False, True])
def test_a_link_to_a_file_that_is_gone_is_an_error_when_it_is_opened(folder, stream):
    (folder / "1" / "c.tfrecord").symlink_to("gone")
    with pytest.raises(FileNotFoundError, match="1/c.tfrecord"):
        data.open_source(folder, progress=False, stream=stream)
