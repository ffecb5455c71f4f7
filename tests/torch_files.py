"""Files as PyTorch writes them, or as no PyTorch would, written without PyTorch."""

import io
import pickle
import struct
import zipfile
from dataclasses import dataclass

import ml_dtypes
import numpy as np
import pytest

from ganzoo import torch_state

KINDS = {
    "bfloat16": "BFloat16Storage",
    "bool": "BoolStorage",
    "uint8": "ByteStorage",
    "int8": "CharStorage",
    "complex128": "ComplexDoubleStorage",
    "complex64": "ComplexFloatStorage",
    "float64": "DoubleStorage",
    "float32": "FloatStorage",
    "float16": "HalfStorage",
    "int32": "IntStorage",
    "int64": "LongStorage",
    "int16": "ShortStorage",
}
UNTYPED = ("uint16", "uint32", "uint64") + tuple(
    f"float8_{kind}" for kind in ("e4m3fn", "e4m3fnuz", "e5m2", "e5m2fnuz", "e8m0fnu")
)
MAGIC = 0x1950A86A20F9469CFC6C
SYSTEM = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2}}


def dtype(name):
    return np.dtype(getattr(ml_dtypes, name, name))


@dataclass(frozen=True)
class Name:
    """Pickled as a reference to something that is not there when it is written."""

    module: str
    name: str

    def __call__(self):
        raise AssertionError


class Call:
    """Pickled as a call; `state` as what is given to the result by BUILD."""

    def __init__(self, function, *arguments, state=None):
        self.reduced = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.reduced


@dataclass(frozen=True)
class Stored:
    """Pickled as the reference to a storage."""

    kind: Name
    key: str
    count: int
    location: str = "cpu"
    view: tuple = ()

    def reference(self):
        return ("storage", self.kind, self.key, self.location, self.count, *self.view)


class _Pickler(pickle._Pickler):
    dispatch = dict(pickle._Pickler.dispatch)

    def persistent_id(self, value):
        return value.reference() if isinstance(value, Stored) else None

    def save_name(self, value):
        if self.proto < 4:
            self.write(pickle.GLOBAL + f"{value.module}\n{value.name}\n".encode())
        else:
            self.save(value.module)
            self.save(value.name)
            self.write(pickle.STACK_GLOBAL)
        self.memoize(value)

    dispatch[Name] = save_name


def pickled(value, protocol=2):
    file = io.BytesIO()
    _Pickler(file, protocol).dump(value)
    return file.getvalue()


def ordered(items=(), **options):
    """An OrderedDict as its own pickle has it."""
    result = Call(Name("collections", "OrderedDict"), **options)
    if items:
        result.reduced += (None,) * (4 - len(result.reduced)) + (iter(dict(items).items()),)
    return result


def rebuild(storage, offset, shape, strides, *more, version="_v2"):
    parts = (False, ordered()) if version else ()
    function = Name("torch._utils", f"_rebuild_tensor{version}")
    return Call(function, storage, offset, tuple(shape), tuple(strides), *parts, *more)


def kind(name, module="torch"):
    return Name(module, KINDS[name])


def tensor(array, key):
    """A whole array as a tensor of its own storage."""
    array = np.asarray(array)
    strides = [stride // array.itemsize for stride in np.ascontiguousarray(array).strides]
    strides = strides[: array.ndim]
    if array.dtype.name in KINDS:
        storage = Stored(kind(array.dtype.name), key, array.size)
        return rebuild(storage, 0, array.shape, strides)
    storage = Stored(Name("torch.storage", "UntypedStorage"), key, array.nbytes)
    name = Name("torch", array.dtype.name)
    return rebuild(storage, 0, array.shape, strides, name, version="_v3")


def state(arrays, write):
    """A state dict of whole arrays, by `archive` or `row`."""
    tensors = {name: tensor(array, str(key)) for key, (name, array) in enumerate(arrays.items())}
    return write(
        ordered(tensors, state={"_metadata": ordered({"": {"version": 1}})}),
        {str(key): np.asarray(array).tobytes() for key, array in enumerate(arrays.values())},
    )


def archive(document, storages, *, order=b"little", root="archive", protocol=2, **more):
    """The zip format; `document` may be bytes, already pickled."""
    data = document if isinstance(document, bytes) else pickled(document, protocol)
    entries = {"data.pkl": data, "byteorder": order, "version": b"3\n"}
    entries |= {f"data/{key}": value for key, value in storages.items()}
    return zipped({f"{root}/{name}": e for name, e in (entries | more).items() if e is not None})


def zipped(entries, compression=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as target:
        for name, data in entries.items():
            target.writestr(zipfile.ZipInfo(name), data, compression)
    return file.getvalue()


def row(document, storages, *, counts=None, keys=None, heads=None, protocol=2, system=SYSTEM):
    """The older format. `counts` are elements, by default those that the document names.

    `heads` replaces pickles, already pickled, by their place: 0 to 4.
    """
    found = {}

    class Counting(_Pickler):
        def persistent_id(self, value):
            if isinstance(value, Stored):
                found[value.key] = value.count
                value = Stored(value.kind, value.key, value.count, value.location, (None,))
            return super().persistent_id(value)

    file = io.BytesIO()
    if not isinstance(document, bytes):
        Counting(file, protocol).dump(document)
        document = file.getvalue()
    keys = list(storages) if keys is None else keys
    counts = found | (counts or {})
    pickles = [pickled(value, protocol) for value in (MAGIC, 1001, system)]
    pickles += [document, pickled(keys, protocol)]
    for place, data in (heads or {}).items():
        pickles[place] = data
    tail = [struct.pack("<q", counts.get(key, 0)) + storages[key] for key in storages]
    return b"".join(pickles + tail)


def view(offset=0, shape=(2, 3), strides=(3, 1), *, count=24, key="0", version="_v2"):
    """A tensor on a storage of `FLOATS`."""
    return rebuild(Stored(kind("float32"), key, count), offset, shape, strides, version=version)


FORMATS = pytest.mark.parametrize("write", [archive, row])
FLOATS = np.arange(24, dtype="float32")
SMALL = {"a.weight": FLOATS[:6].reshape(2, 3), "a.count": np.array(7), "b": np.array([True, False])}


def outcome(data):
    """The tensors that `data` holds, or None where it is refused."""
    try:
        return torch_state.read(data)
    except ValueError as error:
        assert "no PyTorch state dict that can be read" in str(error)
        return None


def same(result):
    """Whether these are the tensors of `SMALL`."""
    return list(result) == list(SMALL) and all(
        result[name].dtype == SMALL[name].dtype and np.array_equal(result[name], SMALL[name])
        for name in SMALL
    )
