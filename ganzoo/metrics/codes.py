"""What an InfoGAN's codes do: agreement of a categorical one with classes, of others with shapes.

Shapes are measured on grey images of bright strokes on a dark ground, such as digits.
"""

from typing import Any

import numpy as np
from scipy import optimize, stats

from ganzoo.metrics import checks


def agreement(codes: Any, classes: Any) -> float:
    """Returns the share of images whose class is the one that their code stands for.

    Codes stand for classes by the one-to-one matching that makes this share largest; a code or
    class that is left over, where there are more of the one, agrees with none. With K codes drawn
    at random and K equal classes it is a little over 1 / K.

    Args:
        codes: Values of a categorical code, whole numbers (N,) >= 0.
        classes: Classes of the images by labels or by a classifier, whole numbers (N,) >= 0.

    Raises:
        TypeError: If these are no whole numbers.
        ValueError: If they are negative, none, or not equally many.
    """
    counts = _counts(codes, classes)
    rows, columns = optimize.linear_sum_assignment(counts, maximize=True)
    return float(counts[rows, columns].sum() / counts.sum())


def matching(codes: Any, classes: Any) -> dict[int, int]:
    """Returns the class that each code stands for, as `agreement` matches them.

    Args:
        codes: As for `agreement`.
        classes: As for `agreement`.

    Raises:
        TypeError, ValueError: As for `agreement`.
    """
    rows, columns = optimize.linear_sum_assignment(_counts(codes, classes), maximize=True)
    return dict(zip(rows.tolist(), columns.tolist(), strict=True))


def rank_correlation(codes: Any, measured: Any) -> float:
    """Returns Spearman's rank correlation of a continuous code and a measured quantity.

    Args:
        codes: Values of the code, (N,).
        measured: The quantity, (N,).

    Returns:
        In [-1, 1]; 0 where the quantity is the same in all images, so that nothing moves it.

    Raises:
        TypeError, ValueError: If these are not equally many finite numbers, at least two, or the
            code has one value alone.
    """
    codes = checks.features("codes", np.reshape(codes, (-1, 1)))[:, 0]
    measured = checks.features("measured", np.reshape(measured, (-1, 1)), varied=False)[:, 0]
    _check_equally_many(codes, measured)
    if np.all(measured == measured[0]):
        return 0.0
    return float(stats.spearmanr(codes, measured).statistic)


def mass(images: Any) -> np.ndarray:
    """Returns the mean brightness of each image, float64 (N,) in [0, 1].

    Args:
        images: uint8 (N, H, W, C).

    Raises:
        TypeError, ValueError: If these are no uint8 images.
    """
    return _grey(images).mean(axis=(1, 2))


def slant(images: Any) -> np.ndarray:
    """Returns the angle by which what is drawn leans to the right, in degrees, float64 (N,).

    That is arctan(-mu_11 / mu_02), of the central moments of brightness, y downwards: the angle
    of a stroke whose rows are shifted sideways evenly, 0 for one that stands upright, 45 for /.
    It is in (-90, 90), and 0 for an image whose brightness is all in one row, or none.

    Args:
        images: uint8 (N, H, W, C).

    Raises:
        TypeError, ValueError: If these are no uint8 images.
    """
    grey = _grey(images)
    total = grey.sum(axis=(1, 2))
    share = grey / np.where(total > 0, total, 1)[:, None, None]
    y, x = (np.arange(side, dtype=np.float64) for side in grey.shape[1:])
    mean_y, mean_x = np.einsum("nij,i->n", share, y), np.einsum("nij,j->n", share, x)
    far_y, far_x = y - mean_y[:, None], x - mean_x[:, None]
    mu_11 = np.einsum("nij,ni,nj->n", share, far_y, far_x)
    mu_02 = np.einsum("nij,ni->n", share, far_y**2)
    flat = mu_02 < 1e-9
    return np.degrees(np.arctan(np.where(flat, 0.0, -mu_11 / np.where(flat, 1.0, mu_02))))


def stroke_width(images: Any) -> np.ndarray:
    """Returns how wide strokes are, in pixels, float64 (N,).

    It is the short side of the rectangle that has an image's area and perimeter, bent into a
    digit or not: t^2 - P t / 2 + A = 0. Area is the sum of brightness, perimeter its total
    variation (the summed length of its gradient by forward differences), both in units of the
    brightest pixel, so that grey edges count in part. A blob more compact than a square has P / 4,
    an image without brightness 0.

    Args:
        images: uint8 (N, H, W, C).

    Raises:
        TypeError, ValueError: If these are no uint8 images.
    """
    grey = _grey(images)
    brightest = grey.max(axis=(1, 2), keepdims=True)
    grey = np.pad(grey / np.where(brightest > 0, brightest, 1), ((0, 0), (1, 1), (1, 1)))
    down, right = np.diff(grey, axis=1)[:, :, :-1], np.diff(grey, axis=2)[:, :-1]
    half, area = np.hypot(down, right).sum(axis=(1, 2)) / 2, grey.sum(axis=(1, 2))
    return (half - np.sqrt(np.maximum(half**2 - 4 * area, 0))) / 2


MEASURES = {"slant": slant, "stroke width": stroke_width, "mass": mass}
"""What continuous codes are compared with, by name."""


def correlations(codes: dict[str, Any], images: Any) -> dict[str, dict[str, float]]:
    """Returns the rank correlation of each continuous code with each of `MEASURES`, by name.

    Args:
        codes: Values (N,) by name of a code.
        images: uint8 (N, H, W, C), in the same order.

    Raises:
        TypeError, ValueError: If codes or images are not as they should be.
    """
    measured = {name: measure(images) for name, measure in MEASURES.items()}
    return {
        code: {name: rank_correlation(values, one) for name, one in measured.items()}
        for code, values in codes.items()
    }


def _grey(images: Any) -> np.ndarray:
    return checks.images("images", images).astype(np.float64).mean(axis=-1) / 255


def _counts(codes: Any, classes: Any) -> np.ndarray:
    """Returns how often each code, a row, comes with each class, a column."""
    codes, classes = _whole("codes", codes), _whole("classes", classes)
    _check_equally_many(codes, classes)
    counts = np.zeros((codes.max() + 1, classes.max() + 1), np.int64)
    np.add.at(counts, (codes, classes), 1)
    return counts


def _whole(name: str, values: Any) -> np.ndarray:
    values = np.asarray(values)
    if values.dtype.kind not in "iu":
        raise TypeError(f"{name}: expected whole numbers. Received: dtype {values.dtype}.")
    if values.ndim != 1 or not len(values) or values.min() < 0:
        raise ValueError(
            f"{name}: expected whole numbers (N,) >= 0, one an image. "
            f"Received: shape {values.shape}, least {values.min(initial=0)}."
        )
    return values


def _check_equally_many(codes: np.ndarray, others: np.ndarray) -> None:
    if len(codes) != len(others):
        raise ValueError(
            "Expected a code and a measured value of each image. "
            f"Received: {len(codes)} and {len(others)}."
        )
