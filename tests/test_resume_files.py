"""Checkpoints on disks that fail: every changed byte shows, and the last good file stays."""

import errno
import io
import os
import shutil
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import checkpoints, durable
from ganzoo.workdir import Workdir
from tests import resumed, small

FULL = Path("/dev/full")


@pytest.fixture(scope="module")
def gan():
    gan = small.gan(small.planar, eager=True)
    resumed.step(gan, small.points(8))
    return gan


@pytest.fixture(scope="module")
def sealed(gan, tmp_path_factory):
    """The bytes of a checkpoint."""
    path = tmp_path_factory.mktemp("sealed") / "x.keras"
    checkpoints.write(gan, path, {"seconds": 3.0})
    return path.read_bytes()


def is_refused(path):
    try:
        checkpoints.read_state(path)
    except ValueError:
        return True
    return False


def test_a_flipped_bit_is_found_wherever_it_is(sealed, tmp_path):
    path, missed = tmp_path / "x.keras", 0
    directory = sealed.rindex(b"PK\x01\x02")
    path.write_bytes(sealed)
    assert not is_refused(path)
    places = [*range(0, directory, 199), *range(directory - 100, len(sealed))]
    assert len(places) > 500
    for place in places:
        damaged = bytearray(sealed)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        assert is_refused(path), place
        missed += passes_as_a_zip(damaged)
    assert missed > 100  # a zip's own checksums do not see them


def passes_as_a_zip(data):
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return archive.testzip() is None
    except Exception:
        return False


@pytest.mark.parametrize("kept", [0, 1, 63, 64, 65, 0.5, -65, -1])
def test_a_file_that_is_cut_off_is_found(sealed, tmp_path, kept):
    path = tmp_path / "x.keras"
    path.write_bytes(sealed[: int(kept * len(sealed)) if isinstance(kept, float) else kept])
    assert is_refused(path)


def test_bytes_that_are_added_or_zeroed_are_found(sealed, tmp_path):
    path = tmp_path / "x.keras"
    for damaged in (sealed + b"\0", b"\0" + sealed, bytes(len(sealed)), sealed + sealed[-64:]):
        path.write_bytes(damaged)
        assert is_refused(path)


def test_a_state_may_be_long(gan, tmp_path):
    numbers = np.random.default_rng(0).random(100_000).tolist()  # two megabytes
    checkpoints.write(gan, tmp_path / "long.keras", {"numbers": numbers})
    found, state = checkpoints.load(tmp_path / "long.keras")
    assert state == {"numbers": numbers} and found.steps_done == gan.steps_done


def test_a_plain_keras_file_is_no_checkpoint(gan, tmp_path):
    gan.save(tmp_path / "x.keras")
    assert is_refused(tmp_path / "x.keras")


def folder_with(sealed, tmp_path, *names):
    folder = Workdir(tmp_path)
    folder.checkpoints.mkdir()
    for name in names:
        (folder.checkpoints / name).write_bytes(sealed)
    return folder


@pytest.mark.parametrize("place", ["weights", "directory", "state", "digest"])
def test_a_checkpoint_with_a_flipped_bit_is_passed_over_for_the_one_before(sealed, tmp_path, place):
    folder = folder_with(sealed, tmp_path, "step_00000001.keras", "step_00000002.keras")
    at = {"weights": len(sealed) // 2, "directory": sealed.rindex(b"PK\x01\x02") + 12}
    at |= {"state": -80, "digest": -1}
    damaged = bytearray(sealed)
    damaged[at[place]] ^= 1
    (folder.checkpoints / "step_00000002.keras").write_bytes(damaged)
    with pytest.warns(UserWarning, match="Passed over .*step_00000002.keras, which cannot be read"):
        found, state = folder.restore(tf.distribute.get_strategy())
    assert found.steps_done == 1 and state == {"seconds": 3.0}


def no_room(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def half_written(path, **_):
    Path(path).write_bytes(b"half")
    no_room()


def flipping(file):
    """A disk that does not keep what it is given."""
    file.flush()
    file.seek(500)
    byte = file.read(1)[0]
    file.seek(500)
    file.write(bytes([byte ^ 4]))
    file.flush()


FAULTS = {
    "save": ((keras.Model, "save", lambda self, path: half_written(path)), "No space left"),
    "seal": ((checkpoints, "seal", lambda path, state: half_written(path)), "No space left"),
    "sync": ((durable, "sync", no_room), "No space left"),
    "rename": ((os, "replace", no_room), "No space left"),
    "bytes": ((durable, "sync", flipping), "the disk gave back other bytes"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_checkpoint_that_fails_leaves_those_before_and_no_part_of_itself(
    gan, sealed, tmp_path, monkeypatch, fault
):
    folder = folder_with(sealed, tmp_path, "step_00000000.keras", "partial-step_00000001.keras")
    change, told = FAULTS[fault]
    monkeypatch.setattr(*change)
    with pytest.raises(OSError, match=f"Cannot write .*step_00000001.keras: .*{told}"):
        folder.save(gan, {})
    monkeypatch.undo()
    (left,) = folder.checkpoints.iterdir()
    assert left.name == "step_00000000.keras" and left.read_bytes() == sealed


@pytest.mark.skipif(not FULL.exists(), reason="a device that is always full")
def test_a_disk_that_is_really_full_leaves_those_before(gan, sealed, tmp_path):
    folder = folder_with(sealed, tmp_path, "step_00000000.keras")
    (folder.checkpoints / "partial-step_00000001.keras").symlink_to(FULL)
    with pytest.raises(OSError, match="Cannot write .*: No space left on device"):
        folder.save(gan, {})
    (left,) = folder.checkpoints.iterdir()
    assert left.name == "step_00000000.keras" and left.read_bytes() == sealed


def test_a_file_is_on_the_disk_before_it_is_named_and_its_name_before_others_go(
    gan, sealed, tmp_path, monkeypatch
):
    names = [f"step_0000000{number}.keras" for number in (0, 1, 2)]
    folder, done = folder_with(sealed, tmp_path, *names), []
    gan_at_3 = checkpoints.load(folder.checkpoints / names[0])[0]
    resumed.step(gan_at_3, small.points(8), 2)

    def noted(name, original, shown):
        def call(*args, **options):
            done.append((name, shown(*args)))
            return original(*args, **options)

        return call

    def opened(number):
        return Path(os.readlink(f"/proc/self/fd/{number}")).name

    monkeypatch.setattr(os, "fsync", noted("fsync", os.fsync, opened))
    monkeypatch.setattr(os, "replace", noted("replace", os.replace, lambda a, b: Path(a).name))
    monkeypatch.setattr(Path, "unlink", noted("unlink", Path.unlink, lambda path, *_: path.name))
    reading = noted("read", checkpoints.read_state, lambda path: Path(path).name)
    monkeypatch.setattr(checkpoints, "read_state", reading)
    folder.save(gan_at_3, {})
    aside = "partial-step_00000003.keras"
    assert done[:4] == [
        ("fsync", aside),
        ("read", aside),
        ("replace", aside),
        ("fsync", "checkpoints"),
    ]
    removed = {name for kind, name in done[4:] if kind == "unlink"}
    assert removed == {aside, *names[:2]}  # aside is gone already


def test_what_killed_processes_left_is_removed_with_the_next_checkpoint(gan, sealed, tmp_path):
    left = ("partial-step_00000009.keras", "tmp1a2b3c", "step_00000000.keras")
    folder = folder_with(sealed, tmp_path, *left)
    folder.save(gan, {})
    names = sorted(path.name for path in folder.checkpoints.iterdir())
    assert names == ["step_00000000.keras", "step_00000001.keras"]


def test_small_files_are_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "run.json"
    durable.write_text(path, "before")
    monkeypatch.setattr(durable, "sync", no_room)
    with pytest.raises(OSError, match="No space left"):
        durable.write_text(path, "after" * 1000)
    assert path.read_text() == "before"
    monkeypatch.undo()
    durable.write_text(path, "after")
    assert path.read_text() == "after" and [p.name for p in tmp_path.iterdir()] == ["run.json"]


def test_a_full_disk_stops_no_run_and_the_next_checkpoint_comes(tmp_path, monkeypatch):
    resumed.eagerly(monkeypatch)
    whole = resumed.run(tmp_path / "whole")
    original, failed = checkpoints.seal, []

    def seal(path, state):
        if Path(path).name in ("partial-step_00000006.keras", "partial-step_00000009.keras"):
            failed.append(sorted(p.name for p in Path(path).parent.iterdir()))
            half_written(path)
        original(path, state)

    monkeypatch.setattr(checkpoints, "seal", seal)
    with pytest.warns(UserWarning, match="No space left on device. Training goes on"):
        found = resumed.run(tmp_path / "run")
    assert [names[-1] for names in failed] == ["step_00000003.keras"] * 2
    assert not resumed.differing(found, whole)
    names = sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir())
    assert names == ["step_00000012.keras", "step_00000013.keras"]


def test_a_last_checkpoint_that_cannot_be_written_is_an_error(tmp_path, monkeypatch):
    resumed.eagerly(monkeypatch)
    short = {"training": {"steps": 2}, "evaluation": {"every": 0}}
    monkeypatch.setattr(checkpoints, "seal", lambda path, state: half_written(path))
    with pytest.raises(OSError, match="Cannot write .*step_00000002.keras: No space left"):
        resumed.run(tmp_path / "run", **short)
    assert not (tmp_path / "run" / "card.json").exists()
    monkeypatch.undo()
    resumed.eagerly(monkeypatch)
    assert resumed.run(tmp_path / "run", **short).steps_done == 2


def test_samples_and_best_models_that_cannot_be_written_stop_no_run(tmp_path, monkeypatch):
    resumed.eagerly(monkeypatch)
    expected = resumed.run(tmp_path / "whole", training={"steps": 5})
    shutil.rmtree(tmp_path / "whole")
    monkeypatch.setattr("ganzoo.visualize.save_points", no_room)
    original = checkpoints.write

    def write(gan, path, state):
        if Path(path).name == "best.keras":
            no_room()
        original(gan, path, state)

    monkeypatch.setattr(checkpoints, "write", write)
    with pytest.warns(UserWarning, match="Training goes on") as told:
        found = resumed.run(tmp_path / "whole", training={"steps": 5})
    told = [str(one.message) for one in told if "Training goes on" in str(one.message)]
    assert len(told) == 3  # two evaluations, one picture
    assert sum("No samples of step 5" in one for one in told) == 1
    assert not resumed.differing(found, expected)
    assert not np.any([path.name.startswith("best") for path in (tmp_path / "whole").iterdir()])
