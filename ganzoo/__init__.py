"""A zoo of generative adversarial networks in Keras 3.

`list_models()` names the entries, `load(name)` gives a compiled `keras.Model`. What needs
TensorFlow is imported on first use, so `import ganzoo` is fast and changes nothing.
"""

import importlib

__version__ = "0.1.0"

# Public name -> the module that holds it; a module that holds itself is public as a whole.
_PUBLIC = {
    "data": "ganzoo.data",
    "evaluate": "ganzoo.metrics.evaluation",
    "info": "ganzoo.registry",
    "list_models": "ganzoo.registry",
    "load": "ganzoo.builders",
    "metrics": "ganzoo.metrics",
    "register": "ganzoo.registry",
    "train": "ganzoo.training",
    "verify": "ganzoo.metrics.verification",
    "visualize": "ganzoo.visualize",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        from ganzoo.errors import closest

        near = closest(name, _PUBLIC)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{near}")
    module = importlib.import_module(_PUBLIC[name])
    value = module if _PUBLIC[name] == f"{__name__}.{name}" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
