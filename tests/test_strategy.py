import json
import types

import keras
import pytest
import tensorflow as tf
from tensorflow.python.eager import context as eager

from ganzoo import strategy
from ganzoo.cluster import cluster
from ganzoo.strategy import get_strategy, precision_scope, xla_pays


def told(task=("worker", 0), **jobs):
    """A TF_CONFIG."""
    kind, index = task
    return json.dumps({"cluster": jobs, "task": {"type": kind, "index": index}})


TWO_WORKERS = told(worker=["a:1", "b:1"])
ONE_WORKER = told(worker=["a:1"])
A_CHIEF_TOO = told(("chief", 0), chief=["a:1"], worker=["b:1"])


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    for name in ("TF_CONFIG", "TPU_NAME"):
        monkeypatch.delenv(name, raising=False)
    built = (strategy._tpu, strategy._mirrored, strategy._multi_worker)
    for one in built:
        one.cache_clear()
    yield
    for one in built:
        one.cache_clear()


def with_gpus(monkeypatch, count):
    devices = [tf.config.PhysicalDevice(f"/physical_device:GPU:{n}", "GPU") for n in range(count)]
    original = tf.config.list_physical_devices

    def listed(kind=None):
        return devices if kind == "GPU" else original(kind)

    monkeypatch.setattr(tf.config, "list_physical_devices", listed)


@pytest.fixture
def chosen(monkeypatch):
    """Makes `get_strategy` return the name of what it would have built."""
    for name in strategy._BUILDERS:
        monkeypatch.setitem(strategy._BUILDERS, name, lambda name=name: name)


def test_cpu_is_tensorflows_default_strategy():
    assert get_strategy("cpu") is tf.distribute.get_strategy()
    assert get_strategy("cpu").num_replicas_in_sync == 1


def test_cpu_beside_a_gpu_is_the_cpu(monkeypatch):
    with_gpus(monkeypatch, 1)
    assert device_of(get_strategy("cpu")).endswith("CPU:0")


def device_of(one):
    (device,) = one.extended.worker_devices
    return device.upper()


def test_gpu_is_the_first_gpu(monkeypatch):
    with_gpus(monkeypatch, 2)
    found = get_strategy("gpu")
    assert isinstance(found, tf.distribute.OneDeviceStrategy)
    assert device_of(found).endswith("GPU:0")


def test_gpu_without_a_gpu_raises_with_the_remedy():
    with pytest.raises(ValueError, match="Expected a GPU for strategy 'gpu'.*try 'cpu'"):
        get_strategy("gpu")


def test_mirrored_without_gpus_is_over_the_logical_cpus_and_always_the_same_one():
    first = get_strategy("mirrored")
    assert isinstance(first, tf.distribute.MirroredStrategy)
    assert first.num_replicas_in_sync == len(tf.config.list_logical_devices("CPU"))
    # a second one in a process mixes up the collective operations of the first
    assert get_strategy("mirrored") is first


def test_mirrored_is_over_all_gpus(monkeypatch):
    made = []
    monkeypatch.setattr(tf.distribute, "MirroredStrategy", lambda devices: made.append(devices))
    gpus = [tf.config.LogicalDevice(f"/device:GPU:{n}", "GPU") for n in range(2)]
    original = tf.config.list_logical_devices
    monkeypatch.setattr(
        tf.config, "list_logical_devices", lambda kind: gpus if kind == "GPU" else original(kind)
    )
    get_strategy("mirrored")
    assert made == [["/device:GPU:0", "/device:GPU:1"]]


@pytest.fixture
def workers(monkeypatch):
    """Replaces TensorFlow's strategy of several workers; says how it waits for them."""
    monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", lambda: "workers")
    told = {}
    context = types.SimpleNamespace(configure_coordination_service=lambda **to: told.update(to))
    monkeypatch.setattr(eager, "context", lambda: context)
    return told


@pytest.mark.parametrize(
    "config, leader, jobs",
    [
        (TWO_WORKERS, "worker", {"worker": 2}),
        (ONE_WORKER, "worker", {"worker": 1}),
        (A_CHIEF_TOO, "chief", {"chief": 1, "worker": 1}),
    ],
)
def test_multi_worker_is_tensorflows_and_waits_for_ten_minutes(
    monkeypatch, workers, config, leader, jobs
):
    monkeypatch.setenv("TF_CONFIG", config)
    assert get_strategy("multi_worker") == "workers"
    assert workers["service_leader"] == f"/job:{leader}/replica:0/task:0"
    assert workers["cluster_register_timeout_in_ms"] == 600_000
    assert workers["heartbeat_timeout_in_ms"] == 30_000
    assert {one.name: one.num_tasks for one in workers["coordinated_jobs"]} == jobs


def test_multi_worker_without_a_launcher_raises():
    with pytest.raises(ValueError, match="Expected TF_CONFIG for strategy 'multi_worker'"):
        get_strategy("multi_worker")


def test_workers_that_do_not_come_are_named(monkeypatch, workers):
    def fail():
        raise tf.errors.DeadlineExceededError(None, None, "barrier timed out")

    monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", fail)
    monkeypatch.setenv("TF_CONFIG", TWO_WORKERS)
    with pytest.raises(TimeoutError, match="Not all 2 workers.*600 s.*a:1, b:1. barrier timed"):
        get_strategy("multi_worker")


@pytest.mark.parametrize("name", ["auto", "multi_worker"])
def test_parameter_servers_in_tf_config_are_refused(monkeypatch, name):
    monkeypatch.setenv("TF_CONFIG", told(worker=["a:1", "b:1"], ps=["c:1"]))
    with pytest.raises(ValueError, match='Expected workers that train in step.*1 of "ps"'):
        get_strategy(name)


@pytest.mark.parametrize("kind", strategy.PARAMETER_SERVERS)
def test_strategies_of_parameter_servers_are_refused(kind):
    with pytest.raises(ValueError, match="Expected workers.*Received: ParameterServerStrategy"):
        get_strategy(object.__new__(kind))


@pytest.mark.parametrize(
    "task, chief",
    [(("chief", 0), True), (("worker", 0), False), (("worker", 1), False)],
)
def test_the_chief_is_the_process_of_that_job_if_there_is_one(monkeypatch, task, chief):
    monkeypatch.setenv("TF_CONFIG", told(task, chief=["a:1"], worker=["b:1", "c:1"]))
    found = cluster()
    assert (found.chief, found.count, found.addresses) == (chief, 3, ("a:1", "b:1", "c:1"))


def test_without_a_chief_the_first_worker_is(monkeypatch):
    assert cluster().chief and not cluster().count
    for index in (0, 1):
        monkeypatch.setenv("TF_CONFIG", told(("worker", index), worker=["a:1", "b:1"]))
        assert cluster().chief == (index == 0)


@pytest.mark.parametrize(
    "task, jobs, message",
    [
        (("worker", 2), {"worker": ["a:1", "b:1"]}, "to be one of its cluster.*'index': 2"),
        (("chief", 0), {"worker": ["a:1", "b:1"]}, "to be one of its cluster"),
        (("worker", None), {"worker": ["a:1", "b:1"]}, "to be one of its cluster"),
        (("worker", 0), {"worker": ["a:1"], "evaluator": ["b:1"]}, "Received: 'evaluator'"),
    ],
)
def test_a_task_that_is_none_of_the_clusters_raises(monkeypatch, task, jobs, message):
    monkeypatch.setenv("TF_CONFIG", told(task, **jobs))
    with pytest.raises(ValueError, match=message):
        get_strategy("auto")


def test_one_process_computes_where_its_strategy_does_and_is_no_several_workers():
    for one in (get_strategy("cpu"), get_strategy("mirrored")):
        assert strategy.own(one) is one and not strategy.several_workers(one)


def test_a_strategy_is_returned_as_it_is():
    mine = tf.distribute.OneDeviceStrategy("/cpu:0")
    assert get_strategy(mine) is mine


@pytest.mark.parametrize(
    "name, nearest", [("mirored", "mirrored"), ("GPU ", None), ("tpus", "tpu"), (None, None)]
)
def test_an_unknown_strategy_raises_with_the_nearest(name, nearest):
    with pytest.raises(ValueError, match="Unknown strategy") as raised:
        get_strategy(name)
    message = str(raised.value)
    assert (f"did you mean '{nearest}'" in message) == (nearest is not None)
    assert "Valid: auto, cpu, gpu, mirrored, multi_worker, tpu" in message


@pytest.mark.parametrize(
    "gpus, environment, expected",
    [
        (0, {}, "cpu"),
        (1, {}, "gpu"),
        (4, {}, "mirrored"),
        (0, {"TPU_NAME": "local"}, "tpu"),
        (2, {"TPU_NAME": "local"}, "tpu"),
        (0, {"TF_CONFIG": TWO_WORKERS}, "multi_worker"),
        (2, {"TF_CONFIG": TWO_WORKERS, "TPU_NAME": "local"}, "multi_worker"),
        (0, {"TF_CONFIG": A_CHIEF_TOO}, "multi_worker"),
        (2, {"TF_CONFIG": ONE_WORKER}, "mirrored"),
        (0, {"TF_CONFIG": "{}"}, "cpu"),
        (0, {"TF_CONFIG": "", "TPU_NAME": ""}, "cpu"),
    ],
)
def test_auto_takes_workers_then_tpu_then_gpus_then_cpu(
    monkeypatch, chosen, gpus, environment, expected
):
    with_gpus(monkeypatch, gpus)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert get_strategy("auto") == expected
    assert get_strategy() == expected


@pytest.mark.parametrize("text", ["not json", "[]", '{"cluster": 3}', '{"cluster": {"worker": 2}}'])
def test_a_broken_tf_config_raises(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match="TF_CONFIG") as raised:
        get_strategy("auto")
    assert text in str(raised.value)


def test_auto_within_a_scope_is_that_strategy():
    mine = tf.distribute.OneDeviceStrategy("/cpu:0")
    with mine.scope():
        assert get_strategy("auto") is mine


@pytest.fixture
def tpu(monkeypatch):
    """Replaces the resolver and the strategy; says with what they were called."""
    connected = []

    class Resolver:
        @staticmethod
        def connect(tpu=None):
            connected.append(tpu)
            return "resolved"

    class Strategy(tf.distribute.Strategy):
        def __init__(self, resolver):
            self.resolver = resolver

    monkeypatch.setattr(tf.distribute.cluster_resolver, "TPUClusterResolver", Resolver)
    monkeypatch.setattr(tf.distribute, "TPUStrategy", Strategy)
    monkeypatch.setenv("TPU_NAME", "local")
    return connected


def test_tpu_connects_once_by_the_resolver(tpu):
    first = get_strategy("auto")
    assert isinstance(first, tf.distribute.TPUStrategy) and first.resolver == "resolved"
    assert get_strategy("tpu") is first  # connecting once more would reset the TPU
    assert tpu == [None]  # the resolver itself reads TPU_NAME
    assert get_strategy(first) is first


@pytest.mark.parametrize(
    "error", [ValueError("no TPU_NAME"), tf.errors.NotFoundError(None, None, "no such TPU")]
)
def test_tpu_that_is_not_there_raises(tpu, monkeypatch, error):
    def connect():
        raise error

    resolver = tf.distribute.cluster_resolver.TPUClusterResolver
    monkeypatch.setattr(resolver, "connect", connect)
    with pytest.raises(ValueError, match="Expected a TPU for strategy 'tpu'.*no"):
        get_strategy("tpu")


def test_xla_does_not_pay_on_cpu():
    assert not xla_pays(tf.distribute.get_strategy())
    assert not xla_pays(get_strategy("mirrored"))
    assert not xla_pays(tf.distribute.OneDeviceStrategy("/cpu:0"))


def test_xla_pays_on_gpu_and_only_for_what_runs_there(monkeypatch):
    mirrored = get_strategy("mirrored")
    with_gpus(monkeypatch, 1)
    assert xla_pays(tf.distribute.get_strategy())
    assert xla_pays(get_strategy("gpu"))
    assert not xla_pays(get_strategy("cpu"))
    assert not xla_pays(mirrored)  # it is over CPUs


def test_a_tpu_strategy_compiles_by_itself(tpu, monkeypatch):
    with_gpus(monkeypatch, 1)
    assert not xla_pays(get_strategy("tpu"))


@pytest.mark.parametrize("precision", strategy.PRECISIONS)
def test_layers_are_built_in_the_precision_and_kerass_own_comes_back(precision):
    before = keras.config.dtype_policy()
    with precision_scope(precision):
        assert keras.layers.Dense(1).dtype_policy.name == precision
    assert keras.config.dtype_policy() == before


def test_kerass_own_precision_comes_back_after_an_error():
    with pytest.raises(KeyError), precision_scope("mixed_float16"):
        raise KeyError
    assert keras.config.dtype_policy().name == "float32"


def test_no_precision_is_kerass_own():
    with precision_scope("mixed_bfloat16"), precision_scope(None):
        assert keras.config.dtype_policy().name == "mixed_bfloat16"


def test_an_unknown_precision_raises_with_the_nearest():
    with (
        pytest.raises(ValueError, match="did you mean 'mixed_float16'"),
        precision_scope("mixed_float61"),
    ):
        pass
    assert keras.config.dtype_policy().name == "float32"
