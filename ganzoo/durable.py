"""Files that are there whole or not at all, after a crash or a power cut too."""

import contextlib
import os
from pathlib import Path
from typing import IO


def sync(file: IO) -> None:
    """Waits until what was written to an open file is on the disk; the next read comes from there.

    Raises:
        OSError: If the disk is full or fails.
    """
    file.flush()
    os.fsync(file.fileno())
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def replace(aside: Path, path: Path) -> None:
    """Gives a file that is on the disk its name, in place of one that may have it."""
    os.replace(aside, path)
    # some systems cannot open folders, some file systems cannot wait for them
    with contextlib.suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def write_text(path: Path, text: str) -> None:
    """Writes a small file aside, `partial-NAME`, and renames it.

    Raises:
        OSError: If it cannot be written.
    """
    aside = path.with_name(f"partial-{path.name}")
    with open(aside, "w", encoding="utf-8") as file:
        file.write(text)
        sync(file)
    replace(aside, path)
