"""A zoo of generative adversarial networks in Keras 3.

`list_models()` names the entries, `load(name)` gives a compiled `keras.Model`. What needs
TensorFlow is imported on first use, so `import ganzoo` is fast and changes nothing. Before that use
it is asked for oneDNN on x86 processors, unless `TF_ENABLE_ONEDNN_OPTS` says otherwise.
"""

from typing import Any

from ganzoo import lazy, processor

__version__ = "0.1.0"

# Public name -> the module that holds it; a module named like it is public as a whole.
_PUBLIC = {
    "data": "data",
    "evaluate": "metrics.evaluation",
    "games": "games",
    "info": "registry",
    "latent": "latent",
    "list_models": "registry",
    "load": "builders",
    "metrics": "metrics",
    "register": "registry",
    "train": "training",
    "verify": "metrics.verification",
    "visualize": "visualize",
}

__all__ = ["__version__", *_PUBLIC]
_attribute, __dir__ = lazy.attributes(globals(), _PUBLIC)


def __getattr__(name: str) -> Any:
    if _PUBLIC.get(name, "registry") != "registry":  # which needs no TensorFlow
        processor.ask_for_onednn()
    return _attribute(name)
