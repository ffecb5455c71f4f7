"""What a classifier says of generated images: how sure it is, and how classes are filled."""

import numpy as np
from scipy.special import softmax

from ganzoo.metrics import checks

SURE = 0.9


def sure(logits: np.ndarray, *, probability: float = SURE) -> float:
    """Returns the share of images whose likeliest class has more than `probability`.

    Args:
        logits: (N, classes).
        probability: In (0, 1).

    Raises:
        ValueError: If the logits are not (N, classes) finite numbers.
    """
    logits = checks.features("logits", logits, at_least=1, varied=False)
    return float((softmax(logits.astype(np.float64), axis=1).max(axis=1) > probability).mean())


def class_shares(logits: np.ndarray) -> np.ndarray:
    """Returns each class's share of the images by likeliest class, (classes,), summing to 1.

    Raises:
        ValueError: If the logits are not (N, classes) finite numbers.
    """
    logits = checks.features("logits", logits, at_least=1, varied=False)
    return np.bincount(logits.argmax(axis=1), minlength=logits.shape[1]) / len(logits)
