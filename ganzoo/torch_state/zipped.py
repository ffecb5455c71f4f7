"""The zip archive that `torch.save` writes since PyTorch 1.6.

It has `NAME/data.pkl`, the pickle; `NAME/data/KEY`, the bytes of each storage; `NAME/byteorder`
since PyTorch 2.1, `little` where it lacks. Nothing in it is compressed.
"""

import io
import struct
import zipfile
import zlib

from ganzoo.torch_state.pickles import Machine

MAGIC = b"PK\x03\x04"
_LISTED = b"PK\x01\x02"
_MOST_ENTRIES = 100_000
_HEADER = struct.Struct("<4s22xHH")  # a local header: its magic, the lengths of name and extra


def open_archive(data: bytes) -> tuple[object, dict[str, memoryview], bool]:
    """Returns the pickled object, the bytes of each storage by key, and whether big-endian.

    Raises:
        ValueError: The archive is damaged, compressed or lacks a part, or its pickle is refused.
    """
    entries = _entries(data)
    root = next(iter(entries)).partition("/")[0]
    if any(name.startswith((f"{root}/code/", f"{root}/constants.pkl")) for name in entries):
        raise ValueError("it is a program (TorchScript): save `model.state_dict()`.")
    if f"{root}/data.pkl" not in entries:
        raise ValueError(f"it is a zip archive without {root[:40]}/data.pkl.")
    order = bytes(entries.get(f"{root}/byteorder", b"little"))
    if order not in (b"little", b"big"):
        raise ValueError(f"its byte order is {order[:20]!r}, expected little or big.")
    document, end = Machine(entries[f"{root}/data.pkl"]).run()
    if end != len(entries[f"{root}/data.pkl"]):
        raise ValueError("something follows the pickle in data.pkl.")
    start = f"{root}/data/"
    storages = {n[len(start) :]: entry for n, entry in entries.items() if n.startswith(start)}
    return document, storages, order == b"big"


def _entries(data: bytes) -> dict[str, memoryview]:
    # Counted before `zipfile` makes an object of each.
    if data.count(_LISTED) > _MOST_ENTRIES:
        raise ValueError(f"it is a zip archive of more than {_MOST_ENTRIES:,} entries.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = archive.infolist()
    except Exception as error:  # of many kinds, for what is damaged
        raise ValueError(f"it is a damaged zip archive: {error}.") from error
    entries: dict[str, memoryview] = {}
    for info in listed:
        if info.orig_filename in entries:
            raise ValueError(f"its entry {_shown(info)} occurs twice.")
        entries[info.orig_filename] = _entry(memoryview(data), info)
    if not entries:
        raise ValueError("it is an empty zip archive.")
    return entries


def _entry(data: memoryview, info: zipfile.ZipInfo) -> memoryview:
    """Returns the bytes of one entry, without a copy, after checking all that is said of them."""
    if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
        raise ValueError(f"its entry {_shown(info)} is compressed, which PyTorch never does.")
    start = info.header_offset + _HEADER.size
    if info.header_offset < 0 or start > len(data):
        raise ValueError(f"its entry {_shown(info)} lies outside of it.")
    magic, name, extra = _HEADER.unpack(data[info.header_offset : start])
    encoded = info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437")
    if magic != MAGIC or data[start : start + name] != encoded:
        raise ValueError(f"its entry {_shown(info)} begins with a damaged header.")
    start += name + extra
    found = data[start : start + info.file_size]
    if len(found) != info.file_size:
        raise ValueError(f"its entry {_shown(info)} is cut short.")
    if zlib.crc32(found) != info.CRC:
        raise ValueError(f"its entry {_shown(info)} is damaged: its checksum is another.")
    return found


def _shown(info: zipfile.ZipInfo) -> str:
    return repr(info.orig_filename[:60])
