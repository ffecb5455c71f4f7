"""Folders of image files, and zip archives of such folders."""

import os
import stat
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ganzoo.data.cache import Entry, decoded
from ganzoo.data.images import Images
from ganzoo.data.request import Request, no_split

# fmt: off
SUFFIXES = frozenset((
    ".avif", ".bmp", ".gif", ".jfif", ".jp2", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm",
    ".tif", ".tiff", ".webp",
))
# fmt: on
SPLITS = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
}


@dataclass(frozen=True)
class _File:
    """One image file: its path inside the source, what tells it from another, how to read it."""

    path: PurePosixPath
    state: tuple
    read: Callable[[], bytes]


def open_folder(folder: Path, request: Request) -> Images:
    """Decodes the images in a folder and its subfolders, cached on disk.

    Subfolders `train` and `test` are splits. Below that, if every image lies in a subfolder, the
    outermost subfolders are the classes, in order of name (of number, where all are numbers).
    Hidden files, `__MACOSX` and files that are no images by name are left out. Links to images that
    are gone count as broken files.

    Raises:
        ValueError: if a subfolder cannot be read: without it, the classes would be others.
    """
    files = []
    for path in walk(folder, lambda name: _is_image(PurePosixPath(name))):
        state = _state(path)
        if state is not None:
            inside = PurePosixPath(path.relative_to(folder).as_posix())
            files.append(_File(inside, state, path.read_bytes))
    return _open(files, folder, request, place=str(folder.resolve()))


def open_zip(path: Path, request: Request) -> Images:
    """Decodes the images in a zip archive as `open_folder` does a folder; nothing is unpacked.

    Raises:
        ValueError: if it is no zip archive, is encrypted, or has members that point outside.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise ValueError(f"Cannot read {path}: {error}") from error
    with archive:
        files = []
        for member in archive.infolist():
            inside = _inside(path, member.filename)
            if member.is_dir() or not _is_image(inside):
                continue
            if member.flag_bits & 1:
                raise ValueError(f"{path} is encrypted: {member.filename}")
            state = (member.file_size, member.CRC)
            files.append(_File(inside, state, lambda member=member: archive.read(member)))
        # Sizes and checksums tell the contents: the archive may be moved and stay cached.
        return _open(files, path, request, place="zip")


def _inside(archive: Path, name: str) -> PurePosixPath:
    inside = PurePosixPath(name.replace("\\", "/"))
    if inside.is_absolute() or ".." in inside.parts or ":" in (inside.parts or ("",))[0]:
        raise ValueError(f"{archive} is refused: its member {name!r} points outside of it.")
    return inside


def walk(folder: Path, wanted: Callable[[str], bool]) -> list[Path]:
    """Returns what has a wanted name and is no folder, below `folder`; hidden names are left out.

    Links are followed, each folder once. Those to files that are gone are returned too.

    Raises:
        ValueError: if a folder cannot be read, or a link that may be a folder's leads nowhere.
    """
    found, seen = [], set()
    for place, folders, names in os.walk(folder, onerror=_unreadable, followlinks=True):
        real = os.path.realpath(place)
        folders[:] = [] if real in seen else sorted(f for f in folders if not _hidden(f))
        if real not in seen:
            paths = [Path(place, name) for name in names if not _hidden(name)]
            _check_links(paths)
            found += [path for path in paths if wanted(path.name)]
        seen.add(real)
    return found


def _check_links(paths: list[Path]) -> None:
    """Raises ValueError if one without a suffix, as folders are named, is a link to nowhere."""
    for path in paths:
        if not path.suffix and path.is_symlink():
            try:
                path.stat()
            except OSError as error:
                _unreadable(error)


def _unreadable(error: OSError) -> None:
    path = error.filename
    link = f", a link to {os.readlink(path)}" if os.path.islink(path) else ""
    raise ValueError(f"Cannot read {path}{link}: {error.strerror}.") from error


def _state(path: Path) -> tuple[int, ...] | None:
    """Returns what tells a file from another; None for a pipe, say, whose reading may not end."""
    try:
        state = path.stat()
    except OSError as error:  # Such as a link to nowhere: to read it fails too, and is reported.
        return (error.errno,)
    return (state.st_size, state.st_mtime_ns) if stat.S_ISREG(state.st_mode) else None


def _hidden(name: str) -> bool:
    # A file system's own lost+found may be read by nobody, and holds nobody's images.
    return name.startswith(".") or name in ("__MACOSX", "lost+found")


def _is_image(path: PurePosixPath) -> bool:
    return path.suffix.lower() in SUFFIXES and not any(_hidden(part) for part in path.parts)


def _open(files: list[_File], source: Path, request: Request, *, place: str) -> Images:
    """Chooses the split and the classes, and decodes what is left."""
    files = sorted(files, key=lambda file: file.path.parts)
    folders = [file.path.parts[:-1] for file in files]
    files, folders = _of_split(files, _unwrapped(folders), source, request.split)
    folders = _unwrapped(folders)
    if not files:
        raise ValueError(
            f"{source} holds no images. Looked for files named *{', *'.join(sorted(SUFFIXES))}, "
            "in subfolders too."
        )
    classes = _classes(folders)
    number = {name: label for label, name in enumerate(classes)}
    entries = [
        Entry(str(file.path), number[parts[0]] if classes else -1, file.read)
        for file, parts in zip(files, folders, strict=True)
    ]
    return decoded(
        lambda: entries,
        request,
        total=len(entries),
        name=source.stem if source.is_file() else source.resolve().name,
        state=[place, *((str(file.path), *file.state) for file in files)],
        labelled=bool(classes),
        class_names=classes,
    )


def _unwrapped(folders: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Drops the outer folders that all files share: they are neither a split nor a class."""
    while folders and all(parts and parts[0] == folders[0][0] for parts in folders):
        if folders[0][0].lower() in SPLITS:
            break
        folders = [parts[1:] for parts in folders]
    return folders


def _of_split(files: list, folders: list, source: Path, split: str) -> tuple[list, list]:
    """Keeps the files of `split`, where the outermost folders are named for splits."""
    outermost = {parts[0] if parts else "" for parts in folders}
    splits = {SPLITS.get(name.lower()) for name in outermost}
    if not ("train" in splits or (splits and None not in splits)):
        if split != "train":
            raise no_split(split, source, ("train",))
        return files, folders
    kept = [
        (file, parts[1:])
        for file, parts in zip(files, folders, strict=True)
        if parts and SPLITS.get(parts[0].lower()) == split
    ]
    if not kept:
        raise no_split(split, source, sorted(splits - {None}))
    return [file for file, _ in kept], [parts for _, parts in kept]


def _classes(folders: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Returns the class names, none unless every file lies in one of several folders."""
    if not all(folders):
        return ()
    names = {parts[0] for parts in folders}
    numbers = all(name.isdecimal() for name in names)
    return tuple(sorted(names, key=(lambda name: (int(name), name)) if numbers else None))
