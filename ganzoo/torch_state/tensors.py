"""What the pickle of a state dict builds, storages and tensors, and the arrays they become."""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import ml_dtypes
import numpy as np

_UNTYPED = np.dtype("uint8")

# The class of storage that a file names, as torch.FloatStorage or torch.cuda.FloatStorage.
STORAGES = {
    "BFloat16Storage": np.dtype(ml_dtypes.bfloat16),
    "BoolStorage": np.dtype("bool"),
    "ByteStorage": np.dtype("uint8"),
    "CharStorage": np.dtype("int8"),
    "ComplexDoubleStorage": np.dtype("complex128"),
    "ComplexFloatStorage": np.dtype("complex64"),
    "DoubleStorage": np.dtype("float64"),
    "FloatStorage": np.dtype("float32"),
    "HalfStorage": np.dtype("float16"),
    "IntStorage": np.dtype("int32"),
    "LongStorage": np.dtype("int64"),
    "ShortStorage": np.dtype("int16"),
    "UntypedStorage": _UNTYPED,
}
# torch.float32 and the like, as a file names them.
DTYPES = {dtype.name: dtype for dtype in STORAGES.values()} | {
    name: np.dtype(kind)
    for name, kind in {
        "uint16": "uint16",
        "uint32": "uint32",
        "uint64": "uint64",
        "float8_e4m3fn": ml_dtypes.float8_e4m3fn,
        "float8_e4m3fnuz": ml_dtypes.float8_e4m3fnuz,
        "float8_e5m2": ml_dtypes.float8_e5m2,
        "float8_e5m2fnuz": ml_dtypes.float8_e5m2fnuz,
        "float8_e8m0fnu": ml_dtypes.float8_e8m0fnu,
    }.items()
}
_MOST_DIMENSIONS = 64  # NumPy's own limit
_LONGEST = 2**62


@dataclass(frozen=True)
class Storage:
    """A run of `count` elements, whose bytes the file has elsewhere, under `key`."""

    key: str
    dtype: np.dtype
    count: int

    @property
    def nbytes(self) -> int:
        return self.count * self.dtype.itemsize


@dataclass(frozen=True, eq=False)
class Tensor:
    """A view of a storage; `offset` and `strides` count elements of `dtype`."""

    storage: Storage
    dtype: np.dtype
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def count(self) -> int:
        return math.prod(self.shape)


def tensor(
    storage: object, offset: object, shape: object, strides: object, dtype: np.dtype | None = None
) -> Tensor:
    """Returns the tensor that a file describes.

    Raises:
        ValueError: A part is of the wrong kind, negative, or reaches beyond the storage.
    """
    if not isinstance(storage, Storage):
        raise ValueError("a tensor is built on something that is no storage.")
    dtype = storage.dtype if dtype is None else dtype
    for name, numbers in (("offset", (offset,)), ("shape", shape), ("strides", strides)):
        if type(numbers) is not tuple or len(numbers) > _MOST_DIMENSIONS:
            raise ValueError(f"a tensor's {name} is no tuple of at most {_MOST_DIMENSIONS}.")
        if not all(type(number) is int and number >= 0 for number in numbers):
            raise ValueError(f"a tensor's {name} has what is no number, or below 0.")
    if len(shape) != len(strides):
        raise ValueError(f"a tensor has {len(shape)} dimensions but {len(strides)} strides.")
    result = Tensor(storage, dtype, offset, shape, strides)
    _check_inside(result)
    return result


def _check_inside(tensor: Tensor) -> None:
    if math.prod(max(size, 1) for size in tensor.shape) * tensor.dtype.itemsize > _LONGEST:
        raise ValueError("a tensor is larger than any memory.")
    last = tensor.offset
    if tensor.count:
        last += 1 + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.strides, strict=True))
    if last * tensor.dtype.itemsize > tensor.storage.nbytes:
        raise ValueError(
            f"a tensor reaches to element {last:,} of a storage of {tensor.storage.nbytes:,} bytes."
        )


def arrays(
    tensors: Mapping[str, Tensor],
    storages: Mapping[str, memoryview],
    *,
    big_endian: bool,
    limit: int,
) -> dict[str, np.ndarray]:
    """Returns the tensors as arrays of their own memory, at most `limit` bytes in all.

    Args:
        tensors: By name.
        storages: The bytes of each storage, by key.
        big_endian: Whether their elements are stored with the highest byte first.
        limit: In bytes.

    Raises:
        ValueError: The file lacks a storage or has it in another size, or there is too much.
    """
    total = sum(tensor.count * tensor.dtype.itemsize for tensor in tensors.values())
    if total > limit:
        raise ValueError(f"its tensors would take {total:,} bytes, far more than it has.")
    return {
        name: _array(tensor, _bytes(tensor.storage, storages), big_endian)
        for name, tensor in tensors.items()
    }


def _bytes(storage: Storage, storages: Mapping[str, memoryview]) -> memoryview:
    if storage.key not in storages:
        raise ValueError(f"it lacks the storage {storage.key[:40]!r}.")
    found = storages[storage.key]
    if len(found) != storage.nbytes:
        raise ValueError(
            f"the storage {storage.key[:40]!r} has {len(found):,} bytes, not {storage.nbytes:,}."
        )
    return found


def _array(tensor: Tensor, data: memoryview, big_endian: bool) -> np.ndarray:
    if tensor.count == 0:
        return np.empty(tensor.shape, tensor.dtype)
    # A byte of 2 is no bool: NumPy would carry it along as it is.
    stored = np.dtype("uint8") if tensor.dtype == bool else tensor.dtype
    size = stored.itemsize
    # The stride of a dimension of 1 means nothing, and may be any number.
    strides = [s * size if n > 1 else 0 for n, s in zip(tensor.shape, tensor.strides, strict=True)]
    view = np.ndarray(tensor.shape, stored, data, tensor.offset * size, strides)
    result = np.array(view, order="C")
    if big_endian != (sys.byteorder == "big"):
        unit = size // 2 if stored.kind == "c" else size
        swapped = result.reshape(-1).view(f"u{unit}").byteswap()
        result = swapped.view(stored).reshape(tensor.shape)
    return result.astype(bool) if tensor.dtype == bool else result
