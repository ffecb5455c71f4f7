"""What PyTorch itself writes is read to the bit, and it reads what the other tests write."""

import numpy as np
import pytest

from ganzoo import torch_state
from tests import torch_files
from tests.torch_files import FLOATS, KINDS, SMALL, UNTYPED, archive, outcome, same, view
from tests.torch_files import row as old


def peers_tensors(torch):
    """Tensors of every dtype and of every kind of view, by name."""
    torch.manual_seed(0)
    tensors = {}
    for name in [*KINDS, *UNTYPED]:
        numbers = torch.randint(0, 256, (torch_files.dtype(name).itemsize * 12,), dtype=torch.uint8)
        if name == "bool":
            numbers %= 2
        tensors[name] = numbers.view(getattr(torch, name)).reshape(3, 4)
    base = torch.arange(60.0)
    tensors |= {
        "whole": base,
        "part": base[7:19].view(3, 4).t(),
        "holes": base.view(3, 4, 5)[1:, ::2, 1::3],
        "expanded": base[3].expand(2, 5),
        "scalar": torch.tensor(2.5, dtype=torch.float64),
        "empty": torch.zeros(0, 3),
        "channels_last": torch.rand(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "parameter": torch.nn.Parameter(torch.rand(2, 2)),
    }
    tensors["tied"] = tensors["parameter"]
    noted = torch.nn.Parameter(torch.rand(2))
    noted.note = "x"
    tensors["noted"] = noted
    return tensors


def raw(torch, tensor):
    # Neither bfloat16 nor float8 can be a NumPy array.
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


@pytest.mark.slow
@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("zip_format", [True, False])
def test_files_of_pytorch_are_read_to_the_bit(zip_format, protocol, tmp_path):
    torch = pytest.importorskip("torch")
    tensors = peers_tensors(torch)
    document = {"state_dict": tensors, "epoch": 3, "args": [1.5, "x", None, (True,)]}
    path = tmp_path / "x.pth"
    torch.save(document, path, pickle_protocol=protocol, _use_new_zipfile_serialization=zip_format)
    result = torch_state.read(path, prefix="state_dict.")
    assert list(result) == list(tensors)
    for name, tensor in tensors.items():
        assert str(tensor.dtype) == f"torch.{result[name].dtype.name}", name
        assert tuple(tensor.shape) == result[name].shape, name
        assert raw(torch, tensor) == result[name].tobytes(), name


@pytest.mark.slow
@pytest.mark.parametrize("zip_format", [True, False])
def test_a_module_and_its_optimizer_are_read(zip_format, tmp_path):
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Flatten(), torch.nn.Linear(4, 2)
    )
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.rand(2, 3, 3, 3)).sum().backward()
    optimizer.step()
    path = tmp_path / "x.pth"
    document = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    torch.save(document, path, _use_new_zipfile_serialization=zip_format)
    result = torch_state.read(path)
    for name, tensor in model.state_dict().items():
        np.testing.assert_array_equal(result[f"model.{name}"], tensor.numpy())
    moments = optimizer.state_dict()["state"][0]["exp_avg"]
    np.testing.assert_array_equal(result["optimizer.state.0.exp_avg"], moments.numpy())
    torch.save(model, path, _use_new_zipfile_serialization=zip_format)
    with pytest.raises(ValueError, match=r"torch\.nn\.modules\.container\.Sequential"):
        torch_state.read(path)
    torch.save({"x": torch.eye(3).to_sparse()}, path, _use_new_zipfile_serialization=zip_format)
    with pytest.raises(ValueError, match="_rebuild_sparse_tensor|get_layout"):
        torch_state.read(path)


@pytest.mark.slow
@pytest.mark.parametrize("order", [b"little", b"big"])
def test_pytorch_reads_the_files_of_these_tests_alike(order, tmp_path):
    """So that what the other tests write by hand is what PyTorch means."""
    torch = pytest.importorskip("torch")
    path = tmp_path / "x.pth"
    document = {"x": view(1, (3, 2), (7, 3)), "old": view(version="")}
    swapped = FLOATS.astype(">f4" if order == b"big" else "<f4").tobytes()
    for data in (
        archive(document, {"0": swapped}, order=order),
        old(document, {"0": FLOATS.tobytes()}),
    ):
        path.write_bytes(data)
        theirs, ours = torch.load(path), torch_state.read(path)
        assert list(theirs) == list(ours)
        for name in ours:
            np.testing.assert_array_equal(theirs[name].numpy(), ours[name])


@pytest.mark.slow
@pytest.mark.parametrize("zip_format", [True, False])
def test_a_flipped_byte_in_a_file_of_pytorch_gives_tensors_or_an_error(zip_format, tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "x.pth"
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in SMALL.items()}
    torch.save(tensors, path, _use_new_zipfile_serialization=zip_format)
    data = path.read_bytes()
    assert same(torch_state.read(data))
    for place in range(len(data)):
        assert outcome(data[:place]) is None, place
        for flip in (0x01, 0x80, 0xFF):
            result = outcome(data[:place] + bytes([data[place] ^ flip]) + data[place + 1 :])
            assert not zip_format or result is None or same(result), (place, flip)
