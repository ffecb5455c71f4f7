"""Reads and writes weights files: safetensors, strictly, and never pickle.

The format (https://github.com/huggingface/safetensors): eight bytes with the header's length, a
JSON header with dtype, shape and place of each tensor, then the tensors' bytes without a hole.
Files are read by the `safetensors` package. They are written here, since equal input must give
equal bytes (and so one sha256) whatever the version of the package.

The header's metadata hold the sha256 of the file as it would be without it, so that a file whose
card is elsewhere shows damage too.
"""

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import ml_dtypes
import numpy as np
import safetensors

from ganzoo.errors import unknown

DTYPES = {
    "F64": np.dtype("float64"),
    "F32": np.dtype("float32"),
    "F16": np.dtype("float16"),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "F8_E4M3": np.dtype(ml_dtypes.float8_e4m3fn),
    "I64": np.dtype("int64"),
    "I32": np.dtype("int32"),
    "I16": np.dtype("int16"),
    "I8": np.dtype("int8"),
    "U64": np.dtype("uint64"),
    "U32": np.dtype("uint32"),
    "U16": np.dtype("uint16"),
    "U8": np.dtype("uint8"),
    "BOOL": np.dtype("bool"),
}
_CODES = {dtype: code for code, dtype in DTYPES.items()}
_SEAL = "sha256 without this line"
_KEYS = ("format", "name", _SEAL)  # of files that training writes
_LONGEST_HEADER = 100_000_000  # the format's own limit


def read(
    path: str | os.PathLike, *, sha256: str | None = None
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Returns the tensors and the metadata of a weights file.

    Args:
        path: A safetensors file.
        sha256: 64 hex digits that the file's bytes must have. Hash and tensors come from the same
            one reading of the file.

    Raises:
        ValueError: The sha256 is another, or the file is no whole and honest safetensors file.
        OSError: The file cannot be read.
    """
    return parse(Path(path).read_bytes(), str(path), sha256=sha256)


def parse(
    data: bytes, source: str, *, sha256: str | None = None
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Returns tensors and metadata of a file's bytes, as `read`; messages call them `source`.

    Raises:
        ValueError: As `read`.
    """
    found = hashlib.sha256(data).hexdigest()
    if sha256 is not None and found != sha256.lower():
        raise ValueError(f"{source}: the sha256 is {found}, expected {sha256.lower()}.")
    header = _header(data, source)
    metadata = header.pop("__metadata__", {})
    if not _is_text(metadata):
        raise ValueError(f"{source}: __metadata__ must map text to text.")
    for name, entry in header.items():
        code = entry.get("dtype") if isinstance(entry, dict) else None
        if not isinstance(code, str) or code not in DTYPES:
            raise ValueError(f"{source}: tensor {name!r}: {unknown('dtype', code, DTYPES)}")
    try:  # refuses holes, overlaps, trailing bytes and shapes that do not fit the bytes
        views = safetensors.deserialize(data)
    except Exception as error:
        raise ValueError(f"{source} is no valid safetensors file: {error}.") from error
    tensors = {
        name: np.frombuffer(view["data"], DTYPES[view["dtype"]]).reshape(view["shape"])
        for name, view in views
    }
    if metadata.get("format") == "ganzoo":
        for key in metadata:
            if key not in _KEYS:
                raise ValueError(f"{source}: {unknown('key of the metadata', key, _KEYS)}")
    seal = metadata.pop(_SEAL, None)
    if seal is not None and seal != _sealed(tensors, metadata):
        raise ValueError(f"{source} is damaged: it is not what its own sha256 stands for.")
    return {name: tensors[name] for name in sorted(tensors)}, metadata


def _sealed(tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> str:
    """Returns the sha256 of the file that tensors and metadata make without a seal."""
    arrays = _in_order(tensors)
    found = hashlib.sha256(_encoded_header(arrays, metadata))
    for array in arrays.values():
        found.update(array.tobytes())
    return found.hexdigest()


def _header(data: bytes, source: str) -> dict:
    if len(data) < 8:
        raise ValueError(f"{source} is no safetensors file: it has only {len(data)} bytes.")
    if data.startswith(b"PK\x03\x04"):
        raise ValueError(
            f"{source} is a zip archive, as .keras files are, and no safetensors file: "
            "`keras.models.load_model` reads such a model whole."
        )
    length = int.from_bytes(data[:8], "little")
    if length > _LONGEST_HEADER:
        raise ValueError(
            f"{source} is no safetensors file: its header would be {length:,} bytes long."
        )
    if length > len(data) - 8:
        raise ValueError(
            f"{source} is cut short: its header says {length:,} bytes, {len(data) - 8:,} follow."
        )
    try:
        header = json.loads(data[8 : 8 + length].decode(), object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{source} is no safetensors file: bad header: {error}.") from error
    if not isinstance(header, dict):
        raise ValueError(f"{source} is no safetensors file: its header is no JSON object.")
    return header


def _without_repeats(pairs: list[tuple[str, object]]) -> dict:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a name occurs twice")
    return result


def _is_text(metadata: object) -> bool:
    return isinstance(metadata, Mapping) and all(
        isinstance(text, str) for item in metadata.items() for text in item
    )


def write(
    path: str | os.PathLike,
    tensors: Mapping[str, np.ndarray],
    metadata: Mapping[str, str] | None = None,
) -> str:
    """Writes a weights file whole or not at all, and returns its sha256 (64 hex digits).

    Equal tensors and metadata give equal bytes. The folder must exist.

    Args:
        path: Where to; a file of that name is replaced in one move.
        tensors: Arrays by name, of a dtype that `DTYPES` lists.
        metadata: Text by name.

    Raises:
        TypeError: A name or the metadata is no text, or a dtype cannot be stored.
        OSError: The disk is full, or the folder cannot be written.
    """
    metadata = dict(metadata or {})
    if not _is_text(metadata):
        raise TypeError(f"metadata must map text to text. Received: metadata={metadata!r}")
    metadata.pop(_SEAL, None)
    arrays = {name: _storable(name, tensor) for name, tensor in tensors.items()}
    arrays, digest = _in_order(arrays), hashlib.sha256()
    metadata[_SEAL] = _sealed(arrays, metadata)
    with replacing(path) as file:
        for piece in (_encoded_header(arrays, metadata), *arrays.values()):
            piece = piece if isinstance(piece, bytes) else piece.tobytes()
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


def _in_order(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    # widest dtype first, so that every tensor lies aligned, as the format's own writer has it
    return dict(sorted(arrays.items(), key=lambda item: (-item[1].dtype.itemsize, item[0])))


def _storable(name: object, tensor: np.ndarray) -> np.ndarray:
    if not isinstance(name, str) or name in ("", "__metadata__"):
        raise TypeError(f"A tensor needs a name of text, not '__metadata__'. Received: {name!r}")
    array = np.asarray(tensor, order="C")
    if array.dtype.byteorder == ">":
        array = array.astype(array.dtype.newbyteorder("<"))
    if array.dtype not in _CODES:
        raise TypeError(f"Tensor {name!r}: {unknown('dtype', array.dtype.name, _dtype_names())}")
    return array


def _dtype_names() -> list[str]:
    return [dtype.name for dtype in _CODES]


def _encoded_header(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> bytes:
    header: dict[str, object] = {}
    if metadata:
        header["__metadata__"] = {key: metadata[key] for key in sorted(metadata)}
    start = 0
    for name, array in arrays.items():
        end = start + array.nbytes
        header[name] = {
            "dtype": _CODES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [start, end],
        }
        start = end
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def digest(path: str | os.PathLike) -> str:
    """Returns the sha256 of a file, 64 hex digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """Gives a file under a temporary name; moves it to `path` at the end, or removes it on error.

    Nobody ever sees half a file under `path`, after a crash or a power cut either.

    Raises:
        OSError: The disk is full or the folder cannot be written; the message names `path`.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(part, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        if error.errno is None:  # raised by the caller's download, not by the disk
            raise
        raise explained(error, f"Cannot write {path}") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def explained(error: OSError, what: str) -> OSError:
    """Returns an `OSError` with the same `errno` whose message says `what` failed, and why."""
    clear = type(error)(f"{what}: {error.strerror or error}.")
    clear.errno = error.errno
    return clear
