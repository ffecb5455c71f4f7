"""Batches for semi-supervised learning: half of their images have labels, drawn from a few."""

import numpy as np

from ganzoo.data.images import Images

UNLABELLED = -1
# Random streams of their own, apart from those of an epoch's order and flips.
_CHOICE, _ROUND, _FLIPS = 2, 3, 4


def balanced(labels: np.ndarray, count: int, *, seed: int) -> np.ndarray:
    """Returns which `count` images keep their labels: as many of each class, drawn by `seed`.

    Args:
        labels: Integers (N,).
        count: Images in all, a multiple of the number of classes.
        seed: At least 0.

    Returns:
        Rows (count,), those of a class after those of the class before.

    Raises:
        ValueError: If classes can't share `count` evenly, or one has too few images.
    """
    classes, sizes = np.unique(labels, return_counts=True)
    each, left = divmod(count, len(classes))
    most = int(sizes.min())
    if left or not 1 <= each <= most:
        near = min(max(round(count / len(classes)), 1), most) * len(classes)
        raise ValueError(
            f"Expected a multiple of {len(classes)}, the number of classes, with at most {most} "
            f"images of each. Received: labelled={count}; nearest: {near}."
        )
    order = np.random.default_rng((seed, 0, _CHOICE)).permutation(len(labels))
    return np.concatenate([order[labels[order] == one][:each] for one in classes])


class Pairs:
    """Makes each batch of images twice as long: a labelled one stands before each.

    The images of the batch come with the label -1 for none, though the labelled ones are among
    them in turn. Labelled images go round, each round in another order. All is a function of the
    seed and the batch's number.

    Args:
        batches: Object with `batch(number)`, whose first part is `batch_size` images.
        images: Where the labelled ones are taken from.
        labelled: How many have labels.
        batch_size: Images of a batch.
        flip: Whether each labelled image is mirrored with probability 1/2 each time.
        seed: At least 0.
        shuffle: Whether each round has an order of its own.

    Raises:
        ValueError: As of `balanced`.
    """

    def __init__(self, batches, images: Images, labelled: int, *, batch_size, flip, seed, shuffle):
        self._batches, self._batch_size, self.steps = batches, batch_size, batches.steps
        self._flip, self._seed, self._shuffle = flip, seed, shuffle
        rows = balanced(images.labels, labelled, seed=seed)
        self._images = np.asarray(images.images)[rows]
        self._labels = images.labels[rows].astype(np.int32)

    def batch(self, number: int, part: slice = slice(None)) -> tuple[np.ndarray, np.ndarray]:
        """Returns images (2 batch_size, ...), a labelled one first, and labels (2 batch_size,).

        Or a part of these rows.
        """
        unlabelled, rows = self._batches.batch(number)[0], self._rows(int(number))
        pixels = self._images[rows]
        if self._flip:
            drawn = np.random.default_rng((self._seed, int(number), _FLIPS)).random(len(rows))
            pixels[drawn < 0.5] = pixels[drawn < 0.5][:, :, ::-1]
        # one by one, so that replicas that share a batch have as many labelled images each
        images = np.stack([pixels, unlabelled], axis=1).reshape(-1, *pixels.shape[1:])
        none = np.full_like(self._labels[rows], UNLABELLED)
        return images[part], np.stack([self._labels[rows], none], axis=1).reshape(-1)[part]

    def _rows(self, number: int) -> np.ndarray:
        """Which labelled images batch `number` has, out of their endless sequence of rounds."""
        count, begin = len(self._labels), number * self._batch_size
        first, last = begin // count, (begin + self._batch_size - 1) // count
        orders = np.concatenate([self._order(one) for one in range(first, last + 1)])
        return orders[begin - first * count :][: self._batch_size]

    def _order(self, number: int) -> np.ndarray:
        if not self._shuffle:
            return np.arange(len(self._labels))
        rng = np.random.default_rng((self._seed, number, _ROUND))
        return rng.permutation(len(self._labels))
