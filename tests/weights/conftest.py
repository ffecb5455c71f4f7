"""A cache of its own for each test, small weights, and web servers that misbehave as told."""

import contextlib
import hashlib
import http.server
import threading
from collections import defaultdict

import numpy as np
import pytest

from ganzoo import paths, weights
from ganzoo.weights import download


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty cache, no packaged weights, no mirrors, and no wait between attempts."""
    for name in ("GANZOO_MIRROR", "GANZOO_OFFLINE", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(paths, "pretrained", lambda: tmp_path / "pretrained")
    monkeypatch.setattr(download, "BACKOFF", 0.01)
    monkeypatch.setattr(download, "TIMEOUT", (20.0, 20.0))
    return tmp_path / "home" / "weights"


@pytest.fixture
def make_card():
    def make(name="tiny", data=b"", **changes):
        values = {
            "name": name,
            "file": f"{name}.safetensors",
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
            "config_hash": "0" * 64,
            "data": {"source": "digits", "images": 1797, "image_size": 8, "fingerprint": "ab"},
            "seed": 0,
            "steps": 10,
            "metrics": {"fid": 1.5},
        }
        return weights.Card(**values | changes)

    return make


@pytest.fixture
def package(tmp_path, make_card):
    """Puts weights into the package's folder; gives the card and the tensors."""

    def add(name="tiny", *, seed=0, directory=tmp_path / "pretrained", **changes):
        directory.mkdir(exist_ok=True)
        values = np.random.default_rng(seed).normal(size=(64, 64)).astype("float16")
        path = directory / f"{name}.safetensors"
        weights.write(path, {"generator/dense/kernel": values}, {"name": name})
        card = make_card(name, path.read_bytes(), **changes)
        card.write(directory / f"{name}.json")
        return card, values

    return add


class Server:
    """Serves a folder on loopback. `faults[path]` has what to do, in turn, before it behaves."""

    def __init__(self, folder):
        self.folder, self.requests, self.ranges = folder, [], []
        self.faults, self.always = defaultdict(list), {}
        self.released = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def answer(self, handler):
        name = handler.path.partition("?")[0].lstrip("/")
        self.requests.append(name)
        self.ranges.append(handler.headers.get("Range"))
        waiting = self.faults[name]
        fault = waiting.pop(0) if waiting else self.always.get(name)
        path = self.folder / name
        body = path.read_bytes() if path.is_file() else None
        with contextlib.suppress(ConnectionError):
            if fault:
                fault(self, handler, body)
            elif body is None:
                status(404)(self, handler, body)
            elif handler.headers.get("Range"):
                status(416)(self, handler, body)  # this server gives no ranges
            else:
                send(handler, body)

    def close(self):
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def send(handler, body, *, length=None, code=200):
    handler.send_response(code)
    if length is not False:
        handler.send_header("Content-Length", str(len(body) if length is None else length))
    handler.end_headers()
    handler.wfile.write(body)


def truncate(server, handler, body):
    send(handler, body[: len(body) // 2], length=len(body))


def truncate_unsaid(server, handler, body):
    send(handler, body[: len(body) // 2], length=False)


def corrupt(server, handler, body):
    send(handler, body[:-1] + bytes([body[-1] ^ 1]))


def lengthen(server, handler, body):
    send(handler, body + b"more")


def malform(server, handler, body):
    send(handler, body, length="many")


def stall(server, handler, body):
    send(handler, body[: len(body) // 2], length=len(body))
    handler.wfile.flush()
    server.released.wait(20)


def hang_up(server, handler, body):
    handler.close_connection = True


def slow(server, handler, body):
    server.released.wait(1.0)
    send(handler, body)


def status(code):
    def fault(server, handler, body):
        send(handler, b"sorry", code=code)

    return fault


def redirect(url):
    def fault(server, handler, body):
        handler.send_response(302)
        handler.send_header("Location", url)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return fault


FAULTS = {
    "truncate": truncate,
    "truncate_unsaid": truncate_unsaid,
    "corrupt": corrupt,
    "lengthen": lengthen,
    "malform": malform,
    "stall": stall,
    "hang_up": hang_up,
    "404": status(404),
    "403": status(403),
    "500": status(500),
    "503": status(503),
    "loop": lambda server, handler, body: redirect(server.url + handler.path)(
        server, handler, body
    ),
}


@pytest.fixture
def faults():
    return FAULTS | {"redirect": redirect, "slow": slow}


@pytest.fixture
def serve():
    """Starts servers; `serve(folder)` gives one with `url`, `requests`, `faults`, `always`."""
    servers = []

    def start(folder):
        servers.append(Server(folder))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def mirror(tmp_path, package):
    """A mirror's folder with the entry `tiny`, which the package lacks; its card and values."""
    card, values = package(directory=tmp_path / "elsewhere")
    folder = tmp_path / "mirror"
    folder.mkdir()
    (tmp_path / "elsewhere" / card.file).rename(folder / card.versioned_file)
    (tmp_path / "elsewhere" / "tiny.json").rename(folder / "tiny.json")
    return folder, card, values


@pytest.fixture
def hasty(monkeypatch, fault):
    """Little patience with a server that stalls."""
    if fault == "stall":
        monkeypatch.setattr(download, "TIMEOUT", (20.0, 0.6))
