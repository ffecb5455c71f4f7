"""The packages that metrics are compared with."""

import importlib
import sys
import types

import pytest


def torch_fidelity(name):
    """Imports a module of torch-fidelity, or skips the test where it or PyTorch is missing.

    The package imports torchvision for its data sets and for other networks. Where that is missing,
    or has been built for another PyTorch, empty modules stand in while it is imported.
    """
    pytest.importorskip("torch")
    if "torch_fidelity" not in sys.modules:
        before = {key: sys.modules.pop(key) for key in list(sys.modules) if _of_torchvision(key)}
        for module in ("", ".datasets", ".transforms", ".transforms.functional"):
            sys.modules[f"torchvision{module}"] = _empty(f"torchvision{module}")
        try:
            pytest.importorskip("torch_fidelity")
        finally:
            for key in [key for key in sys.modules if _of_torchvision(key)]:
                del sys.modules[key]
            sys.modules.update(before)
    return importlib.import_module(f"torch_fidelity.{name}")


def _of_torchvision(name):
    return name.partition(".")[0] == "torchvision"


def _empty(name):
    module = types.ModuleType(name)
    module.__path__ = []
    for attribute in ("CIFAR10", "CIFAR100", "STL10"):
        setattr(module, attribute, type(attribute, (), {}))
    return module
