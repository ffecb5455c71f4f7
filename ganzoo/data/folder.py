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

_Folders = tuple[str, ...]  # around a file, from the outermost on


@dataclass(frozen=True)
class _File:
    """One image file: its path inside the source, what tells it from another, how to read it."""

    path: PurePosixPath
    state: tuple
    read: Callable[[], bytes]


def open_folder(folder: Path, request: Request) -> Images:
    """Decodes the images in a folder and its subfolders, cached on disk.

    Subfolders `train` and `test` are splits. Below that, if every image lies in a subfolder, the
    outermost subfolders are the classes, in order of name (of number, where all are numbers), with
    the same numbers in all splits that have classes. A split with files outside of such folders
    has no labels.

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
    found = _by_split(files)
    splits = found or {"train": [(file, file.path.parts[:-1]) for file in files]}
    if request.split not in splits:
        raise no_split(request.split, source, sorted(splits))
    if not files:
        raise ValueError(
            f"{source} holds no images. Looked for files named *{', *'.join(sorted(SUFFIXES))}, "
            "in subfolders too."
        )
    files = [file for file, _ in splits[request.split]]
    inside = _agreed({split: [parts for _, parts in kept] for split, kept in splits.items()})
    folders = inside[request.split]
    # A split without class folders has no labels, whatever the others have.
    classes = _classes(inside) if all(folders) else ()
    number = {name: label for label, name in enumerate(classes)}
    entries = [
        Entry(str(file.path), number[parts[0]] if classes else -1, file.read)
        for file, parts in zip(files, folders, strict=True)
    ]
    # Without splits these paths tell the classes; with splits, those of the others do too.
    told = [list(classes)] if found else []
    return decoded(
        lambda: entries,
        request,
        total=len(entries),
        name=source.stem if source.is_file() else source.resolve().name,
        state=[place, *told, *((str(file.path), *file.state) for file in files)],
        labelled=bool(classes),
        class_names=classes,
    )


def _by_split(files: list[_File]) -> dict[str, list[tuple[_File, _Folders]]]:
    """Returns the files of each split and their folders in it; nothing if there are no splits."""
    folders = _unwrapped([file.path.parts[:-1] for file in files], kept=_split)
    outermost = [parts[0] if parts else "" for parts in folders]
    named = {_split(name) for name in outermost}
    if not ("train" in named or (named and None not in named)):
        return {}
    splits = {}
    for file, name, parts in zip(files, outermost, folders, strict=True):
        if split := _split(name):
            splits.setdefault(split, []).append((file, parts[1:]))
    return splits


def _split(name: str) -> str | None:
    return SPLITS.get(name.lower())


def _unwrapped(folders: list[_Folders], kept: Callable[[str], object]) -> list[_Folders]:
    """Drops the outer folders that all files share, up to one that is kept for its name."""
    while folders and all(parts and parts[0] == folders[0][0] for parts in folders):
        if kept(folders[0][0]):
            break
        folders = [parts[1:] for parts in folders]
    return folders


def _agreed(splits: dict[str, list[_Folders]]) -> dict[str, list[_Folders]]:
    """Drops the outer folders that all files of a split share, but for a class of another split.

    Beside `train/a/` and `train/b/`, the only folder `test/b/` is a class and `test/all/` is none.
    Where splits have several folders at different depths, the outermost ones tell the classes.
    """
    alone = {split: _unwrapped(folders, kept=lambda _: False) for split, folders in splits.items()}
    dropped = {
        split: len(splits[split][0]) - len(folders[0])
        for split, folders in alone.items()
        if all(folders)
    }
    least = min(dropped.values(), default=0)
    known = {parts[0] for split in dropped if dropped[split] == least for parts in alone[split]}
    return {
        split: folders
        if known.intersection(parts[0] for parts in folders if parts)
        else _unwrapped(splits[split], kept=known.__contains__)
        for split, folders in alone.items()
    }


def _classes(splits: dict[str, list[_Folders]]) -> tuple[str, ...]:
    """Returns the names of the classes of all splits whose every file lies in one."""
    names = {parts[0] for folders in splits.values() if all(folders) for parts in folders}
    numbers = all(name.isdecimal() for name in names)
    return tuple(sorted(names, key=(lambda name: (int(name), name)) if numbers else None))
