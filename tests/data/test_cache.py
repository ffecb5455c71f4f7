import builtins
import errno
import multiprocessing
import os
import shutil
import stat
import threading
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from ganzoo.data import open_source, parallel, store
from ganzoo.data.decode import Decoder
from ganzoo.data.images import fingerprint


@pytest.fixture
def decodings(monkeypatch):
    """Counts how many images are decoded."""
    calls = []
    decode = Decoder.decode

    def counted(self, data):
        calls.append(len(data))
        return decode(self, data)

    monkeypatch.setattr(Decoder, "decode", counted)
    return calls


def test_a_folder_is_decoded_once_and_then_mapped(write, home, decodings):
    root, written = write("a/1.png", "b/2.png")
    first = open_source(root)
    again = open_source(root)
    assert len(decodings) == 2
    for opened in (first, again):
        assert isinstance(opened.images, np.memmap)
        assert not opened.images.flags.writeable
        np.testing.assert_array_equal(opened.images, list(written.values()))
        np.testing.assert_array_equal(opened.labels, [0, 1])
        assert opened.class_names == ("a", "b")
        assert opened.fingerprint == fingerprint(np.array(list(written.values())))
    assert len(list((home / "data").iterdir())) == 1


def test_what_decides_the_pixels_decides_the_cache(write, decodings):
    root, _ = write("train/1.png", "test/2.png")
    wanted = [{}, {"image_size": 4}, {"image_size": 4, "crop": 5}, {"channels": 1}]
    wanted.append({"split": "test"})
    for options in wanted * 2:
        open_source(root, **options)
    assert len(decodings) == len(wanted)


def test_a_changed_source_is_decoded_anew(write, encode, decodings):
    root, _ = write("1.png", "2.png")
    open_source(root)
    new = np.zeros((6, 6, 3), np.uint8)
    (root / "2.png").write_bytes(encode(new))
    np.testing.assert_array_equal(open_source(root).images[1], new)
    (root / "3.png").write_bytes(encode(new))
    assert len(open_source(root)) == 3
    (root / "1.png").unlink()
    assert len(open_source(root)) == 2
    os.utime(root / "2.png", (1, 1))
    open_source(root)
    assert len(decodings) == 2 + 2 + 3 + 2 + 2


def test_a_new_version_of_the_decoder_decodes_anew(write, decodings, monkeypatch):
    root, _ = write("1.png")
    open_source(root)
    monkeypatch.setattr("ganzoo.data.cache.VERSION", 1_000_000)
    open_source(root)
    assert len(decodings) == 2


@pytest.mark.parametrize("damage", ["truncate", "meta", "labels", "empty"])
def test_a_damaged_cache_is_made_anew(write, home, decodings, damage):
    root, written = write("a/1.png", "b/2.png")
    open_source(root)
    (folder,) = (home / "data").iterdir()
    if damage == "truncate":
        os.truncate(folder / "images.npy", 200)
    elif damage == "meta":
        (folder / "meta.json").write_text("{")
    elif damage == "labels":
        (folder / "labels.npy").write_bytes(b"")
    else:
        shutil.rmtree(folder)
        folder.mkdir()
    np.testing.assert_array_equal(open_source(root).images, list(written.values()))
    open_source(root)
    assert len(decodings) == 4


def test_an_interrupted_decoding_leaves_nothing(write, home, monkeypatch):
    root, _ = write("1.png", "2.png", "3.png")
    add = store.Store.add

    def interrupted(self, image, name):
        if name == "2.png":
            raise KeyboardInterrupt
        add(self, image, name)

    monkeypatch.setattr(store.Store, "add", interrupted)
    with pytest.raises(KeyboardInterrupt):
        open_source(root)
    assert list((home / "data").iterdir()) == []


def test_what_killed_runs_left_is_removed_after_a_week(write, home):
    for name, age in ((".old.x", 8), (".new.x", 1)):
        left = home / "data" / name
        left.mkdir(parents=True)
        then = left.stat().st_mtime - age * 24 * 3600
        os.utime(left, (then, then))
    root, _ = write("1.png")
    open_source(root)
    assert sorted(path.name for path in (home / "data").glob(".*")) == [".new.x"]


def _open_and_report(root, home, queue):
    os.environ["GANZOO_HOME"] = home
    queue.put(open_source(root, progress=False).fingerprint)


def test_processes_that_decode_at_once_do_no_harm(write, home):
    root, written = write(*(f"{number}.png" for number in range(40)))
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    runs = [
        context.Process(target=_open_and_report, args=(str(root), str(home), queue))
        for _ in range(2)
    ]
    for run in runs:
        run.start()
    prints = {queue.get(timeout=600) for _ in runs}
    for run in runs:
        run.join()
    assert prints == {open_source(root).fingerprint}
    assert len(list((home / "data").iterdir())) == 1


def test_whoever_comes_second_takes_what_the_first_published(write, home, monkeypatch):
    root, written = write("1.png")
    rename = os.rename
    first = []

    def beaten(aside, folder):
        if not first:
            first.append(folder)
            shutil.copytree(aside, folder)
        rename(aside, folder)

    monkeypatch.setattr(os, "rename", beaten)
    np.testing.assert_array_equal(open_source(root).images, list(written.values()))
    assert list((home / "data").iterdir()) == first


# --- a cache that several users share


@pytest.mark.parametrize("mask", [0o002, 0o022, 0o077])
def test_the_cache_is_as_open_as_other_files_of_its_writer(write, home, mask):
    root, _ = write("a/1.png", "b/2.png")
    before = os.umask(mask)
    try:
        open_source(root)
    finally:
        os.umask(before)
    (folder,) = (home / "data").iterdir()
    for place in (home, home / "data", folder):
        assert stat.S_IMODE(place.stat().st_mode) == 0o777 & ~mask
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert files == dict.fromkeys(("images.npy", "labels.npy", "meta.json"), 0o666 & ~mask)


@pytest.fixture
def deny(monkeypatch):
    """Returns a function that forbids to read files of a name."""
    read, opened = Path.read_text, builtins.open

    def deny(name):
        def refuse(path):
            if Path(os.fspath(path)).name == name:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

        monkeypatch.setattr(Path, "read_text", lambda path, **kw: refuse(path) or read(path, **kw))
        monkeypatch.setattr(
            builtins, "open", lambda path, *args, **kw: refuse(path) or opened(path, *args, **kw)
        )

    return deny


@pytest.mark.parametrize("name", ["meta.json", "images.npy", "labels.npy"])
def test_a_cache_that_may_not_be_read_is_told_and_left_alone(write, home, decodings, deny, name):
    root, _ = write("a/1.png", "b/2.png")
    open_source(root)
    (folder,) = (home / "data").iterdir()
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    deny(name)
    with pytest.raises(PermissionError, match=f"{folder} may not be read: .*set GANZOO_HOME"):
        open_source(root)
    assert len(decodings) == 2
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == kept


def test_a_cache_that_another_user_closes_meanwhile_is_left_alone(write, home, monkeypatch, deny):
    root, _ = write("1.png")
    rename = os.rename

    def beaten(aside, folder):
        shutil.copytree(aside, folder)
        deny("meta.json")
        rename(aside, folder)

    monkeypatch.setattr(os, "rename", beaten)
    with pytest.raises(PermissionError, match=r"source: the decoded .* may not be read: [^:]*$"):
        open_source(root)
    (folder,) = (home / "data").iterdir()
    assert len(list(folder.iterdir())) == 2


def test_a_home_that_may_not_be_entered_keeps_images_in_memory(write, home, monkeypatch):
    def refuse(path, *args, **kw):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    root, written = write("1.png")
    monkeypatch.setattr(Path, "read_text", refuse)
    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.warns(UserWarning, match="cannot cache.*Permission denied.*memory.*GANZOO_HOME"):
        np.testing.assert_array_equal(open_source(root).images, list(written.values()))


# --- a cache that cannot be written


def test_an_unwritable_cache_keeps_images_in_memory_and_says_so(write, home):
    home.write_text("a file where the folder should be")
    root, written = write("a/1.png", "b/2.png")
    with pytest.warns(UserWarning, match="cannot cache.*memory.*GANZOO_HOME"):
        opened = open_source(root)
    assert not isinstance(opened.images, np.memmap)
    np.testing.assert_array_equal(opened.images, list(written.values()))
    np.testing.assert_array_equal(opened.labels, [0, 1])


def test_memory_images_leave_no_gap_for_broken_files(write, home):
    home.write_text("a file where the folder should be")
    root, written = write("1.png", "3.png")
    (root / "2.png").write_bytes(b"")
    with pytest.warns(UserWarning, match=r"memory|2\.png"):
        opened = open_source(root)
    np.testing.assert_array_equal(opened.images, list(written.values()))
    assert opened.fingerprint == fingerprint(opened.images)


def test_a_disk_known_to_be_too_small_is_left_alone(write, home, monkeypatch):
    Usage = namedtuple("Usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, 0))
    root, written = write("1.png")
    with pytest.warns(UserWarning, match="No space left"):
        np.testing.assert_array_equal(open_source(root).images, list(written.values()))
    assert list((home / "data").iterdir()) == []


def test_too_many_images_for_memory_are_an_error_before_any_is_kept(write, home, monkeypatch):
    home.write_text("a file where the folder should be")
    monkeypatch.setattr(store, "MEMORY_LIMIT", 100)
    root, _ = write("1.png")
    with pytest.raises(OSError, match="cannot cache.*GANZOO_HOME"):
        open_source(root)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")
def test_a_disk_that_fills_up_midway_is_a_clear_error(write, home, monkeypatch):
    begin = store.Store._open
    root, _ = write(*(f"{number}.png" for number in range(3)))
    with open("/dev/full", "wb", buffering=0) as full:

        def begin_on_a_full_disk(self, size):
            begin(self, size)
            self._file = full

        monkeypatch.setattr(store.Store, "_open", begin_on_a_full_disk)
        with pytest.raises(OSError, match="No space left.*GANZOO_HOME") as caught:
            open_source(root)
    assert caught.value.errno == errno.ENOSPC
    assert list((home / "data").iterdir()) == []


# --- threads


def test_work_is_ordered_parallel_and_bounded():
    seen, threads = [], set()

    def items():
        for number in range(5000):
            seen.append(number)
            yield number

    def square(number):
        threads.add(threading.get_ident())
        if number == 7:
            raise ValueError("seven")
        return number**2

    work = parallel.ordered(square, items(), total=5000, title="", progress=False)
    results = [next(work) for _ in range(100)]
    assert len(seen) < 1000 + 200 * os.cpu_count()
    results += list(work)
    assert [item for item, _ in results] == list(range(5000))
    assert isinstance(results.pop(7)[1], ValueError)
    assert all(result == item**2 for item, result in results)
    assert threading.get_ident() not in threads


def test_progress_is_shown_on_long_work_only(capsys):
    list(parallel.ordered(str, range(50), total=50, title="short", progress=True))
    assert "short" not in capsys.readouterr().err
