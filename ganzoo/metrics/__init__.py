"""How good generated images are: metrics, feature networks, and reference statistics.

Each metric is mathematics on arrays, in a module of its own; `evaluate` gives it the features.
"""

from importlib import import_module

_ROOMS = {
    "Evaluation": "scores",
    "Evaluator": "evaluation",
    "Score": "scores",
    "evaluate": "evaluation",
    "extractor": "features",
    "reference": "references",
    "verify": "verification",
}
__all__ = sorted(_ROOMS)


def __getattr__(name: str):
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
