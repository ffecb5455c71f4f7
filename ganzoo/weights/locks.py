"""Locks of files in the cache, so that two processes fetch one once."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import filelock

from ganzoo.weights import files
from ganzoo.weights.download import DownloadError

_LOCK_SECONDS = 1800  # to wait for another process that downloads the same file
_OLD_SECONDS = 3600  # after which a temporary file is a dead process's


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the lock of a file in the cache, across processes; makes the folder if missing.

    Raises:
        DownloadError: If another process holds it for too long.
        OSError: If the folder cannot be written.
    """
    lock = filelock.FileLock(path.with_name(f".{path.name}.lock"), timeout=_LOCK_SECONDS)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout as error:
        waited = f"Another process has held {lock.lock_file} for {_LOCK_SECONDS} seconds."
        raise DownloadError(f"{waited} Remove it if that process is dead.") from error
    except (OSError, NotImplementedError) as error:
        what = f"Cannot write the cache {path.parent} (GANZOO_HOME may name another folder)"
        if isinstance(error, NotImplementedError):
            raise OSError(f"{what}: {error}.") from error
        raise files.explained(error, what) from error
    try:
        for part in path.parent.glob(".*.part"):
            with contextlib.suppress(OSError):
                if time.time() - part.stat().st_mtime > _OLD_SECONDS:
                    part.unlink()
        yield
    finally:
        lock.release()
