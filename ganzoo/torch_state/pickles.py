"""A machine that reads pickles of tensors, and cannot do anything else.

Python's own unpickler imports and calls what a file names. This one has a table of the names that
PyTorch writes for tensors; each stands for a few lines here, and every other name or instruction
ends the reading. `pickletools` describes the instructions.
"""

import pickletools
import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ganzoo.torch_state.tensors import DTYPES, STORAGES, Storage, tensor

# A tensor of a state dict takes some 35 steps. This many take a second, and some 100 MB.
_MOST_STEPS = 1_000_000
_LONGEST_NAME = 200
_MOST_KEY = 2**31  # keys of any size could be made to collide in a dict, without end
_OPCODES = {ord(opcode.code): opcode.name for opcode in pickletools.opcodes}
_HINT = "Only tensors in dicts, lists and tuples are read: save `model.state_dict()`."


@dataclass(frozen=True)
class _Function:
    """What a file may call: lines of this module, given the arguments on the machine's stack."""

    call: Callable[["Machine", tuple], object]


@dataclass(frozen=True)
class _StorageType:
    name: str


class _OrderedDict(dict):
    """As `collections.OrderedDict`, which may be given attributes (they are dropped)."""


class Machine:
    """Reads one pickle after another from the same bytes.

    Args:
        data: The bytes.

    Attributes:
        storages: The storages that the pickles named, by key.
    """

    def __init__(self, data: bytes | memoryview):
        self.storages: dict[str, Storage] = {}
        self._data = memoryview(data)
        self._steps = 0

    def run(self, start: int = 0) -> tuple[object, int]:
        """Returns the object pickled at byte `start`, and where its pickle ends.

        The object consists of None, bool, int, float, str, list, tuple, dict, `Tensor`, and what
        the names of dtypes and storages stand for. It may hold itself.

        Raises:
            ValueError: It is cut short or damaged, too long, or needs anything else.
        """
        self._position = start
        self._stack: list = []
        self._outer: list[list] = []
        self._memo: dict[int, object] = {}
        while True:
            self._spend(1)
            code = self.take(1)[0]
            name = _OPCODES.get(code, f"{code:#04x}")
            if name == "STOP":
                return self._pop(), self._position
            if name not in _ACTIONS:
                raise ValueError(f"it holds the pickle instruction {name}. {_HINT}")
            _ACTIONS[name](self)

    def take(self, count: int) -> memoryview:
        """Returns the next `count` bytes and goes on behind them."""
        end = self._position + count
        if count < 0 or end > len(self._data):
            raise ValueError("a pickle in it is cut short or damaged.")
        found = self._data[self._position : end]
        self._position = end
        return found

    def at_end(self) -> bool:
        """Whether no byte is left."""
        return self._position == len(self._data)

    def _spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > _MOST_STEPS:
            raise ValueError(f"its pickles take more than {_MOST_STEPS:,} steps.")

    # The stack

    def _pop(self) -> object:
        if not self._stack:
            raise ValueError("a pickle in it is damaged: its stack is empty.")
        return self._stack.pop()

    def _push(self, value: object) -> None:
        self._stack.append(value)

    def _mark(self) -> None:
        self._outer.append(self._stack)
        self._stack = []

    def _pop_to_mark(self) -> list:
        if not self._outer:
            raise ValueError("a pickle in it is damaged: it lacks a mark.")
        items, self._stack = self._stack, self._outer.pop()
        return items

    def _top(self, kind: type, action: str) -> object:
        if not self._stack or not isinstance(self._stack[-1], kind):
            raise ValueError(f"a pickle in it is damaged: {action} without a {kind.__name__}.")
        return self._stack[-1]

    def _pack(self, count: int) -> None:
        items = [self._pop() for _ in range(count)]
        self._push(tuple(reversed(items)))

    # The memo

    def _remember(self, index: int) -> None:
        value = self._pop()
        self._memo[index] = value
        self._push(value)

    def _recall(self, index: int) -> None:
        if index not in self._memo:
            raise ValueError("a pickle in it is damaged: it recalls what it never stored.")
        self._push(self._memo[index])

    # Numbers and text

    def number(self, layout: str) -> int | float:
        """Returns the next number, of a `struct` layout."""
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]

    def _long(self) -> None:
        self._push(int.from_bytes(self.take(self.number("<B")), "little", signed=True))

    def _text(self, layout: str) -> None:
        self._push(str(self.take(self.number(layout)), "utf-8"))

    def _line(self) -> str:
        # Bounded, since each of a file's names would else be searched for through all of the file.
        ahead = bytes(self._data[self._position : self._position + _LONGEST_NAME])
        line, end, _ = ahead.partition(b"\n")
        if not end:
            raise ValueError("a pickle in it is damaged: a name without an end.")
        self.take(len(line) + 1)
        return str(line, "utf-8")

    # Containers

    def _append(self, items: list) -> None:
        self._top(list, "APPEND").extend(items)

    def _set(self, items: list) -> None:
        target = self._top(dict, "SETITEM")
        if len(items) % 2:
            raise ValueError("a pickle in it is damaged: a key without a value.")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if type(key) is not str and not (type(key) is int and 0 <= key < _MOST_KEY):
                raise ValueError("a dict in it has a key that is no text and no small number.")
            target[key] = value

    def _set_one(self) -> None:
        value, key = self._pop(), self._pop()
        self._set([key, value])

    # Names, calls, storages

    def _global(self, module: object, name: object) -> None:
        if type(module) is not str or type(name) is not str:
            raise ValueError("a pickle in it is damaged: a name that is no text.")
        known = _GLOBALS.get(f"{module}.{name}")
        if known is None:
            raise ValueError(f"it refers to {f'{module}.{name}'[:_LONGEST_NAME]!r}. {_HINT}")
        self._push(known)

    def _stack_global(self) -> None:
        name, module = self._pop(), self._pop()
        self._global(module, name)

    def _reduce(self) -> None:
        arguments, function = self._pop(), self._pop()
        if not isinstance(function, _Function) or type(arguments) is not tuple:
            raise ValueError(f"it calls what is no function of tensors. {_HINT}")
        self._push(function.call(self, arguments))

    def _build(self) -> None:
        self._pop()  # the attributes of a state dict, `_metadata`, which nobody needs
        if not self._stack or type(self._stack[-1]) is not _OrderedDict:
            raise ValueError(f"it sets attributes (BUILD) of what is no OrderedDict. {_HINT}")

    def _persistent(self) -> None:
        described = self._pop()
        match described:
            # The older format has one part more, None: the storage is no view of another.
            case (str(word), _StorageType(name=kind), str(key), str(), int(count), *rest) if (
                word == "storage"
                and count >= 0
                and (not rest or (rest[0] is None and not rest[1:]))
            ):
                storage = Storage(key, STORAGES[kind], count)
            case _:
                raise ValueError(f"it refers to an outside object that is no storage. {_HINT}")
        if self.storages.setdefault(key, storage) != storage:
            raise ValueError(f"it describes the storage {key[:40]!r} in two ways.")
        self._push(storage)

    def ordered_dict(self, arguments: tuple) -> "_OrderedDict":
        """`OrderedDict()`, or `OrderedDict([[key, value], ...])` as Python 2 wrote it."""
        result = _OrderedDict()
        match arguments:
            case ():
                return result
            case (list(pairs),) if all(type(p) is list and len(p) == 2 for p in pairs):
                self._spend(len(pairs))  # the same list may be given again and again
                self._push(result)
                self._set([item for pair in pairs for item in pair])
                return self._pop()
        raise ValueError("a pickle in it is damaged: an OrderedDict of something else.")


def _rebuild_tensor(_: Machine, arguments: tuple) -> object:
    if len(arguments) != 4:
        raise ValueError("a pickle in it is damaged: a tensor of too few parts, or too many.")
    return tensor(*arguments)


def _rebuild_tensor_v2(_: Machine, arguments: tuple) -> object:
    match arguments:
        # storage, offset, shape, strides, requires_grad, hooks, then maybe more
        case (storage, offset, shape, strides, bool(), _, *rest) if _plain(rest):
            return tensor(storage, offset, shape, strides)
    raise ValueError("it has a tensor with a conjugate or negative bit, or of unknown parts.")


def _rebuild_tensor_v3(_: Machine, arguments: tuple) -> object:
    match arguments:
        case (storage, offset, shape, strides, bool(), _, np.dtype() as dtype, *rest) if _plain(
            rest
        ):
            return tensor(storage, offset, shape, strides, dtype)
    raise ValueError("it has a tensor with a conjugate or negative bit, or of unknown parts.")


def _plain(rest: list) -> bool:
    """Whether nothing is left of a tensor's parts but bits that are not set."""
    return not rest or (
        len(rest) == 1 and (rest[0] is None or (type(rest[0]) is dict and not rest[0]))
    )


def _first(_: Machine, arguments: tuple) -> object:
    if not arguments:
        raise ValueError("a pickle in it is damaged: a parameter or size of nothing.")
    return arguments[0]


_GLOBALS = {
    "collections.OrderedDict": _Function(Machine.ordered_dict),
    "torch.Size": _Function(_first),
    "torch._utils._rebuild_parameter": _Function(_first),
    "torch._utils._rebuild_parameter_with_state": _Function(_first),
    "torch._utils._rebuild_tensor": _Function(_rebuild_tensor),
    "torch._utils._rebuild_tensor_v2": _Function(_rebuild_tensor_v2),
    "torch._utils._rebuild_tensor_v3": _Function(_rebuild_tensor_v3),
    **{f"torch.{name}": dtype for name, dtype in DTYPES.items()},
    **{
        f"{module}.{name}": _StorageType(name)
        for module in ("torch", "torch.cuda", "torch.storage")
        for name in STORAGES
    },
}

_ACTIONS: dict[str, Callable[[Machine], object]] = {
    "PROTO": lambda machine: machine.take(1),
    "FRAME": lambda machine: machine.take(8),
    "NONE": lambda machine: machine._push(None),
    "NEWTRUE": lambda machine: machine._push(True),
    "NEWFALSE": lambda machine: machine._push(False),
    "BININT": lambda machine: machine._push(machine.number("<i")),
    "BININT1": lambda machine: machine._push(machine.number("<B")),
    "BININT2": lambda machine: machine._push(machine.number("<H")),
    "LONG1": Machine._long,
    "BINFLOAT": lambda machine: machine._push(machine.number(">d")),
    "BINUNICODE": lambda machine: machine._text("<I"),
    "BINUNICODE8": lambda machine: machine._text("<Q"),
    "SHORT_BINUNICODE": lambda machine: machine._text("<B"),
    "BINSTRING": lambda machine: machine._text("<i"),  # these two: text of Python 2
    "SHORT_BINSTRING": lambda machine: machine._text("<B"),
    "EMPTY_TUPLE": lambda machine: machine._pack(0),
    "TUPLE1": lambda machine: machine._pack(1),
    "TUPLE2": lambda machine: machine._pack(2),
    "TUPLE3": lambda machine: machine._pack(3),
    "TUPLE": lambda machine: machine._push(tuple(machine._pop_to_mark())),
    "EMPTY_LIST": lambda machine: machine._push([]),
    "APPEND": lambda machine: machine._append([machine._pop()]),
    "APPENDS": lambda machine: machine._append(machine._pop_to_mark()),
    "EMPTY_DICT": lambda machine: machine._push({}),
    "SETITEM": Machine._set_one,
    "SETITEMS": lambda machine: machine._set(machine._pop_to_mark()),
    "MARK": Machine._mark,
    "BINGET": lambda machine: machine._recall(machine.number("<B")),
    "LONG_BINGET": lambda machine: machine._recall(machine.number("<I")),
    "BINPUT": lambda machine: machine._remember(machine.number("<B")),
    "LONG_BINPUT": lambda machine: machine._remember(machine.number("<I")),
    "MEMOIZE": lambda machine: machine._remember(len(machine._memo)),
    "GLOBAL": lambda machine: machine._global(machine._line(), machine._line()),
    "STACK_GLOBAL": Machine._stack_global,
    "REDUCE": Machine._reduce,
    "BUILD": Machine._build,
    "BINPERSID": Machine._persistent,
}
