"""Where a GAN runs and in which precision: one choice for every GAN, by `tf.distribute`."""

import contextlib
import functools
import json
import os
from collections.abc import Iterator

import keras
import tensorflow as tf

from ganzoo.errors import unknown

STRATEGIES = ("auto", "cpu", "gpu", "tpu", "mirrored", "multi_worker")
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")


def get_strategy(name: str | tf.distribute.Strategy = "auto") -> tf.distribute.Strategy:
    """Returns a distribution strategy by name.

    Args:
        name: `"cpu"`, `"gpu"` (the first one), `"tpu"`, `"mirrored"` (all GPUs of this machine,
            else all logical CPUs), `"multi_worker"` (as TF_CONFIG says), or `"auto"`: several
            workers where TF_CONFIG names them, else a TPU where TPU_NAME names one, else all
            GPUs, else the CPU; within the scope of a strategy, that one. A strategy is returned
            as it is.

    Raises:
        ValueError: If the name is unknown or the device is not there.
    """
    if isinstance(name, tf.distribute.Strategy):
        return name
    if name not in STRATEGIES:
        raise unknown("strategy", name, STRATEGIES)
    if name == "auto" and tf.distribute.has_strategy():
        return tf.distribute.get_strategy()
    return _BUILDERS[_resolve(name)]()


def _resolve(name: str) -> str:
    if name != "auto":
        return name
    if _workers() > 1:
        return "multi_worker"
    if os.environ.get("TPU_NAME"):
        return "tpu"
    gpus = len(tf.config.list_physical_devices("GPU"))
    return "cpu" if not gpus else "gpu" if gpus == 1 else "mirrored"


def _workers() -> int:
    """Number of workers in TF_CONFIG, 0 where it is not set."""
    text = os.environ.get("TF_CONFIG") or "{}"
    try:
        return len(json.loads(text).get("cluster", {}).get("worker", []))
    except (ValueError, AttributeError, TypeError):
        raise ValueError(
            f"Expected TF_CONFIG as TensorFlow's guides have it. Received: {text}"
        ) from None


def _gpu() -> tf.distribute.Strategy:
    if not tf.config.list_physical_devices("GPU"):
        raise ValueError("Expected a GPU for strategy 'gpu', but TensorFlow sees none; try 'cpu'.")
    return tf.distribute.OneDeviceStrategy("/gpu:0")


def _cpu() -> tf.distribute.Strategy:
    if not tf.config.list_physical_devices("GPU"):
        return tf.distribute.get_strategy()  # the default: the CPU, with nothing in between
    return tf.distribute.OneDeviceStrategy("/cpu:0")


@functools.cache  # connecting once more would reset the TPU
def _tpu() -> tf.distribute.Strategy:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect()
    except (ValueError, tf.errors.OpError) as error:
        raise ValueError(f"Expected a TPU for strategy 'tpu', but found none: {error}") from error
    return tf.distribute.TPUStrategy(resolver)


@functools.cache  # two of them in a process mix up each other's collective operations
def _mirrored() -> tf.distribute.Strategy:
    gpus = [device.name for device in tf.config.list_logical_devices("GPU")]
    cpus = [device.name for device in tf.config.list_logical_devices("CPU")]
    return tf.distribute.MirroredStrategy(gpus or cpus)


@functools.cache
def _multi_worker() -> tf.distribute.Strategy:
    return tf.distribute.MultiWorkerMirroredStrategy()


_BUILDERS = {
    "cpu": _cpu,
    "gpu": _gpu,
    "tpu": _tpu,
    "mirrored": _mirrored,
    "multi_worker": _multi_worker,
}


def xla_pays(strategy: tf.distribute.Strategy) -> bool:
    """Whether XLA makes a training step faster: on GPU it does, on CPU it is slower by 2x.

    False for a TPU as well: its strategy compiles every step by itself.
    """
    if isinstance(strategy, tf.distribute.TPUStrategy):
        return False
    if not tf.config.list_physical_devices("GPU"):
        return False
    if not isinstance(strategy, (tf.distribute.OneDeviceStrategy, tf.distribute.MirroredStrategy)):
        return True
    return any("GPU" in device.upper() for device in strategy.extended.worker_devices)


@contextlib.contextmanager
def precision_scope(precision: str | None) -> Iterator[None]:
    """Builds layers under a dtype policy, and puts Keras's own back afterwards.

    Args:
        precision: `"float32"`, `"mixed_float16"`, `"mixed_bfloat16"`, or None for Keras's own.

    Raises:
        ValueError: If it is none of these.
    """
    if precision is None:
        yield
        return
    if precision not in PRECISIONS:
        raise unknown("precision", precision, PRECISIONS)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
