"""From images to training batches: a position in the data is a pure function of the seed.

Epoch `e` takes the images in the order `default_rng((seed, e)).permutation(N)` and draws its flips
from `default_rng((seed, e, 1))`, so training resumes at any batch without replaying the others.
"""

import os
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from ganzoo.data.images import Images
from ganzoo.data.labelled import Pairs
from ganzoo.data.records import Records
from ganzoo.data.request import check_count
from ganzoo.data.sources import open_source
from ganzoo.data.streaming import Lanes
from ganzoo.strategy import several_workers


def load(
    source: str | os.PathLike | np.ndarray | tuple | Images,
    *,
    image_size: int | None = None,
    batch_size: int = 64,
    split: str = "train",
    flip: bool = False,
    labels: bool = False,
    labelled: int | None = None,
    seed: int = 0,
    data_dir: str | os.PathLike | None = None,
    channels: int | None = None,
    crop: int | None = None,
    shuffle: bool = True,
    on_error: str = "skip",
    progress: bool = True,
    stream: bool = False,
) -> tf.data.Dataset:
    """Returns a source as a data set of batches: `batches(open_source(source, ...), ...)`.

    Each iteration over it is one epoch, shuffled anew. `open_source` explains what a source can be
    and how images are decoded, `batches` what the data set yields.

    Returns:
        float32 images (batch_size, H, W, C) in [-1, 1], or points (batch_size, D) as they are; with
        `labels` pairs of them and int32 labels (batch_size,), with `labelled` twice as many.
    """
    check_count("batch_size", batch_size)
    images = open_source(
        source,
        image_size=image_size,
        split=split,
        data_dir=data_dir,
        channels=channels,
        crop=crop,
        on_error=on_error,
        progress=progress,
        stream=stream,
    )
    return batches(
        images,
        batch_size=batch_size,
        flip=flip,
        labels=labels,
        labelled=labelled,
        seed=seed,
        shuffle=shuffle,
    )


def batches(
    images: Images,
    *,
    batch_size: int,
    flip: bool = False,
    labels: bool = False,
    labelled: int | None = None,
    seed: int = 0,
    shuffle: bool = True,
    first_batch: int = 0,
    repeat: bool = False,
    share: "Share | None" = None,
) -> tf.data.Dataset:
    """Serves decoded images as batches of one static size; an epoch's last few may be left out.

    With `repeat` the data set is endless and every iteration over it begins at `first_batch`: it
    equals the data set that begins at 0 after `first_batch` batches, epoch borders, shuffling and
    flips included. Without, the first iteration is the rest of the epoch that `first_batch` falls
    into, and each later iteration is the epoch after.

    Args:
        images: What `open_source` returns.
        batch_size: Images in a batch; under a `tf.distribute` strategy, those of all replicas.
        flip: Whether each image is mirrored left to right with probability 1/2.
        labels: Whether to yield labels too.
        labelled: How many of the images have labels, as many of each class, for semi-supervised
            learning: a batch then holds `batch_size` of those beside `batch_size` images without,
            in turn. None for all.
        seed: Decides order and flips; at least 0.
        shuffle: Whether each epoch has an order of its own, or that of `images`.
        first_batch: How many batches to skip, at no cost.
        repeat: Whether to go on for ever.
        share: Which rows of each batch to serve, where workers share it; needs `repeat`. By
            default all.

    Returns:
        float32 images (batch_size, H, W, C), `x / 127.5 - 1` of the stored bytes, or points
        (batch_size, D) as they are stored; with `labels` pairs of them and int32 labels
        (batch_size,). With `labelled` such pairs of 2 batch_size each: images at even places have
        labels, those at odd places -1, for none.

    Raises:
        TypeError, ValueError: if there are fewer images than `batch_size`, no labels to yield,
            points to flip, a number of labelled ones that classes can't share evenly, or a wrong
            argument.
    """
    if not isinstance(images, Images):
        raise TypeError(f"images must come from open_source. Received: {type(images).__name__}")
    check_count("batch_size", batch_size)
    check_count("seed", seed, least=0)
    check_count("first_batch", first_batch, least=0)
    check_count("labelled", labelled, optional=True)
    if len(images) < batch_size:
        raise ValueError(
            f"{images.name} has {len(images)} images: too few for one batch of {batch_size}."
        )
    streamed = isinstance(images.images, Records)
    if labelled and streamed:
        raise ValueError(
            f"{images.name} is streamed, so its labels are not known beforehand, and "
            f"labelled={labelled} chooses by them: leave stream (data.stream) out."
        )
    known = images.images.labelled if streamed else images.labels is not None
    if (labels or labelled) and not known:
        asked = f"labelled={labelled}" if labelled else "labels=True"
        raise ValueError(f"{images.name} has no labels, and {asked} asks for them.")
    if flip and images.points:
        raise ValueError(f"{images.name} holds points, which flip=True cannot mirror.")
    if share is not None and not repeat:
        raise ValueError("Expected repeat=True for a share of the batches. Received: repeat=False.")

    options = {"batch_size": batch_size, "flip": flip, "seed": seed, "shuffle": shuffle}
    if labelled:
        source = Pairs(_Batches(images, labels=False, **options), images, labelled, **options)
    elif streamed:
        source = Lanes(images.images, labels=labels, **options)
    else:
        source = _Batches(images, labels=labels, **options)
    rows = 2 * batch_size if labelled else batch_size
    shape = (rows, *images.images.shape[1:])
    return _served(
        source, shape, images, labels or bool(labelled), first_batch, repeat, share or Share()
    )


@dataclass(frozen=True)
class Share:
    """Which rows of each batch are served, where workers share it: those of their replicas.

    Args:
        replicas: Of all workers; each has as many rows.
        first: The first one of this worker.
        own: How many are this worker's: each batch is served as `own` parts, one after the other.
    """

    replicas: int = 1
    first: int = 0
    own: int = 1

    def part(self, number: int, batch_size: int) -> tuple[int, slice]:
        """Returns the batch and its rows that the `number`-th part is made of."""
        batch, replica = divmod(number, self.own)
        size = batch_size // self.replicas
        start = (self.first + replica) * size
        return batch, slice(start, start + size)


def distributed(
    images: Images, strategy: tf.distribute.Strategy, *, batch_size: int, **options: Any
) -> Any:
    """Returns what `fit` takes under a strategy: `batches`, of several workers this one's rows.

    Each worker then reads and decodes its rows alone. All batches, whatever the number of workers,
    are those of one; streamed data lie in lanes, so that a worker's rows come from its own files.

    Args:
        images: What `open_source` returns, with the same bytes on all workers.
        strategy: Where to train.
        batch_size: Images in a batch of all workers together.
        **options: Of `batches`; endless (`repeat`).

    Raises:
        ValueError: If replicas cannot share a batch evenly, or as of `batches`.
    """
    if not several_workers(strategy):
        return batches(images, batch_size=batch_size, **options)
    replicas = strategy.num_replicas_in_sync
    if batch_size % replicas:
        raise ValueError(
            f"Expected a batch size that {replicas} replicas can share evenly. "
            f"Received: {batch_size}."
        )

    def of_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
        own = replicas // context.num_input_pipelines
        share = Share(replicas, context.input_pipeline_id * own, own)
        return batches(images, batch_size=batch_size, share=share, **options)

    return strategy.distribute_datasets_from_function(of_worker)


def _served(
    source: "_Batches | Lanes | Pairs",
    shape: tuple[int, ...],
    images: Images,
    labels: bool,
    first_batch: int,
    repeat: bool,
    share: Share,
) -> tf.data.Dataset:
    """Returns the data set of a share of a source's batches of a shape, scaled."""
    rows, *of_one = shape
    shape = (rows // share.replicas, *of_one)

    def read(number):
        return source.batch(*share.part(int(number), rows))

    def fetch(number):
        types = (images.images.dtype, tf.int32) if labels else (images.images.dtype,)
        found, *classes = tf.numpy_function(read, [number], types, stateful=False)
        found = tf.ensure_shape(found, shape)
        if not images.points:
            found = tf.cast(found, tf.float32) / 127.5 - 1.0
        return (found, tf.ensure_shape(classes[0], shape[:1])) if labels else found

    if repeat:
        numbers = tf.data.Dataset.counter(first_batch * share.own)
    else:
        numbers = _epochs(source, first_batch)
    # a gather is quick, decoding is not
    threads = max(2, os.cpu_count() or 1) if isinstance(source, Lanes) else 2
    data = numbers.map(fetch, num_parallel_calls=threads, deterministic=True)
    options = tf.data.Options()
    # its loop sleeps for twice as long each time, and the end of an iteration waits for it
    options.autotune.enabled = False
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return data.prefetch(4).with_options(options)


def _epochs(source: "_Batches | Lanes | Pairs", first_batch: int) -> tf.data.Dataset:
    """Batch numbers of one epoch an iteration, from `first_batch` on."""
    steps = source.steps
    epoch, begin = divmod(first_batch, steps)
    upcoming = iter(range(epoch, 2**62 // steps))
    lock = threading.Lock()

    def next_epoch():
        with lock:
            return np.int64(next(upcoming))

    def numbers(_):
        current = tf.ensure_shape(tf.numpy_function(next_epoch, [], tf.int64), ())
        start = tf.maximum(current * steps, first_batch)
        return tf.data.Dataset.range(start, (current + 1) * steps)

    data = tf.data.Dataset.from_tensors(0).flat_map(numbers)
    if begin:  # The first iteration is shorter than the others.
        return data
    return data.apply(tf.data.experimental.assert_cardinality(steps))


class _Batches:
    """Batch `number` of the endless sequence of epochs, uint8."""

    def __init__(self, images, *, batch_size, flip, labels, seed, shuffle):
        self._images = np.asarray(images.images)  # A plain view of a memory map: faster to index.
        self._labels = images.labels.astype(np.int32) if labels else None
        self._batch_size, self._flip, self._seed, self._shuffle = batch_size, flip, seed, shuffle
        self.steps = len(images) // batch_size
        self._epochs = {}
        self._lock = threading.Lock()

    def batch(self, number: int, rows: slice = slice(None)) -> tuple[np.ndarray, ...]:
        """Returns images, and labels if they are asked for, of these rows of batch `number`."""
        epoch, step = divmod(int(number), self.steps)
        order, mirrored = self._epoch(epoch)
        begin, end, _ = rows.indices(self._batch_size)
        part = slice(step * self._batch_size + begin, step * self._batch_size + end)
        rows = order[part]
        pixels = np.take(self._images, rows, axis=0)
        if self._flip:
            flips = mirrored[part]
            pixels[flips] = pixels[flips, :, ::-1]
        return (pixels,) if self._labels is None else (pixels, self._labels[rows])

    def _epoch(self, epoch: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Returns the order and the flips of an epoch; threads may be at work on two."""
        with self._lock:
            if epoch not in self._epochs:
                for old in [e for e in self._epochs if e < epoch - 1 or e > epoch + 1]:
                    del self._epochs[old]
                self._epochs[epoch] = self._draw(epoch)
            return self._epochs[epoch]

    def _draw(self, epoch: int) -> tuple[np.ndarray, np.ndarray | None]:
        count = len(self._images)
        order, mirrored = np.arange(count), None
        if self._shuffle:
            order = np.random.default_rng((self._seed, epoch)).permutation(count)
        if self._flip:  # A stream of its own: turning shuffling off leaves the flips alone.
            mirrored = np.random.default_rng((self._seed, epoch, 1)).random(count) < 0.5
        return order, mirrored
