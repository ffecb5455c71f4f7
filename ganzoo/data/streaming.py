"""Batches of images that are read from record files as they are needed, shuffled on the way.

What is in memory is bounded, and a position is a function of the seed alone: any batch can be the
first one, and no worker reads what another trains on.
"""

import math
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from ganzoo.data.records import Records

BUFFER = 3 * 2**27
"""Bytes of encoded images that a run holds for shuffling, over all of its workers."""
LANES = 16
_BLOCK = 64  # records that are read at once
_WINDOWS = 3  # of a lane in memory: that before, that of now, that after
# Random streams of their own, apart from those of other pipelines.
_SHIFT, _BLOCKS, _WITHIN, _FLIPS = 5, 6, 7, 8


class Lanes:
    """Batch `number` of the endless sequence of epochs of records, uint8.

    The records, in the order of their files, are cut into as many lanes of one length as divide
    the batch, 16 at most: each lane gives as many rows of each batch, so that a worker which takes
    some of the rows reads some of the files. In an epoch a lane's blocks of 64 records are put in
    a random order, and then the records within windows of blocks. The fewer than 16 records that
    lanes leave over are others in each epoch.

    Args:
        images: The records.
        batch_size: Images in a batch, those of other workers included.
        flip: Whether each image is mirrored with probability 1/2.
        labels: Whether to give labels too.
        seed: Decides order and flips.
        shuffle: Whether each epoch has an order of its own.
        buffer: Bytes of encoded images to hold, by default `BUFFER`. Another number gives another
            order.
    """

    def __init__(
        self,
        images: Records,
        *,
        batch_size: int,
        flip: bool,
        labels: bool,
        seed: int,
        shuffle: bool,
        buffer: int | None = None,
    ):
        self._images, self._flip, self._seed, self._shuffle = images, flip, seed, shuffle
        self._batch_size, self._labels = batch_size, labels
        self._lanes = math.gcd(batch_size, LANES)
        self._each = batch_size // self._lanes
        self._length = len(images) // self._lanes
        self.steps = self._length // self._each
        record = int(images.index.lengths.sum()) / len(images)
        records = (buffer or BUFFER) / (_WINDOWS * self._lanes * record)
        blocks = math.ceil(self._length / _BLOCK)
        # whole blocks whose sizes differ by one at most
        self._edges = np.arange(blocks + 1) * self._length // blocks
        self._blocks_a_window = max(int(records) // _BLOCK, 1)
        self._windows_an_epoch = math.ceil(blocks / self._blocks_a_window)
        self._loaded: dict[tuple[int, int], Future] = {}
        self._lock = threading.Lock()
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="ganzoo-records")

    def batch(self, number: int, rows: slice = slice(None)) -> tuple[np.ndarray, ...]:
        """Returns images, and labels if they are asked for, of these rows of batch `number`."""
        epoch, step = divmod(int(number), self.steps)
        places = np.arange(self._batch_size)[rows]
        found = np.empty((len(places), *self._images.shape[1:]), np.uint8)
        labels = np.empty(len(places), np.int32)
        for lane in np.unique(places // self._each).tolist():
            own = np.flatnonzero(places // self._each == lane)
            positions = step * self._each + places[own] % self._each
            for place, (row, data) in zip(own, self._at(epoch, lane, positions), strict=True):
                found[place], labels[place] = self._images.decode(data, row)
        if self._flip:
            drawn = np.random.default_rng((self._seed, int(number), _FLIPS))
            flips = drawn.random(self._batch_size)[rows] < 0.5
            found[flips] = found[flips, :, ::-1]
        return (found, labels) if self._labels else (found,)

    def _at(self, epoch: int, lane: int, positions: np.ndarray) -> list[tuple[int, bytes]]:
        """Returns row and data of the records at positions of a lane's epoch."""
        starts = self._starts(epoch, lane)
        windows = np.searchsorted(starts, positions, side="right") - 1
        found = []
        for window, position in zip(windows.tolist(), positions.tolist(), strict=True):
            order, data = self._window(lane, epoch * self._windows_an_epoch + window)
            found.append(data[int(order[position - starts[window]])])
        return found

    def _window(self, lane: int, number: int) -> tuple[np.ndarray, list[tuple[int, bytes]]]:
        """Returns a window's order and records, `number` counted through the epochs.

        The one after it is read meanwhile, and those farther away are forgotten.
        """
        with self._lock:
            for one in (number, number + 1):
                if (lane, one) not in self._loaded:
                    self._loaded[lane, one] = self._reader.submit(self._load, lane, one)
            far = [key for key in self._loaded if key[0] == lane and abs(key[1] - number) > 1]
            for key in far:
                del self._loaded[key]
            wanted = self._loaded[lane, number]
        return wanted.result()

    def _load(self, lane: int, number: int) -> tuple[np.ndarray, list[tuple[int, bytes]]]:
        epoch, window = divmod(number, self._windows_an_epoch)
        first = self._first(epoch) + lane * self._length
        chosen = slice(window * self._blocks_a_window, (window + 1) * self._blocks_a_window)
        data = []
        for block in self._blocks(epoch, lane)[chosen].tolist():
            start, stop = (first + int(edge) for edge in self._edges[block : block + 2])
            data += zip(range(start, stop), self._images.index.read(start, stop), strict=True)
        order = np.arange(len(data))
        if self._shuffle:
            order = self._rng(epoch, _WITHIN, lane, window).permutation(len(data))
        return order, data

    def _starts(self, epoch: int, lane: int) -> np.ndarray:
        """Returns at which of a lane's positions its windows begin, in an epoch."""
        sizes = np.diff(self._edges)[self._blocks(epoch, lane)]
        ends = np.concatenate([[0], np.cumsum(sizes)])
        return ends[: -1 : self._blocks_a_window]

    def _blocks(self, epoch: int, lane: int) -> np.ndarray:
        """Returns the order of a lane's blocks in an epoch."""
        count = len(self._edges) - 1
        if not self._shuffle:
            return np.arange(count)
        return self._rng(epoch, _BLOCKS, lane).permutation(count)

    def _first(self, epoch: int) -> int:
        """Returns where the first lane begins: the records that are left over change so."""
        over = len(self._images) - self._lanes * self._length
        return int(self._rng(epoch, _SHIFT).integers(over + 1)) if self._shuffle else 0

    def _rng(self, epoch: int, *stream: int) -> np.random.Generator:
        return np.random.default_rng((self._seed, epoch, *stream))
