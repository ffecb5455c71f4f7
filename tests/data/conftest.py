import errno
import io
import os

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Every test decodes into a cache of its own."""
    home = tmp_path / "home"
    monkeypatch.setenv("GANZOO_HOME", str(home))
    return home


@pytest.fixture
def deny_folders(monkeypatch):
    """Returns a function that forbids to list folders of some names, to root too."""
    scan = os.scandir

    def deny_folders(*names):
        def scandir(place="."):
            if os.path.basename(place) in names:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(place))
            return scan(place)

        monkeypatch.setattr(os, "scandir", scandir)

    return deny_folders


@pytest.fixture
def encode():
    """Returns a function from pixels (or a Pillow image) and a format to the bytes of a file."""

    def encode(pixels, kind="PNG", **options):
        image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
        file = io.BytesIO()
        image.save(file, kind, **options)
        return file.getvalue()

    return encode


@pytest.fixture
def write(encode, tmp_path):
    """Returns a function that writes seeded random images to paths below a folder `source`."""

    def write(*names, size=(6, 6), seed=0, colour=True, root=None):
        rng = np.random.default_rng(seed)
        root = tmp_path / "source" if root is None else root
        written = {}
        for name in names:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shape = (*size, 3) if colour else size
            written[name] = rng.integers(0, 256, shape, dtype=np.uint8)
            path.write_bytes(encode(written[name]))
        return root, written

    return write
