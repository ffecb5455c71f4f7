"""Measures the input pipeline alone: `python -m ganzoo.data.benchmark SOURCE --image_size=64`.

Prints how many images a second are decoded into an empty cache, how long the cached source takes to
open, and how many images a second the warm pipeline delivers.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Sequence

from ganzoo.data.images import Images
from ganzoo.data.pipeline import batches
from ganzoo.data.sources import open_source


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the measurement and prints its three figures."""
    parser = argparse.ArgumentParser(prog="python -m ganzoo.data.benchmark", description=__doc__)
    parser.add_argument("source", help="as for ganzoo.data.load: a name or a path")
    parser.add_argument("--image_size", type=int, help="side of the decoded images")
    parser.add_argument("--batch_size", type=int, default=64, help="images in a batch (64)")
    parser.add_argument("--data_dir", help="folder searched for names")
    parser.add_argument("--split", default="train", help="split to read (train)")
    parser.add_argument("--crop", type=int, help="centre crop before resizing")
    parser.add_argument("--images", type=int, default=50_000, help="images to deliver in one run")
    options = vars(parser.parse_args(argv))
    batch_size, count = options.pop("batch_size"), options.pop("images")
    images, cold, warm = measure_opening(**options)
    print(f"{images}")
    print(f"decode into an empty cache   {len(images) / cold:12,.0f} images/s   {cold:8.2f} s")
    print(f"open again                                            {warm:8.2f} s")
    rates = [measure_pipeline(images, batch_size, count) for _ in range(3)]
    rate = statistics.median(rates)
    print(f"gather, flip, scale, batch   {rate:12,.0f} images/s   (median of {len(rates)})")


def measure_opening(source: str, **options) -> tuple[Images, float, float]:
    """Returns the images, and the seconds it took to decode them and to open them again."""
    before = os.environ.get("GANZOO_HOME")
    with tempfile.TemporaryDirectory() as home:
        os.environ["GANZOO_HOME"] = home  # The user's own cache stays as it is.
        try:
            start = time.perf_counter()
            open_source(source, progress=False, **options)
            middle = time.perf_counter()
            images = open_source(source, progress=False, **options)
            return images, middle - start, time.perf_counter() - middle
        finally:
            if before is None:
                del os.environ["GANZOO_HOME"]
            else:
                os.environ["GANZOO_HOME"] = before


def measure_pipeline(images: Images, batch_size: int, count: int) -> float:
    """Returns the images a second that `batches` delivers, shuffled and flipped."""
    steps = max(1, count // batch_size)
    data = batches(images, batch_size=batch_size, flip=True, repeat=True).take(steps + 20)
    start = 0.0
    for step, _ in enumerate(data, 1):
        if step == 20:  # The first ones fill the queues and warm the map.
            start = time.perf_counter()
    return steps * batch_size / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
