"""Where a GAN runs and in which precision: one choice for every GAN, by `tf.distribute`."""

import contextlib
import functools
import os
from collections.abc import Iterator

import keras
import tensorflow as tf

from ganzoo.cluster import REFUSED, Cluster, cluster
from ganzoo.errors import unknown

STRATEGIES = ("auto", "cpu", "gpu", "tpu", "mirrored", "multi_worker")
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
START_SECONDS = 600
"""How long workers wait for each other when they start."""
SILENT_SECONDS = 30
"""How long a worker may be silent until the others end; a process that dies is missed at once."""
PARAMETER_SERVERS = (
    tf.distribute.ParameterServerStrategy,
    tf.distribute.experimental.ParameterServerStrategy,
    tf.compat.v1.distribute.experimental.ParameterServerStrategy,
)


def get_strategy(name: str | tf.distribute.Strategy = "auto") -> tf.distribute.Strategy:
    """Returns a distribution strategy by name.

    Args:
        name: `"cpu"`, `"gpu"` (the first one), `"tpu"`, `"mirrored"` (all GPUs of this machine,
            else all logical CPUs), `"multi_worker"` (as TF_CONFIG says), or `"auto"`: several
            workers where TF_CONFIG names them, else a TPU where TPU_NAME names one, else all
            GPUs, else the CPU; within the scope of a strategy, that one. A strategy is returned
            as it is. `"multi_worker"` has to be asked for before TensorFlow computes anything, and
            returns once all workers have started.

    Raises:
        ValueError: If the name is unknown, the device is not there, TF_CONFIG is no cluster of
            workers, or parameter servers are asked for, in TF_CONFIG or by their strategy.
        TimeoutError: If not all workers start within `START_SECONDS`.
    """
    if isinstance(name, PARAMETER_SERVERS):
        raise ValueError(f"{REFUSED} Received: {type(name).__name__}.")
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
    if cluster().count > 1:
        return "multi_worker"
    if os.environ.get("TPU_NAME"):
        return "tpu"
    gpus = len(tf.config.list_physical_devices("GPU"))
    return "cpu" if not gpus else "gpu" if gpus == 1 else "mirrored"


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
    found = cluster()
    if not found.count:
        raise ValueError(
            "Expected TF_CONFIG for strategy 'multi_worker', as a launcher sets it for each "
            "process. Received: none; docs/scale.md has examples, and 'mirrored' takes all GPUs of "
            "one machine."
        )
    _bound_waiting(found)
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (tf.errors.OpError, OSError) as error:
        raise TimeoutError(
            f"Not all {found.count} workers of TF_CONFIG could be reached within "
            f"{START_SECONDS} s, or one ended as it started: {', '.join(found.addresses)}. "
            f"{str(error).strip().partition(chr(10))[0]}"
        ) from error


def _bound_waiting(found: Cluster) -> None:
    """Sets how long to wait for workers that do not come, or that no longer answer.

    TensorFlow's strategy leaves the first to a default of an hour, and has no public option.
    """
    from tensorflow.compiler.xla.tsl.protobuf import coordination_config_pb2 as messages
    from tensorflow.python.eager import context

    jobs = [messages.CoordinatedJob(name=job, num_tasks=n) for job, n in found.jobs.items()]
    context.context().configure_coordination_service(
        service_type="standalone",
        service_leader=f"/job:{found.leader}/replica:0/task:0",
        cluster_register_timeout_in_ms=1000 * START_SECONDS,
        heartbeat_timeout_in_ms=1000 * SILENT_SECONDS,
        coordinated_jobs=jobs,
    )


_BUILDERS = {
    "cpu": _cpu,
    "gpu": _gpu,
    "tpu": _tpu,
    "mirrored": _mirrored,
    "multi_worker": _multi_worker,
}


def several_workers(strategy: tf.distribute.Strategy) -> bool:
    """Whether a strategy is over several processes, each of which runs the same program."""
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return False
    return strategy.num_replicas_in_sync > len(strategy.extended.worker_devices)


def own(strategy: tf.distribute.Strategy) -> tf.distribute.Strategy:
    """Returns where one process computes by itself: TensorFlow's default where others are around.

    Under a strategy of several workers even a new variable is a talk between all of them.
    """
    if not several_workers(strategy):
        return strategy
    return tf.distribute.OneDeviceStrategy(strategy.extended.worker_devices[0])


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
