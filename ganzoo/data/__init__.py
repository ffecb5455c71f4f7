"""Images for training, and points: every source is decoded once and served as static batches.

`open_source` needs no TensorFlow; `load` and `batches` import it on first use.
"""

from importlib import import_module

_ROOMS = {
    "Images": "images",
    "open_source": "sources",
    "batches": "pipeline",
    "load": "pipeline",
}
__all__ = sorted(_ROOMS)


def __getattr__(name: str):
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
