"""The cache of downloads, and weights at a URL: never a bad file, never a file fetched twice."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from ganzoo import paths, weights
from ganzoo.weights import fetch, files, locks
from tests.weights.test_fetch import LASTING, PASSING, weights_in

# --- the cache ------------------------------------------------------------------------------------


def test_a_damaged_cached_copy_is_discarded_with_a_warning_and_fetched_again(
    mirror, serve, home, monkeypatch
):
    folder, card, values = mirror
    server = serve(folder)
    monkeypatch.setenv("GANZOO_MIRROR", server.url)
    path = weights.find("tiny")
    data = path.read_bytes()
    path.write_bytes(data[:-1] + b"?")
    with pytest.warns(UserWarning, match="Discarded a damaged file"):
        assert weights.find("tiny") == path
    assert path.read_bytes() == data
    assert server.requests.count(card.versioned_file) == 2


def test_weights_changed_between_finding_and_reading_are_refused(mirror, monkeypatch):
    monkeypatch.setenv("GANZOO_MIRROR", str(mirror[0]))
    path = weights.find("tiny")
    monkeypatch.setattr(fetch, "_holds", lambda path, sha256: True)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(ValueError, match="the sha256 is"):
        weights.load("tiny")


def test_offline_what_is_not_on_disk_is_an_error_at_once(
    mirror, serve, home, make_card, monkeypatch
):
    server = serve(mirror[0])
    monkeypatch.setenv("GANZOO_OFFLINE", "1")
    monkeypatch.setenv("GANZOO_MIRROR", server.url)
    for target in ("tiny", make_card(), f"{server.url}/tiny.safetensors"):
        with pytest.raises(weights.DownloadError, match="GANZOO_OFFLINE is set"):
            weights.find(target)
    assert server.requests == []
    assert not home.exists()


@pytest.mark.parametrize("value", ["", "0", "false", "No"])
def test_offline_is_off_for_these_values(mirror, serve, monkeypatch, value):
    monkeypatch.setenv("GANZOO_OFFLINE", value)
    monkeypatch.setenv("GANZOO_MIRROR", serve(mirror[0]).url)
    assert weights.find("tiny")


def test_a_card_without_any_mirror_says_so(make_card):
    with pytest.raises(weights.DownloadError, match="no mirror is known .set GANZOO_MIRROR"):
        weights.find(make_card())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_clear_error_and_leaves_nothing(mirror, serve, home, monkeypatch):
    def full(path, mode):
        if mode == "rb":
            return open(path, mode)
        Path(path).touch()
        return open("/dev/full", "wb")  # a real ENOSPC

    server = serve(mirror[0])
    monkeypatch.setenv("GANZOO_MIRROR", server.url)
    monkeypatch.setattr(files, "open", full, raising=False)
    with pytest.raises(OSError, match="Cannot write .*tiny.*: No space left") as caught:
        weights.find("tiny")
    assert caught.value.errno == errno.ENOSPC
    assert weights_in(home) == []
    assert len(server.requests) == 2  # no use to try again


@pytest.mark.parametrize("place", ["", "weights"])
def test_a_cache_that_cannot_be_written_is_one_clear_error(mirror, serve, home, monkeypatch, place):
    if place:
        home.parent.mkdir()
    (home.parent / place).write_text("a file in the folder's place")
    server = serve(mirror[0])
    monkeypatch.setenv("GANZOO_MIRROR", server.url)
    with pytest.raises(OSError, match="Cannot write the cache .*GANZOO_HOME"):
        weights.find("tiny")
    assert server.requests == ["tiny.json"]


@pytest.fixture
def powerless(monkeypatch):
    """A folder as GANZOO_HOME that this user may read and not write, root too."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    monkeypatch.setenv("GANZOO_HOME", str(folder))
    monkeypatch.setattr(paths, "pretrained", lambda: folder / "none")
    user = os.geteuid()
    os.seteuid(user or 65534)
    yield folder
    os.seteuid(user)
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_read_only_cache_is_one_clear_error(powerless, make_card):
    card = make_card(mirrors=("http://127.0.0.1:9",))
    with pytest.raises(OSError, match="Cannot write the cache .*GANZOO_HOME.*Permission denied"):
        weights.find(card)


def test_a_read_only_cache_serves_what_it_holds(mirror, home, monkeypatch, powerless):
    folder, card, _ = mirror
    held = powerless / "weights" / card.versioned_file
    user = os.geteuid()
    os.seteuid(os.getuid())
    powerless.chmod(0o755)
    held.parent.mkdir()
    shutil.copy(folder / card.versioned_file, held)
    powerless.chmod(0o555)
    held.parent.chmod(0o555)
    os.seteuid(user)
    assert weights.find(card) == held
    os.seteuid(os.getuid())
    held.parent.chmod(0o755)


def test_leftovers_of_a_dead_process_are_cleaned_and_those_of_a_living_one_stay(
    mirror, home, monkeypatch
):
    home.mkdir(parents=True)
    for name, age in (("old", 7200), ("new", 10)):
        part = home / f".x.{name}.part"
        part.write_bytes(b"half")
        os.utime(part, (time.time() - age,) * 2)
    monkeypatch.setenv("GANZOO_MIRROR", str(mirror[0]))
    weights.find("tiny")
    assert weights_in(home) == [".x.new.part", mirror[1].versioned_file]


def start(target):
    code = f"from ganzoo import weights; print(weights.find({target!r}))"
    env = os.environ | {"PYTHONPATH": str(Path(files.__file__).parents[2])}
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env
    )


def test_two_processes_fetch_once(mirror, serve, home, monkeypatch, faults):
    folder, card, _ = mirror
    server = serve(folder)
    server.always[card.versioned_file] = faults["slow"]  # within the patience of a new process
    monkeypatch.setenv("GANZOO_MIRROR", server.url)
    processes = [start("tiny"), start("tiny")]
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert out.decode().strip() == str(home / card.versioned_file)
    assert server.requests.count(card.versioned_file) == 1


def test_a_killed_download_leaves_nothing_and_no_lock(mirror, serve, home, monkeypatch, faults):
    folder, card, _ = mirror
    server = serve(folder)
    server.faults[card.versioned_file] = [faults["stall"]]
    monkeypatch.setenv("GANZOO_MIRROR", server.url)
    process = start("tiny")
    deadline = time.monotonic() + 60
    while card.versioned_file not in server.requests and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert weights_in(home) == []
    assert weights.find("tiny") == home / card.versioned_file
    assert server.requests.count(card.versioned_file) == 2


def test_a_lock_that_is_never_given_back_is_one_clear_error(mirror, home, monkeypatch):
    monkeypatch.setenv("GANZOO_MIRROR", str(mirror[0]))
    monkeypatch.setattr(locks, "_LOCK_SECONDS", 0.1)
    lock = home / f".{mirror[1].versioned_file}"
    with (
        locks.locked(home / mirror[1].versioned_file),
        pytest.raises(weights.DownloadError, match=f"Another process has held {lock}.lock"),
    ):
        weights.find("tiny")


# --- a URL ----------------------------------------------------------------------------------------


def test_a_url_with_its_sha256_is_checked_and_kept(mirror, serve, home):
    folder, card, values = mirror
    server = serve(folder)
    url = f"{server.url}/{card.versioned_file}#sha256={card.sha256.upper()}"
    np.testing.assert_array_equal(weights.load(url)["generator/dense/kernel"], values)
    path = weights.find(url)
    assert path.parent == home and path.name.startswith(card.versioned_file[:-12])
    assert len(server.requests) == 1


def test_a_url_without_a_sha256_warns_once_and_the_copy_is_checked_ever_after(mirror, serve, home):
    folder, card, _ = mirror
    server = serve(folder)
    url = f"{server.url}/{card.versioned_file}"
    with pytest.warns(UserWarning, match=f"Nothing vouches .*#sha256={card.sha256}"):
        path = weights.find(url)
    assert weights.find(url) == path
    assert len(server.requests) == 1
    path.write_bytes(b"damaged")
    with pytest.warns() as caught:
        assert weights.find(url) == path
    texts = [str(warning.message) for warning in caught]
    assert "Discarded" in texts[0] and "Nothing vouches" in texts[1]
    assert len(server.requests) == 2


@pytest.mark.parametrize("fault", PASSING + LASTING)
def test_a_failing_url_is_one_clear_error_and_keeps_nothing(
    mirror, serve, home, faults, hasty, fault
):
    folder, card, _ = mirror
    server = serve(folder)
    server.always[card.versioned_file] = faults[fault]
    url = f"{server.url}/{card.versioned_file}"
    with pytest.raises((weights.DownloadError, ValueError), match=url.replace(".", r"\.")):
        weights.find(f"{url}#sha256={card.sha256}")
    assert weights_in(home) == []


def test_a_url_of_no_weights_is_refused_without_a_sha256_too(tmp_path, serve, home):
    (tmp_path / "page").write_text("<!doctype html><title>Sign in</title>")
    with pytest.raises(ValueError, match="/page is no safetensors file"):
        weights.find(f"{serve(tmp_path).url}/page?token=secret")
    assert weights_in(home) == []


@pytest.mark.parametrize("fragment", ["#sha256=abc", "#md5=abc", "#v1"])
def test_a_malformed_fragment_is_refused(fragment):
    with pytest.raises(ValueError, match="sha256"):
        weights.find(f"http://127.0.0.1:9/x.safetensors{fragment}")


def test_a_url_cannot_choose_a_name_outside_the_cache(mirror, serve, home):
    folder, card, _ = mirror
    (folder / "..%2F..%2Fevil").write_bytes((folder / card.versioned_file).read_bytes())
    path = weights.find(f"{serve(folder).url}/%2e%2e%2f%2e%2e%2fevil#sha256={card.sha256}")
    assert path.parent == home
    assert path.name.startswith("evil-")
