"""Images for training, and points: every source is decoded once and served as static batches.

`open_source` needs no TensorFlow; `load` and `batches` import it on first use.
"""

from ganzoo import lazy

_ROOMS = {
    "Images": "images",
    "open_source": "sources",
    "batches": "pipeline",
    "distributed": "pipeline",
    "load": "pipeline",
}
__all__ = sorted(_ROOMS)
__getattr__, __dir__ = lazy.attributes(globals(), _ROOMS)
