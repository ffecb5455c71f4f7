"""Finds weights on disk, and downloads what is not there. What it gives has been verified.

A mirror is a folder, on a web server (`https://`, `http://`), in a hub repository
(`hf://owner/repo`) or on a disk, as `write_mirror` writes it: NAME.json and
NAME-XXXXXXXX.safetensors. What comes from one is kept in the cache, `<GANZOO_HOME>/weights`.

Environment: GANZOO_HOME; GANZOO_MIRROR, mirrors to ask first, separated by blanks or commas;
GANZOO_OFFLINE=1, no network.
"""

import hashlib
import os
import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import numpy as np

from ganzoo import paths
from ganzoo.weights import files, records
from ganzoo.weights.download import SCHEMES, DownloadError, NotThere, download, shown, verified
from ganzoo.weights.locks import locked
from ganzoo.weights.records import Card

_LARGEST_CARD = 2**20  # bytes
_LARGEST_FILE = 2**31  # bytes, of a file without a card
_FILES = (".safetensors", ".keras", os.sep)  # what the name of a file ends in, and no entry's


def find(target: str | os.PathLike | Card) -> Path:
    """Returns the path of verified weights on disk, after a download if need be.

    Args:
        target: A file's path; a URL (`https://`, `http://`, `hf://owner/repo/file`), best with
            `#sha256=...` at its end; the name of an entry; or a card. Text with a slash or that
            ends in `.safetensors` is a path.

    Raises:
        NotPublished: The entry has no weights.
        DownloadError: No source gave the right bytes, or GANZOO_OFFLINE forbids to ask.
        ValueError: The target is no URL, path or name.
        OSError: No such file, a full disk, or a cache that cannot be written.
    """
    return _locate(target)[0]


def load(target: str | os.PathLike | Card) -> dict[str, np.ndarray]:
    """Returns the tensors of the weights that `find` finds, checked on the very bytes parsed.

    Raises:
        ValueError: The file is no valid safetensors file, or as `find`.
        OSError: As `find`.
    """
    path, sha256 = _locate(target)
    return files.read(path, sha256=sha256)[0]


def _locate(target: str | os.PathLike | Card) -> tuple[Path, str | None]:
    if isinstance(target, Card):
        return _of_card(target)
    if isinstance(target, str) and "://" in target:
        return _of_url(target)
    if not isinstance(target, str) or "/" in target or target.endswith(_FILES):
        path = Path(target).expanduser()
        if not path.is_file():
            raise FileNotFoundError(f"There is no weights file {path}.")
        return path, None
    card = _card_of(target)
    found = _of_card(card)
    if target not in records.cards():  # for the next time, with the network off too
        card.write(records.cache() / f"{target}.json")
    return found


# --- an entry's weights -------------------------------------------------------------------------


def _card_of(name: str) -> Card:
    """The entry's card: in the package, in the cache, or on a mirror of GANZOO_MIRROR."""
    records.check_name(name)
    known = records.cards()
    if name in known:
        return known[name]
    failures = []
    for mirror in _extra_mirrors():
        source = f"{mirror}/{name}.json"
        try:
            card = Card.from_json(_get(source, largest=_LARGEST_CARD), source=_label(source))
            if card.name == name:
                return card
            failures.append(f"{_label(source)}: it is the card of {card.name!r}")
        except NotThere:
            continue
        except DownloadError as error:
            failures.append(f"{_label(source)}: {error}")
        except ValueError as error:
            failures.append(str(error))
    if failures:
        raise DownloadError(f"Cannot tell whether {name!r} has weights. {_tried(failures)}")
    raise records.not_published(name, known)


def _of_card(card: Card) -> tuple[Path, str]:
    shipped = records.packaged().get(card.name)
    if shipped and shipped.sha256 == card.sha256:
        packaged = paths.pretrained() / shipped.file
        if _holds(packaged, card.sha256):
            return packaged, card.sha256
        if packaged.is_file():
            warnings.warn(f"{packaged} is damaged: looking elsewhere.", stacklevel=4)
    path = records.cache() / card.versioned_file
    if _holds(path, card.sha256):
        return path, card.sha256
    mirrors = [*_extra_mirrors(), *(url.rstrip("/") for url in card.mirrors)]
    if not any(_allowed(mirror) for mirror in mirrors):
        why = "GANZOO_OFFLINE is set" if mirrors else "no mirror is known (set GANZOO_MIRROR)"
        raise DownloadError(f"The weights of {card.name!r} are not on this disk, and {why}.")
    with locked(path):
        if not _holds(path, card.sha256):  # or else another process has just fetched it
            _discard(path)
            data = _from_mirrors(mirrors, card)
            with files.replacing(path) as file:
                file.write(data)
    return path, card.sha256


def _from_mirrors(mirrors: Iterable[str], card: Card) -> bytes:
    failures = []
    for mirror in dict.fromkeys(mirrors):
        source = f"{mirror}/{card.versioned_file}"
        try:
            return _get(source, largest=card.bytes, sha256=card.sha256)
        except (DownloadError, ValueError) as error:
            failures.append(f"{_label(source)}: {error}")
    raise DownloadError(f"Cannot get the weights of {card.name!r}. {_tried(failures)}")


def _get(source: str, *, largest: int, sha256: str | None = None) -> bytes:
    """The bytes of a file on a mirror."""
    if not _allowed(source):
        raise DownloadError("GANZOO_OFFLINE is set")
    if "://" in source:
        return download(source, largest=largest, sha256=sha256)
    try:
        return verified(Path(source).expanduser().read_bytes(), sha256)
    except FileNotFoundError as error:
        raise NotThere("there is no such file") from error
    except DownloadError:
        raise
    except OSError as error:
        raise DownloadError(error.strerror or str(error)) from error


def _extra_mirrors() -> list[str]:
    named = re.split(r"[\s,]+", os.environ.get("GANZOO_MIRROR", ""))
    return [mirror.rstrip("/") for mirror in named if mirror]


def _allowed(source: str) -> bool:
    return not paths.offline() or "://" not in source


def _label(source: str) -> str:
    return shown(source) if "://" in source else source


def _tried(failures: Iterable[str]) -> str:
    return "Tried " + "; ".join(failures) + "."


# --- weights at a URL ---------------------------------------------------------------------------


def _of_url(url: str) -> tuple[Path, str]:
    """Kept as STEM-KEY-SHA256.safetensors, KEY from the URL: so a reused copy can be checked."""
    url, sha256 = _split(url)
    key = hashlib.sha256(url.encode()).hexdigest()[:12]
    if kept := _kept(key, sha256):
        return kept
    if not _allowed(url):
        raise DownloadError(f"{shown(url)} is not in the cache, and GANZOO_OFFLINE is set.")
    with locked(records.cache() / f"url-{key}"):
        if kept := _kept(key, sha256, discard=True):
            return kept
        try:
            data = download(url, largest=_LARGEST_FILE, sha256=sha256)
        except DownloadError as error:
            raise type(error)(f"Cannot download {shown(url)}: {error}.") from error
        files.parse(data, shown(url))
        found = hashlib.sha256(data).hexdigest()
        last = unquote(urlsplit(url).path).rpartition("/")[2].removesuffix(".safetensors")
        stem = re.sub(r"[^A-Za-z0-9_-]", "_", last)[:60] or "weights"
        path = records.cache() / f"{stem}-{key}-{found}.safetensors"
        with files.replacing(path) as file:
            file.write(data)
    if sha256 is None:
        warnings.warn(
            f"Nothing vouches for the weights at {shown(url)}: no sha256 was given. If you trust "
            f"them, end the URL with #sha256={found}",
            stacklevel=4,
        )
    return path, found


def _split(url: str) -> tuple[str, str | None]:
    """The URL without its fragment, and the sha256 that the fragment may give."""
    if url.partition("://")[0] not in SCHEMES:
        raise ValueError(f"Expected a URL with https://, http:// or hf://. Received: {shown(url)}")
    url, fragment = urldefrag(url)
    if not fragment:
        return url, None
    key, _, sha256 = fragment.partition("=")
    if key != "sha256":
        raise ValueError(f"Expected '#sha256=...' at the URL's end. Received: '#{fragment}'")
    records.check_sha256("sha256", sha256.lower())
    return url, sha256.lower()


def _kept(key: str, sha256: str | None, *, discard: bool = False) -> tuple[Path, str] | None:
    """The cached copy of a URL's file, if there is a whole one."""
    for path in sorted(records.cache().glob(f"*-{key}-{sha256 or '*'}.safetensors")):
        found = path.stem.rpartition("-")[2]
        if _holds(path, found):
            return path, found
        if discard:
            _discard(path)
    return None


# --- the cache ----------------------------------------------------------------------------------


def _holds(path: Path, sha256: str) -> bool:
    try:
        return files.digest(path) == sha256
    except OSError:
        return False


def _discard(path: Path) -> None:
    """Removes a damaged file. Called under its lock, so that no other process's new one goes."""
    if path.is_file():
        warnings.warn(f"Discarded a damaged file: {path}", stacklevel=6)
        path.unlink()
