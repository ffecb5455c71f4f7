"""What a step costs in time and memory, as functions of image size, width, batch and replicas.

Steps of DCGANs of several sizes are timed here on one thread, by the processor's own clock, so that
other work counts little; a plane through their times gives seconds a multiply-add and seconds a
step. Batches that grow give bytes of memory an activation, and the pipeline its rates.
docs/scale.md states the model; the table for accelerators is reckoned from their published peaks
and from nothing that ran on them.

    python benchmarks/scale.py
    python benchmarks/scale.py --out=benchmarks/results/scale.md --rounds=5
"""

import math
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import command
import numpy as np
from absl import flags
from command import say

# image side, width, batch
STEPS = ((32, 16, 16), (32, 32, 32), (64, 16, 16), (64, 16, 32), (64, 32, 16))
MEMORY = ((64, 16, 16), (64, 16, 64), (64, 16, 128))
ADAM = 2  # moments a weight
PASSES = 10  # times that an activation is read or written in a step: assumed


class Machine(NamedTuple):
    """Published peaks: of a device in multiply-adds and bytes a second, of its link, its memory."""

    name: str
    devices: int
    multiply_adds: float
    bandwidth: float
    link: float
    memory: float


# A100 SXM 40 GB: 312 TFLOP/s bfloat16, 1,555 GB/s, NVLink 300 GB/s each way.
# TPU v4: 275 TFLOP/s bfloat16, 1,200 GB/s, 32 GB; six links of 50 GB/s.
MACHINES = (
    Machine("8 A100", 8, 156e12, 1555e9, 300e9, 40e9),
    Machine("TPU v4-8", 4, 137.5e12, 1200e9, 300e9, 32e9),
)
# image side, width, batch a device
PREDICTED = ((64, 64, 128), (64, 128, 256), (128, 64, 128))


class Sizes(NamedTuple):
    """What the costs depend on: multiply-adds and activations an image, weights of G and D."""

    multiply_adds: int
    activations: int
    generator: int
    discriminator: int

    @property
    def exchanged(self) -> int:
        """Bytes of gradients that each replica gives in a step."""
        return 4 * (self.generator + self.discriminator)

    @property
    def kept(self) -> int:
        """Bytes of weights, moving average, Adam's moments and gradients."""
        return 4 * ((3 + ADAM) * self.generator + (2 + ADAM) * self.discriminator)


def define(values: flags.FlagValues) -> None:
    """Adds the flags of this benchmark."""
    flags.DEFINE_integer("rounds", 3, "NUMBER of timed rounds.", 1, flag_values=values)
    flags.DEFINE_integer("images", 2048, "NUMBER of images for the input.", 64, flag_values=values)
    flags.DEFINE_string("out", None, "FILE for the tables.", flag_values=values)


def main(arguments: Sequence[str]) -> None:
    """Measures and reports."""
    options = command.parse(__doc__, define, arguments)
    command.warn_if_busy()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    found = {"memory": memory(), "steps": steps(options.rounds), "matmul": matmul_rate()}
    found["input"] = inputs(options.images)
    lines = report(found)
    if options.out:
        Path(options.out).write_text("\n".join(lines) + "\n")
    command.finish(options, lines, found)


def networks(side: int, width: int) -> Any:
    """Returns a compiled DCGAN and its `Sizes`."""
    import multiply_adds

    from ganzoo.gans import DCGAN
    from ganzoo.networks.dcgan import dcgan_discriminator, dcgan_generator

    shape = (side, side, 3)
    gan = DCGAN(
        dcgan_generator(shape, latent_dim=100, width=width),
        dcgan_discriminator(shape, width=width),
        latent_dim=100,
    )
    gan.compile()
    players = (gan.generator, gan.discriminator)
    count = [sum(math.prod(v.shape) for v in one.trainable_variables) for one in players]
    # real and generated images, and generated ones again
    passes = zip(players, (1, 3), strict=True)
    values = sum(n * outputs(network) for network, n in passes)
    return gan, Sizes(multiply_adds.step(*players).all, values, *count)


def outputs(network: Any) -> int:
    """Returns the number of values that a network's layers give for an image."""
    shapes = (layer.output.shape[1:] for layer in network.layers)
    return sum(math.prod(shape) for shape in shapes)


def batch_of(side: int, batch: int) -> np.ndarray:
    """Returns images of noise in [-1, 1]."""
    shape = (batch, side, side, 3)
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


def step_seconds(gan: Any, images: np.ndarray, rounds: int) -> float:
    """Returns the median seconds of a compiled step."""
    import tensorflow as tf

    data = iter(tf.data.Dataset.from_tensors(images).repeat())
    step = gan.make_train_function() or gan.train_function
    step(data)
    times = []
    for _ in range(rounds):
        start = time.process_time()
        step(data)
        times.append(time.process_time() - start)
    return median(times)


def steps(rounds: int) -> list[dict[str, Any]]:
    """Times steps of all `STEPS`."""
    found = []
    for side, width, batch in STEPS:
        gan, sizes = networks(side, width)
        seconds = step_seconds(gan, batch_of(side, batch), rounds)
        say(f"{side} px, width {width}, batch {batch}: {seconds * 1e3:.0f} ms a step")
        work = {"work": batch * sizes.multiply_adds, "values": batch * sizes.activations}
        found.append({"side": side, "width": width, "batch": batch, "seconds": seconds, **work})
    return found


def memory() -> dict[str, float]:
    """Returns how many bytes of memory an activation takes, by batches that grow."""
    peaks, values = [], []
    for side, width, batch in MEMORY:
        gan, sizes = networks(side, width)
        step_seconds(gan, batch_of(side, batch), 2)
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
        values.append(batch * sizes.activations)
    slope = (peaks[-1] - peaks[0]) / (values[-1] - values[0])
    say(f"{slope:.1f} bytes an activation")
    return {"bytes": slope}


def matmul_rate() -> float:
    """Returns the multiply-adds a second of large products, float32."""
    import tensorflow as tf

    a = tf.random.normal((1024, 1024))
    tf.matmul(a, a)
    times = []
    for _ in range(5):
        start = time.process_time()
        tf.matmul(a, a).numpy()
        times.append(time.process_time() - start)
    return 1024**3 / median(times)


def inputs(count: int) -> dict[str, float]:
    """Returns images of 64x64x3 a second of a thread: from the map, and JPEGs, streamed."""
    import io

    import tensorflow as tf
    from PIL import Image

    from ganzoo import data

    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    rates = {}
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/images.npy", np.repeat(np.repeat(coarse, 8, 1), 8, 2))
        with tf.io.TFRecordWriter(f"{folder}/images.tfrecord") as file:
            for one in coarse:
                encoded = io.BytesIO()
                Image.fromarray(one).resize((64, 64)).save(encoded, "JPEG", quality=90)
                kept = tf.train.BytesList(value=[encoded.getvalue()])
                features = {"image": tf.train.Feature(bytes_list=kept)}
                example = tf.train.Example(features=tf.train.Features(feature=features))
                file.write(example.SerializeToString())
        sources = {
            "map": data.open_source(np.load(f"{folder}/images.npy", mmap_mode="r")),
            "stream": data.open_source(f"{folder}/images.tfrecord", stream=True),
        }
        for name, images in sources.items():
            batches = iter(data.batches(images, batch_size=64, flip=True, repeat=True))
            start, number = time.process_time(), 2 * (count // 64)
            for _ in range(number):
                next(batches)
            # what is prefetched has been worked for too
            rates[name] = 64 * number / (time.process_time() - start)
            say(f"input, {name}: {rates[name]:,.0f} images a second")
    return rates


def fitted(measured: list[dict[str, Any]]) -> tuple[float, float]:
    """Returns seconds a multiply-add and seconds a step: least squares of relative errors."""
    times = np.array([one["seconds"] for one in measured])
    terms = np.array([[one["work"], 1.0] for one in measured]) / times[:, None]
    scale = np.abs(terms).max(axis=0)
    found = np.linalg.lstsq(terms / scale, np.ones(len(times)), rcond=None)[0] / scale
    return float(found[0]), max(float(found[1]), 0.0)


def predicted(
    machine: Machine, sizes: Sizes, batch: int, *, share: float, kept: float
) -> dict[str, float]:
    """Returns what the model says of a machine.

    Args:
        machine: Its published peaks.
        sizes: Of the GAN.
        batch: Images a device.
        share: Of the peak of multiply-adds that a step reaches.
        kept: Bytes of memory an activation.

    Returns:
        Images a second of all devices, the share of time that the exchange takes, and bytes of
        memory a device.
    """
    compute = batch * sizes.multiply_adds / (share * machine.multiply_adds)
    # activations in bfloat16
    traffic = batch * sizes.activations * 2 * PASSES / machine.bandwidth
    count = machine.devices
    exchange = 2 * (count - 1) / count * sizes.exchanged / machine.link
    seconds = max(compute, traffic) + exchange
    return {
        "rate": batch * count / seconds,
        "exchange": exchange / seconds,
        "memory": sizes.kept + kept * batch * sizes.activations,
    }


def report(found: dict[str, Any]) -> list[str]:
    """Returns the tables."""
    a, c = fitted(found["steps"])
    # activations of half the bytes
    reached = {"share": 1 / a / found["matmul"], "kept": found["memory"]["bytes"] / 2}
    rows = [
        (
            f"{one['side']} px, width {one['width']}, batch {one['batch']}",
            f"{one['seconds'] * 1e3:.0f}",
            f"{(a * one['work'] + c) * 1e3:.0f}",
            f"{one['batch'] / one['seconds']:.0f}",
        )
        for one in found["steps"]
    ]
    predictions = []
    for machine in MACHINES:
        for side, width, batch in PREDICTED:
            told = predicted(machine, networks(side, width)[1], batch, **reached)
            predictions.append(
                (
                    f"{machine.name}: {side} px, width {width}, {batch} a device",
                    f"{told['rate']:,.0f}",
                    f"{told['exchange']:.0%}",
                    f"{told['memory'] / 1e9:.1f}",
                    f"{told['rate'] / found['input']['stream']:.0f}",
                )
            )
    return [
        "# What a step costs",
        "",
        f"Measured on one thread of {command.described()}, in its own seconds.",
        "By `python benchmarks/scale.py`.",
        "",
        command.table(
            ("DCGAN", "ms measured", "ms by the model", "images a thread and second"), rows
        ),
        "",
        f"- Compute: {a * 1e12:.2f} ps a multiply-add, {reached['share']:.2f} of the rate of large "
        f"matrix products here ({found['matmul'] / 1e9:.1f} G multiply-adds/s); "
        f"{c * 1e3:.1f} ms a step beside.",
        f"- Memory: {found['memory']['bytes']:.1f} bytes an activation of the batch.",
        f"- Input, 64x64x3: {found['input']['map']:,.0f} images/s from the memory map, "
        f"{found['input']['stream']:,.0f} streamed from JPEGs in TFRecords, a thread.",
        "",
        "Prediction, not measured: from published peaks in bfloat16, with the share of the peak "
        "that is reached here. Networks this small reach less, so these are upper bounds.",
        "",
        command.table(
            ("prediction", "images/s at most", "exchange", "GB a device", "streaming threads"),
            predictions,
        ),
    ]


if __name__ == "__main__":
    command.run(main)
