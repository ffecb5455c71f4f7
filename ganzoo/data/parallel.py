"""Work on many items in threads, results in order, memory bounded, with a progress bar."""

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")
Result = TypeVar("Result")

_CHUNK = 32


def ordered(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    total: int,
    title: str,
    progress: bool,
) -> Iterator[tuple[Item, Result | Exception]]:
    """Yields `(item, function(item))` in the order of `items`; an exception is yielded in place.

    Pillow and zlib let go of the interpreter's lock, so threads decode in parallel. Only a few
    chunks are in flight, so that a slow reader of the results does not fill the memory.
    """

    def work(chunk):
        return [(item, _result(function, item)) for item in chunk]

    workers = os.cpu_count() or 1
    items = iter(items)
    chunks = iter(lambda: list(itertools.islice(items, _CHUNK)), [])
    # A bar for work of under a second would only be noise.
    bar = tqdm(total=total, desc=title, unit=" images", disable=not progress, delay=1)
    with bar, ThreadPoolExecutor(workers, thread_name_prefix="ganzoo-decode") as pool:
        waiting = deque()
        try:
            for chunk in chunks:
                waiting.append(pool.submit(work, chunk))
                if len(waiting) >= 4 * workers:
                    yield from _counted(waiting.popleft().result(), bar)
            while waiting:
                yield from _counted(waiting.popleft().result(), bar)
        finally:
            for future in waiting:
                future.cancel()


def _result(function, item):
    try:
        return function(item)
    except MemoryError:
        raise
    except Exception as error:  # Decoders raise many kinds; the caller decides.
        return error


def _counted(results: list, bar: tqdm) -> Iterator:
    for result in results:
        yield result
        bar.update()
