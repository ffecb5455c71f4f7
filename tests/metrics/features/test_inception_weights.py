"""The file of the FID Inception: where it is looked for, and that nothing wrong is taken."""

import hashlib
import threading

import pytest

from ganzoo import torch_state
from ganzoo.metrics.features import inception_weights
from ganzoo.weights import DownloadError, download
from tests.weights import conftest as web

DATA = b"the weights of 2015" * 1000


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache; the published file is a small one."""
    for name in ("GANZOO_MIRROR", "GANZOO_OFFLINE", "GANZOO_INCEPTION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(download, "BACKOFF", 0.01)
    monkeypatch.setattr(inception_weights, "FID_SHA256", hashlib.sha256(DATA).hexdigest())
    monkeypatch.setattr(inception_weights, "BYTES", len(DATA))
    monkeypatch.setattr(torch_state, "read", lambda data: {"bytes": data})
    return tmp_path / "home" / "weights"


@pytest.fixture
def server(cache, tmp_path, monkeypatch):
    """Two mirrors, `first` and `second`, and a folder for GANZOO_MIRROR, `extra`."""
    for name in ("first", "second"):
        (tmp_path / "web" / name).mkdir(parents=True)
        (tmp_path / "web" / name / "file.pth").write_bytes(DATA)
    server = web.Server(tmp_path / "web")
    mirrors = tuple(f"{server.url}/{name}/file.pth" for name in ("first", "second"))
    monkeypatch.setattr(inception_weights, "MIRRORS", mirrors)
    yield server
    server.close()


def kept(cache):
    return sorted(path.name for path in cache.glob("*") if not path.name.endswith(".lock"))


def test_is_downloaded_once_and_verified(server, cache):
    for _ in range(2):
        tensors, sha256 = inception_weights.load()
        assert tensors == {"bytes": DATA}
        assert sha256 == inception_weights.FID_SHA256
    assert server.requests == ["first/file.pth"]
    assert kept(cache) == [inception_weights.FILE]


@pytest.mark.parametrize("fault", ["truncate", "truncate_unsaid", "corrupt", "lengthen", "404"])
def test_the_next_mirror_serves_where_one_fails(server, cache, fault):
    server.always["first/file.pth"] = web.FAULTS[fault]
    assert inception_weights.load()[0] == {"bytes": DATA}
    assert server.requests[-1] == "second/file.pth"


def test_a_network_error_names_the_mirrors_and_how_to_supply_the_file(server, cache):
    server.always["first/file.pth"] = web.FAULTS["corrupt"]
    server.always["second/file.pth"] = web.FAULTS["404"]
    with pytest.raises(DownloadError) as caught:
        inception_weights.load()
    message = str(caught.value)
    for part in (*inception_weights.MIRRORS, "the sha256 is", "404", "path=", "GANZOO_INCEPTION"):
        assert part in message
    assert kept(cache) == []


def test_offline_asks_nobody(server, cache, monkeypatch):
    monkeypatch.setenv("GANZOO_OFFLINE", "1")
    with pytest.raises(DownloadError, match="GANZOO_OFFLINE is set.*GANZOO_INCEPTION"):
        inception_weights.load()
    assert server.requests == []


def test_offline_takes_the_cache(server, cache, monkeypatch):
    inception_weights.load()
    monkeypatch.setenv("GANZOO_OFFLINE", "1")
    assert inception_weights.load()[0] == {"bytes": DATA}


def test_a_damaged_copy_is_fetched_anew(server, cache):
    inception_weights.load()
    (cache / inception_weights.FILE).write_bytes(DATA[:-1])
    with pytest.warns(UserWarning, match="is damaged"):
        assert inception_weights.load()[0] == {"bytes": DATA}
    assert (cache / inception_weights.FILE).read_bytes() == DATA


def test_a_mirror_of_ones_own_goes_first(server, cache, tmp_path, monkeypatch):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / inception_weights.FILE).write_bytes(DATA)
    monkeypatch.setenv("GANZOO_MIRROR", f"{server.url}/extra/ {tmp_path / 'own'}")
    assert inception_weights.load()[0] == {"bytes": DATA}
    assert server.requests == [f"extra/{inception_weights.FILE}"]


def test_two_at_once_download_once(server, cache):
    server.faults["first/file.pth"] = [web.slow]
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(inception_weights.fetch())) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [DATA, DATA]
    assert server.requests == ["first/file.pth"]


def test_a_file_of_ones_own_needs_no_network(server, cache, tmp_path, monkeypatch):
    own, other = tmp_path / "own.pth", tmp_path / "other.pth"
    own.write_bytes(b"own")
    other.write_bytes(b"other")
    monkeypatch.setenv("GANZOO_INCEPTION", str(other))
    assert inception_weights.load() == (
        {"bytes": b"other"},
        hashlib.sha256(b"other").hexdigest(),
    )
    assert inception_weights.load(own) == ({"bytes": b"own"}, hashlib.sha256(b"own").hexdigest())
    assert server.requests == []


def test_a_missing_file_is_named(cache, tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"no Inception file .*none\.pth\.$"):
        inception_weights.load(tmp_path / "none.pth")
    monkeypatch.setenv("GANZOO_INCEPTION", str(tmp_path / "none.pth"))
    with pytest.raises(FileNotFoundError, match=r"none\.pth\. GANZOO_INCEPTION names it"):
        inception_weights.load()


def test_a_file_that_is_no_state_dict_is_named(cache, tmp_path, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    (tmp_path / "notes.pth").write_bytes(b"no pickle at all")
    with pytest.raises(ValueError, match=r"notes\.pth"):
        inception_weights.load(tmp_path / "notes.pth")


def test_a_cache_that_cannot_be_written_is_named(server, cache):
    cache.parent.mkdir()
    cache.write_bytes(b"a file where the folder should be")
    with pytest.raises(OSError, match=r"Cannot write the cache .*GANZOO_HOME"):
        inception_weights.load()
