"""Networks that turn images into features, by name.

An extractor has `name`, `hash` (sha256 of its weights), `resize` (how images reach its size),
`dimension`, `classes` (None without logits) and `channels` (those it accepts); called with uint8
images (B, H, W, C) it returns features (B, dimension) and logits (B, classes) or None, float32.
"""

import importlib
from typing import Any

from ganzoo.errors import unknown
from ganzoo.metrics.names import EXTRACTORS


def extractor(name: str) -> Any:
    """Returns an extractor with its weights: `inception`, `efficientnet_lite0`, ...

    Args:
        name: One of `ganzoo.metrics.names.EXTRACTORS`.

    Raises:
        ValueError: If there is none of that name, or its weights are damaged.
        DownloadError, NotPublished: If its weights are nowhere to be had.
        ImportError: If they are in a package that is not installed.
    """
    if name not in EXTRACTORS:
        raise unknown("feature extractor", name, EXTRACTORS)
    module, kind, arguments = EXTRACTORS[name]
    return getattr(importlib.import_module(f"{__name__}.{module}"), kind)(**arguments)
