"""The Inception score (Salimans 2016, section 4)."""

from typing import Any

import numpy as np
from scipy.special import log_softmax, xlogy

from ganzoo.metrics import checks


def inception_score(logits: Any, *, splits: int = 10) -> tuple[float, float]:
    """Returns exp(mean KL(p(y|x) || p(y))), p(y) being the mean of p(y|x) within a split.

    Splits are contiguous, as in the original code: shuffle the images first if their order means
    something. The last ones are larger by one where N is no multiple of `splits`.

    Args:
        logits: Numbers (N, classes), N >= splits: what softmax turns into p(y|x).
        splits: Parts that are scored on their own.

    Returns:
        Mean and standard deviation (ddof 0) over the splits; from 1 to the number of classes.

    Raises:
        TypeError, ValueError: As for `ganzoo.metrics.checks.features`; ValueError too for one class
            alone.
    """
    splits = checks.whole("splits", splits)
    logits = checks.features("logits", logits, at_least=splits, varied=False)
    count, classes = logits.shape
    if classes < 2:
        raise ValueError(f"logits: expected at least 2 classes. Received: shape {logits.shape}.")
    scores = []
    for i in range(splits):
        part = logits[i * count // splits : (i + 1) * count // splits]
        log_p = log_softmax(part.astype(np.float64), axis=1)
        p = np.exp(log_p)
        mean = p.mean(axis=0)
        # entropy of the mean less the mean entropy: the mean KL, but finite where p(y) is 0
        scores.append(np.exp((p * log_p).sum(axis=1).mean() - xlogy(mean, mean).sum()))
    return float(np.mean(scores)), float(np.std(scores))
