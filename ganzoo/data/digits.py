"""scikit-learn's 1,797 handwritten digits, 8x8: the images that need no download."""

import numpy as np

from ganzoo.data.arrays import from_arrays
from ganzoo.data.images import Images
from ganzoo.data.request import Request, no_split


def open_digits(request: Request) -> Images:
    """Returns the digits, their 17 grey levels spread over [0, 255]; there is no test split."""
    if request.split != "train":
        raise no_split(request.split, "digits", ("train",))
    from sklearn.datasets import load_digits  # A second of import that other sources spare.

    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    return from_arrays(images, digits.target, request, name="digits")
