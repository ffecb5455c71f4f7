"""Nothing in a file of PyTorch runs, however it is made; damaged ones give an error alone."""

import contextlib
import itertools
import pickle
import struct
import sys
import time
import tracemalloc

import numpy as np
import pytest

from ganzoo import torch_state
from tests import torch_files
from tests.torch_files import (
    FLOATS,
    FORMATS,
    SMALL,
    archive,
    outcome,
    same,
    view,
)
from tests.torch_files import row as old

# What is never run

TOUCH = b"touch RAN"  # the working directory is the test's own


def run(module, name, argument):
    return (
        f"c{module}\n{name}\n".encode()
        + pickle.BINUNICODE
        + struct.pack("<I", len(argument))
        + argument
    )


ATTACKS = {
    "REDUCE of os.system": b"\x80\x02" + run("os", "system", TOUCH) + b"\x85R.",
    "REDUCE of posix.system": b"\x80\x02" + run("posix", "system", TOUCH) + b"\x85R.",
    "REDUCE of eval": b"\x80\x02"
    + run("builtins", "eval", b"__import__('os').system('touch RAN')")
    + b"\x85R.",
    "REDUCE of eval by its old name": (
        b"\x80\x02"
        + run("__builtin__", "eval", b"__import__('os').system('touch RAN')")
        + b"\x85R."
    ),
    "STACK_GLOBAL": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x09touch RAN\x85R.",
    "a dotted name": b"\x80\x04\x8c\x06random\x8c\x0a_os.system\x93\x8c\x09touch RAN\x85R.",
    "INST": b"\x80\x02(X\x09\x00\x00\x00touch RANios\nsystem\n.",
    "OBJ": b"\x80\x02(cos\nsystem\nX\x09\x00\x00\x00touch RANo.",
    "NEWOBJ": b"\x80\x02cfunctools\npartial\ncos\nsystem\nX\x09\x00\x00\x00touch RAN\x86\x81)R.",
    "BUILD": (  # an instance whose __setstate__ is os.system is given its argument
        b"\x80\x02ctypes\nSimpleNamespace\n)R}X\x0c\x00\x00\x00__setstate__cos\nsystem\nsb"
        b"X\x09\x00\x00\x00touch RANb."
    ),
    "an argument of an allowed call": (
        b"\x80\x02ccollections\nOrderedDict\n" + run("os", "system", TOUCH) + b"\x85R\x85R."
    ),
    "a value beside the tensors": b"\x80\x02}U\x01x" + run("os", "system", TOUCH) + b"\x85Rs.",
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_planted_pickle_is_refused_by_name_and_does_not_run(attack, here):
    payload = ATTACKS[attack]
    files = {"zip": archive(payload, {})}
    files |= {f"pickle {n}": old({}, {}, heads={n: payload}) for n in range(5)}
    for name, data in files.items():
        with pytest.raises(ValueError, match=r"system|eval|INST|partial|SimpleNamespace"):
            torch_state.read(data)
        assert not (here / "RAN").exists(), name
    with contextlib.suppress(Exception):  # some leave nothing behind that could be returned
        pickle.loads(payload)
    assert (here / "RAN").exists()  # the attack is live: Python's own unpickler falls for it


@pytest.mark.parametrize(
    ("payload", "named"),
    [
        (b"\x80\x02ctorch.nn.modules.linear\nLinear\n)\x81.", "torch.nn.modules.linear.Linear"),
        (b"\x80\x02ctorch._utils\n_rebuild_sparse_tensor\n)R.", "_rebuild_sparse_tensor"),
        (b"\x80\x02cnumpy.core.multiarray\nscalar\n.", "numpy.core.multiarray.scalar"),
        (b"\x80\x02ctorch._utils\n_rebuild_tensor_v2.__globals__\n.", "_rebuild_tensor_v2.__glob"),
        (b"\x80\x02ctorch\nload\n.", "torch.load"),
        (b"\x80\x02\x8f.", "EMPTY_SET"),
        (b"\x80\x02\x82\x01.", "EXT1"),
        (b"Pmodule\n.", "PERSID"),
        (b"\x80\x02}Q.", "no storage"),
        (b"\x80\x02U\x06module\x85Q.", "no storage"),
        (b"\x80\x02}}b.", "BUILD"),
        (b"\x80\x02})R.", "no function"),
        (b"\x80\x02ctorch\nFloatStorage\n)R.", "no function"),
        (b"\x80\x02\x8b\x04\x00\x00\x00\x01\x00\x00\x00.", "LONG4"),
        (b"\x80\x02\xfe.", "0xfe"),
        (b"\x80\x02K\x01.", "no container"),
        (b"\x80\x02})Us.", "damaged"),
    ],
)
def test_whatever_no_state_dict_needs_is_refused_by_name(payload, named):
    modules = set(sys.modules)
    with pytest.raises(ValueError, match=named):
        torch_state.read(archive(payload, {}))
    assert set(sys.modules) == modules


def test_a_tensor_alone_is_refused():
    with pytest.raises(ValueError, match="one tensor"):
        torch_state.read(archive(view(), {"0": FLOATS.tobytes()}))


# Files that would exhaust


def laugh(depth):
    """Lists that hold the one before twice: 2^depth values."""
    codes = b"]\x94" + b"".join(
        b"](h" + bytes([n]) + b"h" + bytes([n]) + b"e\x94" for n in range(depth)
    )
    return b"\x80\x04" + codes + b"."


LIES = {
    "memo": b"\x80\x02}r\xff\xff\xff\xff.",
    "text": b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b"x.",
    "text of a negative length": b"\x80\x02T" + struct.pack("<i", -5) + b"x.",
    "frame": b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b"]K\x01.",
    "long": b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b".",
}
EXHAUSTING = {
    "a name without an end": b"\x80\x02c" + b"x" * 10**6,
    "empty lists": b"\x80\x02" + b"]" * 1_100_000 + b".",
    "nested tuples": b"\x80\x02)" + b"\x85" * 100_000 + b".",
    "nested tuples as a key": b"\x80\x02})" + b"\x85" * 100_000 + b"Ns.",
    "laughs": laugh(20),
    "more laughs": laugh(100),
    "a list in itself": b"\x80\x02]\x94h\x00a.".replace(b"\x94", b"q\x00"),
    "a dict in itself": b"\x80\x02}q\x00K\x01h\x00s.",
    "keys that collide": b"\x80\x02}"
    + b"".join(b"\x8a\x0a" + ((n << 61) - n).to_bytes(10, "little") + b"Ns" for n in range(1, 9999))
    + b".",
    "pairs again and again": b"\x80\x02](](" + b"](K\x01K\x01e" * 20_000 + b"eq\x00"
    + b"ccollections\nOrderedDict\nh\x00\x85R" * 2_000 + b"e.",
    "long names": (
        b"\x80\x02}X" + struct.pack("<I", 10**6) + b"x" * 10**6 + b"](" + b"N" * 10**5 + b"es."
    ),
}  # fmt: skip


@pytest.mark.parametrize("attack", EXHAUSTING)
def test_a_file_that_would_exhaust_memory_or_time_is_refused_soon(attack):
    data = archive(EXHAUSTING[attack], {})
    start = time.process_time()
    with pytest.raises(ValueError, match="no PyTorch state dict"):
        torch_state.read(data)
    assert time.process_time() - start < 20


@pytest.mark.parametrize("attack", LIES)
def test_a_length_that_lies_takes_no_memory(attack):
    """Python's own unpickler makes a memo of 2^32 places for the first of them."""
    tracemalloc.start()
    with contextlib.suppress(ValueError):
        assert torch_state.read(archive(LIES[attack], {})) == {}
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_tensors_that_share_a_storage_cannot_grow_without_end():
    data = FLOATS.tobytes() * 10_000
    document = {str(n): view(0, (240_000,), (1,), count=240_000) for n in range(100)}
    with pytest.raises(ValueError, match="would take 96,000,000 bytes"):
        torch_state.read(archive(document, {"0": data}))
    document = {str(n): view(0, (240_000,), (1,), count=240_000) for n in range(10)}
    assert len(torch_state.read(archive(document, {"0": data}))) == 10  # tied weights are


def test_an_archive_of_too_many_entries_is_refused_before_they_are_listed():
    with pytest.raises(ValueError, match="more than 100,000 entries"):
        torch_state.read(archive({}, {}, more=b"PK\x01\x02" * 100_001))


# Damaged files


@FORMATS
def test_a_file_that_is_cut_short_anywhere_is_refused(write):
    data = torch_files.state(SMALL, write)
    assert same(torch_state.read(data))
    for length in range(len(data)):
        assert outcome(data[:length]) is None, length


@pytest.mark.parametrize("order", [b"little", b"big"])
def test_a_flipped_byte_in_an_archive_changes_no_number(order):
    """Its checksums see to that: the same tensors, or an error."""
    arrays = {name: array.astype(array.dtype.newbyteorder(">")) for name, array in SMALL.items()}
    arrays = arrays if order == b"big" else SMALL
    data = torch_files.state(
        SMALL,
        lambda document, _: archive(
            document, {str(n): a.tobytes() for n, a in enumerate(arrays.values())}, order=order
        ),
    )
    assert same(torch_state.read(data))
    kept = 0
    for place, flip in itertools.product(range(len(data)), (0x01, 0x20, 0xFF)):
        result = outcome(data[:place] + bytes([data[place] ^ flip]) + data[place + 1 :])
        assert result is None or same(result), (place, flip)
        kept += result is not None
    assert kept < 3 * len(data) / 2


def test_a_flipped_byte_in_the_older_format_gives_tensors_or_an_error():
    """It has no checksums: other numbers may come, but no other exception."""
    data = torch_files.state(SMALL, old)
    refused = 0
    for place, flip in itertools.product(range(len(data)), (0x01, 0x20, 0xFF)):
        result = outcome(data[:place] + bytes([data[place] ^ flip]) + data[place + 1 :])
        assert result is None or all(isinstance(value, np.ndarray) for value in result.values())
        refused += result is None
    assert refused > len(data)


@FORMATS
def test_bytes_of_any_kind_give_tensors_or_an_error(write):
    data, random = torch_files.state(SMALL, write), np.random.default_rng(0)
    for _ in range(1000):
        changed = bytearray(data)
        start, stop = sorted(random.integers(0, len(data), 2))
        match random.integers(3):
            case 0:  # a part overwritten by noise
                changed[start : start + 8] = random.bytes(8)
            case 1:  # a part moved elsewhere
                changed[start : start + 16] = data[stop : stop + 16]
            case 2:  # a part left out
                del changed[start : start + random.integers(1, 40)]
        outcome(bytes(changed))


def test_noise_behind_a_pickles_beginning_gives_an_error():
    codes, random = b"".join(bytes([c]) for c in b"\x80(].}qhKNRtQbcs\x94\x93X\x85\x86ae0"), 0
    random = np.random.default_rng(1)
    for _ in range(2000):
        noise = bytes(random.choice(list(codes), random.integers(1, 40)).astype(np.uint8))
        outcome(archive(b"\x80\x02" + noise, {}))
