"""Stacked MNIST as a source: three random digits as the channels of one image."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ganzoo.data.cache import cache_folder
from ganzoo.data.images import Images
from ganzoo.data.request import Request, no_split
from ganzoo.data.store import Store, read_store
from ganzoo.metrics.stacked import MODES, stack

NAME = "stacked_mnist"
SEED = 0
_COUNTS = {"train": 128_000, "test": 26_000}


def open_stacked(request: Request, open_digits: Callable[[Request], Images]) -> Images:
    """Returns the stacked images (N, H, W, 3) of MNIST's split, and their labels, 0 to 999.

    128,000 of the training digits, as papers train on (Metz 2017, section 3.3.1), or 26,000 of the
    test digits; always the same, drawn once into a memory map under `GANZOO_HOME`.

    Args:
        request: What the caller of `open_source` wants; size and crop are those of the digits.
        open_digits: Opens MNIST as a request says.

    Raises:
        ValueError: for another split, another depth than 3, or digits without labels.
    """
    if request.split not in _COUNTS:
        raise no_split(request.split, NAME, tuple(_COUNTS))
    if request.channels not in (None, 3):
        raise ValueError(f"{NAME} has 3 channels. Received: channels={request.channels}")
    digits = open_digits(replace(request, channels=1))
    if digits.labels is None:
        raise ValueError(f"{NAME} needs digits with labels. Received: {digits} without any.")
    count = _COUNTS[request.split]
    labels = hashlib.sha256(digits.labels.astype("<i8").tobytes()).hexdigest()
    folder = cache_folder([NAME, digits.fingerprint, labels, count, SEED], request)
    kept = read_store(folder, NAME)
    return kept if kept is not None else _draw(digits, count, folder)


def _draw(digits: Images, count: int, folder: Path) -> Images:
    images, labels = stack(digits.images, digits.labels, count=count, seed=SEED)
    with Store(folder, count, NAME) as store:
        for number, image in enumerate(images):
            store.add(image, f"image {number}")
        return store.close(labels, tuple(f"{triple:03}" for triple in range(MODES)), ())
