"""The weights of the FID Inception: where they are, and what they must look like.

They are the PyTorch conversion of TensorFlow's network of 2015-12-05 that pytorch-fid and
torch-fidelity publish, 95.6 MB. Looked for, in order: the path given; the file that
GANZOO_INCEPTION names; the cache, `<GANZOO_HOME>/weights`; mirrors. Those are the folders of
GANZOO_MIRROR, where the file is called `pt_inception-2015-12-05-6726825d.pth`, then the two
projects' release pages. Whatever comes from the cache or a mirror has the sha256 below.
"""

import hashlib
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ganzoo import paths
from ganzoo.weights import files
from ganzoo.weights.download import DownloadError, download, shown, verified
from ganzoo.weights.locks import locked

FID_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
BYTES = 95_628_359
FILE = "pt_inception-2015-12-05-6726825d.pth"
MIRRORS = (
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/" + FILE,
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
    "weights-inception-2015-12-05-6726825d.pth",
)
VARIABLE = "GANZOO_INCEPTION"
_HOW = (
    f"To supply the file yourself, download {FILE} with a browser, then pass path=..., or set "
    f"{VARIABLE} to its path."
)


def load(path: str | os.PathLike | None = None) -> tuple[dict[str, np.ndarray], str]:
    """Returns the tensors by their PyTorch names, and the sha256 of the file that holds them.

    Args:
        path: A PyTorch file; None for GANZOO_INCEPTION, the cache or a download. A file of one's
            own may hold other weights: compare the sha256 with `FID_SHA256`.

    Raises:
        DownloadError: No mirror gave the right bytes, or GANZOO_OFFLINE forbids to ask.
        ValueError: The file is no PyTorch state dict.
        OSError: The file cannot be read, or the cache cannot be written.
    """
    from ganzoo import torch_state

    own = path if path is not None else os.environ.get(VARIABLE)
    data = _read(Path(own).expanduser(), path is None) if own else fetch()
    try:
        return torch_state.read(data), hashlib.sha256(data).hexdigest()
    except ValueError as error:
        raise ValueError(f"{own or FILE}: {error}") from error


def _read(path: Path, named_by_variable: bool) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        reason = f" {VARIABLE} names it." if named_by_variable else ""
        raise FileNotFoundError(f"There is no Inception file {path}.{reason}") from error


def fetch() -> bytes:
    """Returns the bytes of the FID network's file: from the cache, else downloaded into it.

    Raises:
        DownloadError: No mirror gave them, or GANZOO_OFFLINE forbids to ask; the message names
            each mirror with its reason, and how to supply the file.
        OSError: The cache cannot be written.
    """
    path = paths.home() / "weights" / FILE
    data = _kept(path)
    if data is None:
        with locked(path):
            data = _kept(path)  # another process may have just fetched it
            if data is None:
                if path.is_file():
                    warnings.warn(f"{path} is damaged: fetching it anew.", stacklevel=4)
                data = _download()
                with files.replacing(path) as file:
                    file.write(data)
    return data


def _kept(path: Path) -> bytes | None:
    """The bytes in the cache, if they are there and whole."""
    try:
        return verified(path.read_bytes(), FID_SHA256)
    except (DownloadError, FileNotFoundError, NotADirectoryError):
        return None


def _download() -> bytes:
    failures = []
    for source in _sources():
        remote = "://" in source
        label = shown(source) if remote else source
        try:
            if not remote:
                return verified(Path(source).expanduser().read_bytes(), FID_SHA256)
            if not paths.offline():
                return download(source, largest=BYTES, sha256=FID_SHA256)
            failures.append(f"{label}: GANZOO_OFFLINE is set")
        except (OSError, ValueError) as error:
            failures.append(f"{label}: {getattr(error, 'strerror', None) or error}")
    raise DownloadError(
        f"Cannot get the weights of the FID Inception. Tried {'; '.join(failures)}. {_HOW}"
    )


def _sources() -> Iterator[str]:
    for mirror in re.split(r"[\s,]+", os.environ.get("GANZOO_MIRROR", "")):
        if mirror:
            yield f"{mirror.rstrip('/')}/{FILE}"
    yield from MIRRORS
