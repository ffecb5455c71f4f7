"""Files of PyTorch give their tensors to the bit, or an error that says what is wrong."""

import itertools
import pickle
import zipfile

import numpy as np
import pytest

from ganzoo import torch_state
from tests import torch_files
from tests.torch_files import (
    FLOATS,
    FORMATS,
    KINDS,
    SMALL,
    UNTYPED,
    Call,
    Name,
    Stored,
    archive,
    kind,
    ordered,
    rebuild,
    view,
)
from tests.torch_files import row as old


def read_view(write, *arguments, **options):
    return torch_state.read(write({"x": view(*arguments, **options)}, {"0": FLOATS.tobytes()}))["x"]


# What is read


@FORMATS
@pytest.mark.parametrize("name", [*KINDS, *UNTYPED])
def test_every_dtype_reads_back(write, name):
    dtype = torch_files.dtype(name)
    if name == "bool":
        array = np.array([[True, False, True]])
    else:
        data = np.random.default_rng(0).integers(0, 256, 3 * dtype.itemsize, np.uint8)
        array = np.frombuffer(data.tobytes(), dtype).reshape(1, 3)
    result = torch_state.read(torch_files.state({"x": array}, write))["x"]
    assert result.dtype == dtype
    assert result.shape == (1, 3)
    assert result.tobytes() == array.tobytes()
    assert result.flags.owndata
    assert result.flags.writeable
    assert result.flags.c_contiguous


@FORMATS
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_pickle_protocol_reads(write, protocol):
    document = {"x": view(), "long": 2**70, "other": -3, "far": "x" * 300, "pi": 3.5, "none": None}
    result = torch_state.read(write(document, {"0": FLOATS.tobytes()}, protocol=protocol))
    assert list(result) == ["x"]
    np.testing.assert_array_equal(result["x"], FLOATS[:6].reshape(2, 3))


@FORMATS
@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        (0, (24,), (1,)),
        (5, (3, 4), (4, 1)),
        (2, (4, 3), (1, 4)),  # transposed
        (1, (3, 2), (7, 3)),  # with holes
        (3, (2, 5), (0, 1)),  # expanded
        (0, (3, 4), (2, 1)),  # overlapping
        (23, (1, 1), (10**30, 10**30)),  # strides that are never taken
        (23, (), ()),
        (24, (0, 3), (3, 1)),
    ],
)
def test_a_view_is_what_its_offset_and_strides_say(write, offset, shape, strides):
    result = read_view(write, offset, shape, strides)
    expected = np.empty(shape, "float32")
    for index in itertools.product(*map(range, shape)):
        expected[index] = FLOATS[offset + sum(i * s for i, s in zip(index, strides, strict=True))]
    np.testing.assert_array_equal(result, expected)
    assert result.shape == shape


@FORMATS
def test_views_of_one_storage_are_told_apart_and_do_not_share_memory(write):
    document = {
        "head": view(0, (4,), (1,)),
        "tail": view(20, (4,), (1,)),
        "all": view(0, (24,), (1,)),
    }
    result = torch_state.read(write(document, {"0": FLOATS.tobytes()}))
    np.testing.assert_array_equal(result["head"], FLOATS[:4])
    np.testing.assert_array_equal(result["tail"], FLOATS[20:])
    result["all"][:] = 0
    np.testing.assert_array_equal(result["head"], FLOATS[:4])


@pytest.mark.parametrize("name", ["float32", "int64", "bfloat16", "bool", "complex64", "uint16"])
def test_a_big_endian_archive_gives_the_same_numbers(name):
    array = np.array([0, 1, 0, 1, 1]).astype(torch_files.dtype(name))
    unit = array.itemsize // (2 if name.startswith("complex") else 1)
    swapped = array.view(f"u{unit}").byteswap().tobytes()
    document = {"x": torch_files.tensor(array, "0")}
    result = torch_state.read(archive(document, {"0": swapped}, order=b"big"))["x"]
    assert result.dtype == array.dtype
    np.testing.assert_array_equal(result, array)


def test_the_older_format_is_little_endian_whatever_it_says_of_its_machine():
    system = torch_files.SYSTEM | {"little_endian": False}
    data = old({"x": view()}, {"0": FLOATS.tobytes()}, system=system)
    np.testing.assert_array_equal(torch_state.read(data)["x"], FLOATS[:6].reshape(2, 3))


def test_an_archive_without_a_byte_order_is_little_endian():
    data = archive({"x": view()}, {"0": FLOATS.tobytes()}, order=None)
    np.testing.assert_array_equal(torch_state.read(data)["x"], FLOATS[:6].reshape(2, 3))


def test_bytes_that_are_no_bool_become_true():
    document = {"x": rebuild(Stored(kind("bool"), "0", 3), 0, (3,), (1,))}
    result = torch_state.read(archive(document, {"0": b"\x00\x02\xff"}))["x"]
    assert result.tobytes() == b"\x00\x01\x01"


@FORMATS
def test_parameters_old_tensors_and_those_of_a_gpu_are_tensors(write):
    plain = view(version="")
    gpu = rebuild(Stored(kind("float32", "torch.cuda"), "1", 2, "cuda:0"), 0, (2,), (1,))
    document = ordered(
        {
            "parameter": Call(Name("torch._utils", "_rebuild_parameter"), plain, True, ordered()),
            "more": Call(
                Name("torch._utils", "_rebuild_parameter_with_state"),
                plain, True, ordered(), {"note": "x"},
            ),
            "old": plain,
            "gpu": gpu,
            "size": Call(Name("torch", "Size"), (1, 2)),
            "dtype": Name("torch", "float32"),
        },
        state={"_metadata": ordered()},
    )  # fmt: skip
    result = torch_state.read(write(document, {"0": FLOATS.tobytes(), "1": FLOATS[:2].tobytes()}))
    assert list(result) == ["parameter", "more", "old", "gpu"]
    np.testing.assert_array_equal(result["more"], FLOATS[:6].reshape(2, 3))
    np.testing.assert_array_equal(result["gpu"], FLOATS[:2])


def test_what_python_2_wrote_is_read():
    # {'x': tensor} as an OrderedDict of pairs, with all text as bytes.
    text = [pickle.SHORT_BINSTRING + bytes([len(t)]) + t for t in (b"x", b"storage", b"0", b"cpu")]
    storage = b"(" + text[1] + b"ctorch\nFloatStorage\n" + text[2] + text[3] + b"K\x18NtQ"
    tensor = b"ctorch._utils\n_rebuild_tensor\n(" + storage + b"K\x00K\x02\x85K\x01\x85tR"
    pairs = b"](](" + text[0] + tensor + b"eea"
    document = b"\x80\x02ccollections\nOrderedDict\n" + pairs.replace(b"ea", b"e") + b"\x85R."
    data = old(document, {"0": FLOATS.tobytes()}, counts={"0": 24})
    np.testing.assert_array_equal(torch_state.read(data)["x"], FLOATS[:2])


@FORMATS
def test_a_checkpoint_gives_dotted_names_and_a_prefix_takes_its_model(write):
    document = {
        "state_dict": ordered({"module.fc.bias": view(0, (2,), (1,))}),
        "optimizer": {"state": {0: {"step": view(2, (), ())}}, "groups": [{"lr": 0.1}, view()]},
        "epoch": 3,
        "tuple": ("x", view(4, (1,), (1,))),
    }
    data = write(document, {"0": FLOATS.tobytes()})
    assert list(torch_state.read(data)) == [
        "state_dict.module.fc.bias", "optimizer.state.0.step", "optimizer.groups.1", "tuple.1"
    ]  # fmt: skip
    assert list(torch_state.read(data, prefix="state_dict.module.")) == ["fc.bias"]
    assert list(torch_state.read(data, prefix="tuple.")) == ["1"]


def test_containers_are_read_to_a_depth_of_32():
    nested = [view()]
    for _ in range(31):
        nested = [nested]
    stored = {"0": FLOATS.tobytes()}
    assert list(torch_state.read(archive(nested, stored))) == [".".join(["0"] * 32)]
    with pytest.raises(ValueError, match="nested more than 32 deep"):
        torch_state.read(archive([nested], stored))


def test_a_prefix_of_no_tensor_is_refused_with_the_nearest():
    data = archive({"state_dict": {"x": view()}}, {"0": FLOATS.tobytes()})
    with pytest.raises(ValueError, match=r"no tensor under 'state\.'; did you mean 'state_dict\.'"):
        torch_state.read(data, prefix="state.")


def test_a_file_is_read_by_its_path_and_named_in_errors(tmp_path):
    path = tmp_path / "x.pth"
    path.write_bytes(torch_files.state(SMALL, archive))
    for source in (path, str(path)):
        result = torch_state.read(source)
        assert list(result) == list(SMALL)
        assert all(np.array_equal(result[name], SMALL[name]) for name in SMALL)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match=r"x\.pth is no PyTorch state dict"):
        torch_state.read(path)
    with pytest.raises(FileNotFoundError, match="absent"):
        torch_state.read(tmp_path / "absent")
    with pytest.raises(TypeError, match="Received: source of list"):
        torch_state.read([path])


# Files that lie


@FORMATS
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((19, (2, 3), (3, 1)), "reaches to element 25"),
        ((0, (25,), (1,)), "reaches to element 25"),
        ((0, (2, 2), (23, 1)), "reaches to element 25"),
        ((0, (2**62,), (1,)), "larger than any memory"),
        ((0, (0, 2**62), (1, 1)), "larger than any memory"),
        ((25, (0,), (1,)), "reaches to element 25"),
        ((-1, (2,), (1,)), "below 0"),
        ((0, (-2,), (1,)), "below 0"),
        ((3, (2,), (-1,)), "below 0"),
        ((0, (2.0,), (1,)), "no number"),
        ((0, (True,), (1,)), "no number"),
        ((None, (2,), (1,)), "no number"),
        ((0, (2, 3), (1,)), "2 dimensions but 1 strides"),
        ((0, (1,) * 65, (1,) * 65), "at most 64"),
        ((0, (10**6, 10**6), (0, 0)), "would take 4,000,000,000,000 bytes"),
    ],
)
def test_a_tensor_beyond_its_storage_is_refused(write, arguments, message):
    with pytest.raises(ValueError, match=message):
        read_view(write, *arguments)


@FORMATS
def test_storages_are_of_the_size_that_their_tensors_say(write):
    for stored in (FLOATS[:23].tobytes(), FLOATS.tobytes() + b"1"):
        with pytest.raises(ValueError, match="no PyTorch state dict"):
            torch_state.read(write({"x": view()}, {"0": stored}))
    for count in (23, 25, 2**61, -24, 10**30):
        document = {"x": view(0, (1,), (1,), count=count)}
        more = {"counts": {"0": min(count, 2**61)}} if write is old else {}
        with pytest.raises(ValueError, match="no PyTorch state dict"):
            torch_state.read(write(document, {"0": FLOATS.tobytes()}, **more))


@FORMATS
def test_a_storage_described_in_two_ways_or_missing_is_refused(write):
    bytes_ = rebuild(Stored(kind("uint8"), "0", 96), 0, (96,), (1,))
    with pytest.raises(ValueError, match="storage '0' in two ways"):
        torch_state.read(write({"x": view(), "y": bytes_}, {"0": FLOATS.tobytes()}))
    with pytest.raises(ValueError, match="lacks the storage '1'"):
        torch_state.read(write({"x": view(key="1")}, {}))


def test_the_older_formats_list_of_storages_must_fit():
    document, stored = {"x": view()}, {"0": FLOATS.tobytes()}
    for keys in (["0", "0"], ["1"], [0], "0"):
        with pytest.raises(ValueError, match="list"):
            torch_state.read(old(document, stored, keys=keys))
    with pytest.raises(ValueError, match="no container|lacks|cut short|follows"):
        torch_state.read(old(document, stored, keys=[]))
    with pytest.raises(ValueError, match="follows its last storage"):
        torch_state.read(old(document, stored) + b"1")
    storage = Stored(kind("float32"), "0", 24, "cpu", (("1", 0, 2),))
    with pytest.raises(ValueError, match="no storage"):  # a view of another, as before 0.4
        torch_state.read(archive({"x": rebuild(storage, 0, (), ())}, stored))


def test_two_tensors_of_one_name_are_refused():
    with pytest.raises(ValueError, match=r"two tensors that would be called 'a\.b'"):
        torch_state.read(archive({"a": {"b": view()}, "a.b": view()}, {"0": FLOATS.tobytes()}))


def test_conjugate_and_negative_bits_are_refused_rather_than_ignored():
    lazy = rebuild(Stored(kind("complex64"), "0", 12), 0, (2,), (1,), {"conj": True})
    with pytest.raises(ValueError, match="conjugate"):
        torch_state.read(archive({"x": lazy}, {"0": FLOATS.tobytes()}))


def test_an_archive_must_be_whole_plain_and_without_repeats():
    parts = {"a/data.pkl": torch_files.pickled({"x": view()}), "a/data/0": FLOATS.tobytes()}
    assert list(torch_state.read(torch_files.zipped(parts))) == ["x"]
    for broken, message in [
        (torch_files.zipped(parts, zipfile.ZIP_DEFLATED), "compressed"),
        (torch_files.zipped(parts | {"a/code/x.py": b""}), "TorchScript"),
        (torch_files.zipped({"b/x": b""} | parts), "without b/data.pkl"),
        (torch_files.zipped(parts | {"a/byteorder": b"middle"}), "byte order"),
        (torch_files.zipped(parts | {"a/data.pkl": parts["a/data.pkl"] + b"."}), "follows"),
        (torch_files.zipped(parts | {"a/data/O": b""}).replace(b"data/O", b"data/0"), "twice"),
        (torch_files.zipped({}), "neither"),
        (torch_files.zipped(parts).replace(FLOATS[1:2].tobytes(), FLOATS[2:3].tobytes()), "sum"),
    ]:
        with pytest.raises(ValueError, match=message):
            torch_state.read(broken)
