import errno
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy

from ganzoo import weights
from ganzoo.weights import files


def tensors():
    rng = np.random.default_rng(0)
    return {
        "b/kernel": rng.normal(size=(3, 5)).astype("float16"),
        "a/kernel": rng.normal(size=(2, 3, 1)).astype("float32"),
        "count": np.asarray(7, "int64"),
        "flag": np.array([True, False, True]),
        "none": np.zeros((0, 4), "float32"),
        "e/small": rng.normal(size=5).astype(ml_dtypes.float8_e4m3fn),
        "e/brain": rng.normal(size=(2, 2)).astype(ml_dtypes.bfloat16),
    }


def encoded(header, body=b"", *, length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + body


def entry(start, end, shape=None, dtype="F32"):
    return {
        "dtype": dtype,
        "shape": [(end - start) // 4] if shape is None else shape,
        "data_offsets": [start, end],
    }


def test_what_is_written_is_read_back_equal(tmp_path):
    path = tmp_path / "w.safetensors"
    sha256 = weights.write(path, tensors(), {"name": "ü", "a": "b"})
    found, metadata = weights.read(path, sha256=sha256)
    assert metadata == {"name": "ü", "a": "b"}
    assert list(found) == sorted(tensors())
    for name, expected in tensors().items():
        assert found[name].dtype == expected.dtype
        assert found[name].shape == expected.shape
        assert found[name].tobytes() == expected.tobytes()


def test_the_safetensors_package_reads_what_is_written(tmp_path):
    path = tmp_path / "w.safetensors"
    plain = {k: v for k, v in tensors().items() if not k.startswith("e/")}
    weights.write(path, plain, {"name": "x"})
    found = safetensors.numpy.load_file(path)
    assert found.keys() == plain.keys()
    assert all(np.array_equal(found[name], plain[name]) for name in plain)
    with safetensors.safe_open(path, framework="numpy") as file:
        assert file.metadata().items() >= {"name": "x"}.items()


def test_what_the_safetensors_package_writes_is_read(tmp_path):
    path = tmp_path / "w.safetensors"
    plain = {k: v for k, v in tensors().items() if not k.startswith("e/")}
    safetensors.numpy.save_file(plain, path)
    found, metadata = weights.read(path)
    assert metadata == {}
    assert all(np.array_equal(found[name], plain[name]) for name in plain)


def test_equal_weights_give_equal_bytes(tmp_path):
    one, two = tmp_path / "1.safetensors", tmp_path / "2.safetensors"
    turned = dict(reversed(tensors().items()))
    turned["a/kernel"] = np.asfortranarray(turned["a/kernel"])
    turned["b/kernel"] = turned["b/kernel"].astype(">f2")
    first = weights.write(one, tensors(), {"a": "1", "b": "2"})
    second = weights.write(two, turned, {"b": "2", "a": "1"})
    assert one.read_bytes() == two.read_bytes()
    assert first == second == hashlib.sha256(one.read_bytes()).hexdigest() == weights.digest(one)


def test_another_sha256_is_refused_and_named(tmp_path):
    path = tmp_path / "w.safetensors"
    sha256 = weights.write(path, tensors())
    with pytest.raises(ValueError, match=f"w.safetensors: the sha256 is {sha256}, expected 0000"):
        weights.read(path, sha256="0" * 64)
    assert weights.read(path, sha256=sha256.upper())


def test_a_file_without_a_card_shows_damage_to_values_names_and_shapes(tmp_path):
    path = tmp_path / "x.safetensors"
    weights.write(path, {"kernel": np.arange(6, dtype="float32").reshape(2, 3)}, {"name": "x"})
    data = path.read_bytes()
    for old, new in ((b"[2,3]", b"[3,2]"), (b"kernel", b"kernal"), (b'"x"', b'"y"')):
        assert data.count(old) == 1
        with pytest.raises(ValueError, match="is damaged"):
            files.parse(data.replace(old, new), "x")
    flipped = bytearray(data)
    flipped[-1] ^= 1
    with pytest.raises(ValueError, match="is damaged"):
        files.parse(bytes(flipped), "x")
    path = tmp_path / "trained.safetensors"
    weights.write(path, {"kernel": np.zeros(3)}, {"name": "x", "format": "ganzoo"})
    with pytest.raises(ValueError, match="did you mean 'sha256 without this line'"):
        files.parse(path.read_bytes().replace(b"without", b"withuot"), "x")
    # as other programs write them
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    del header["__metadata__"]
    text = json.dumps(header).encode()
    found, metadata = files.parse(len(text).to_bytes(8, "little") + text + data[8 + length :], "x")
    assert found["kernel"].tolist() == [[0, 1, 2], [3, 4, 5]] and metadata == {}


def test_tensors_lie_aligned(tmp_path):
    path = tmp_path / "w.safetensors"
    weights.write(path, tensors())
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert length % 8 == 0
    header.pop("__metadata__")
    for record in header.values():
        assert record["data_offsets"][0] % files.DTYPES[record["dtype"]].itemsize == 0


BROKEN = {
    "empty": (b"", "only 0 bytes"),
    "no header": (b"\x80\x04", "only 2 bytes"),
    "a pickle": (b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x07", "header would be"),
    "a web page": (b"<!doctype html><html></html>", "header would be"),
    "long header": (encoded(b"{}", length=3), "is cut short"),
    "no json": (encoded(b"hello!  "), "bad header"),
    "no text": (encoded(b'{"\xff\xfe": 1}'), "bad header"),
    "deep": (encoded(b'{"a":' + b"[" * 200_000), "bad header"),
    "a list": (encoded([1]), "no JSON object"),
    "repeated": (
        encoded(
            f'{{"a": {json.dumps(entry(0, 4))}, "a": {json.dumps(entry(0, 4))}}}'.encode(), b"1234"
        ),
        "twice",
    ),
    "bad metadata": (encoded({"__metadata__": {"a": 1}}), "text to text"),
    "metadata list": (encoded({"__metadata__": []}), "text to text"),
    "odd dtype": (encoded({"a": entry(0, 4, dtype="F23")}, b"1234"), "did you mean 'F32'"),
    "list dtype": (encoded({"a": entry(0, 4, dtype=["F32"])}, b"1234"), "dtype"),
    "no entry": (encoded({"a": 3}), "dtype"),
    "no offsets": (encoded({"a": {"dtype": "F32", "shape": [1]}}, b"1234"), "no valid safetensors"),
    "trailing": (encoded({"a": entry(0, 4)}, b"1234567"), "no valid safetensors"),
    "truncated": (encoded({"a": entry(0, 8)}, b"1234"), "no valid safetensors"),
    "overlap": (encoded({"a": entry(0, 8), "b": entry(4, 8)}, b"12345678"), "no valid"),
    "hole": (encoded({"a": entry(0, 4), "b": entry(8, 12)}, b"1" * 12), "no valid"),
    "late start": (encoded({"a": entry(4, 8)}, b"12345678"), "no valid"),
    "backwards": (encoded({"a": entry(4, 0, [1])}, b"1234"), "no valid"),
    "lying shape": (encoded({"a": entry(0, 4, [2])}, b"1234"), "no valid"),
    "negative shape": (encoded({"a": entry(0, 4, [-1])}, b"1234"), "no valid"),
    "huge shape": (encoded({"a": entry(0, 4, [2**62, 2**62])}, b"1234"), "no valid"),
    "body alone": (encoded({}, b"1234"), "no valid"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_with_its_name_and_what_is_wrong(tmp_path, name):
    data, reason = BROKEN[name]
    path = tmp_path / "bad.safetensors"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=f"bad.safetensors.*{reason}"):
        weights.read(path)


def test_every_cut_and_every_flipped_header_bit_is_refused_or_harmless(tmp_path):
    path = tmp_path / "w.safetensors"
    weights.write(path, {"a": np.ones((2, 3), "float32"), "b": np.zeros(2, "int32")}, {"k": "v"})
    data = path.read_bytes()
    for end in range(len(data)):
        with pytest.raises(ValueError, match="cut"):
            files.parse(data[:end], "cut")
    for place in range(len(data) - 32):
        for bit in range(8):
            changed = bytearray(data)
            changed[place] ^= 1 << bit
            try:
                found, _ = files.parse(bytes(changed), "flipped")
            except ValueError as error:
                assert "flipped" in str(error)
            else:  # another name, or another dtype of the same width
                assert sum(tensor.nbytes for tensor in found.values()) == 32


def test_what_cannot_be_stored_is_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    with pytest.raises(TypeError, match="'a'.*complex64"):
        weights.write(path, {"a": np.zeros(2, "complex64")})
    with pytest.raises(TypeError, match="object"):
        weights.write(path, {"a": np.array([None])})
    with pytest.raises(TypeError, match="metadata"):
        weights.write(path, {}, {"a": 1})
    with pytest.raises(TypeError, match="__metadata__"):
        weights.write(path, {"__metadata__": np.zeros(2)})
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "w.safetensors"
    sha256 = weights.write(path, tensors())

    with pytest.raises(RuntimeError, match="half"), files.replacing(path) as file:
        file.write(b"half")
        raise RuntimeError("half")
    with pytest.raises(KeyboardInterrupt), files.replacing(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert [p.name for p in tmp_path.iterdir()] == ["w.safetensors"]
    weights.read(path, sha256=sha256)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_gives_one_clear_error_and_leaves_nothing(tmp_path, monkeypatch):
    def full(path, mode):
        Path(path).touch()
        return open("/dev/full", "wb")  # a real ENOSPC

    path = tmp_path / "w.safetensors"
    path.write_bytes(b"old")
    monkeypatch.setattr(files, "open", full, raising=False)
    with pytest.raises(OSError, match="Cannot write .*w.safetensors: No space left") as caught:
        weights.write(path, tensors())
    assert caught.value.errno == errno.ENOSPC
    assert [p.name for p in tmp_path.iterdir()] == ["w.safetensors"]
    assert path.read_bytes() == b"old"


def test_a_missing_folder_gives_a_clear_error(tmp_path):
    with pytest.raises(OSError, match=r"Cannot write .*gone.w\.safetensors: No such file"):
        weights.write(tmp_path / "gone" / "w.safetensors", {})


def test_a_written_file_has_the_permissions_of_any_new_file(tmp_path):
    weights.write(tmp_path / "w.safetensors", {})
    (tmp_path / "plain").touch()
    assert (tmp_path / "w.safetensors").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_the_weights_room_imports_neither_tensorflow_nor_keras():
    code = "import sys, ganzoo.weights; print({'tensorflow', 'keras'} & set(sys.modules))"
    run = [sys.executable, "-c", code]
    root = Path(files.__file__).parents[2]
    env = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run(run, capture_output=True, text=True, env=env, check=True)
    assert done.stdout.strip() == "set()"


def test_a_keras_file_is_told_as_such(tmp_path):
    path = tmp_path / "best.keras"
    path.write_bytes(b"PK\x03\x04" + bytes(64))
    with pytest.raises(ValueError, match=r"best\.keras is a zip archive.*load_model"):
        weights.load(str(path))
