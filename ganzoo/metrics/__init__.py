"""How good generated images are: metrics, feature networks, and reference statistics.

Each metric is mathematics on arrays, in a module of its own; `evaluate` gives it the features.
"""

from ganzoo import lazy

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
__getattr__, __dir__ = lazy.attributes(globals(), _ROOMS)
