import inspect
import itertools
import time

import numpy as np
import pytest
import tensorflow as tf

from ganzoo.data import batches, load, open_source
from ganzoo.data.benchmark import main as benchmark
from tests import small

COUNT, SIZE = 23, 4  # Five batches of four an epoch, three images left over.
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (COUNT, 6, 6, 3), dtype=np.uint8)
OPENED = open_source((IMAGES, np.arange(COUNT)))


def take(data, count=None):
    """The first `count` batches of a data set, as arrays."""
    as_arrays = data.as_numpy_iterator()
    return list(itertools.islice(as_arrays, count))


def expected(epoch, *, seed=0, flip=False, shuffle=True):
    """The batches of an epoch, from the contract alone."""
    order = np.random.default_rng((seed, epoch)).permutation(COUNT)
    order = order if shuffle else np.arange(COUNT)
    mirrored = np.random.default_rng((seed, epoch, 1)).random(COUNT) < 0.5
    for step in range(COUNT // SIZE):
        part = slice(step * SIZE, step * SIZE + SIZE)
        pixels = IMAGES[order[part]]
        if flip:
            pixels = np.where(mirrored[part, None, None, None], pixels[:, :, ::-1], pixels)
        yield pixels.astype(np.float32) / 127.5 - 1, order[part]


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("seed", [0, 7, 2**40])
def test_epochs_are_the_seeds_permutations_and_flips(flip, shuffle, seed):
    data = batches(OPENED, batch_size=SIZE, flip=flip, shuffle=shuffle, seed=seed, labels=True)
    for epoch in range(3):
        got = take(data)
        want = list(expected(epoch, seed=seed, flip=flip, shuffle=shuffle))
        assert len(got) == len(data) == 5
        for (images, labels), (pixels, order) in zip(got, want, strict=True):
            np.testing.assert_allclose(images, pixels, atol=2e-7)
            np.testing.assert_array_equal(labels, order)


def test_the_whole_byte_range_spans_minus_one_to_one_exactly_at_the_ends():
    ramp = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    (batch,) = take(load(ramp, batch_size=1))
    np.testing.assert_allclose(batch.ravel(), np.arange(256) / 127.5 - 1, atol=2e-7)
    assert batch.min() == -1 and batch.max() == 1


@pytest.mark.parametrize("first", [0, 1, 4, 5, 7, 10, 13, 500_003])
@pytest.mark.parametrize("labels", [False, True])
def test_starting_at_a_batch_equals_skipping_those_before(first, labels):
    options = {"batch_size": SIZE, "flip": True, "repeat": True, "seed": 3, "labels": labels}
    begun = take(batches(OPENED, first_batch=first, **options), 12)
    if first < 100:
        skipped = take(batches(OPENED, **options), first + 12)[first:]
    else:
        epochs = range(first // 5, first // 5 + 4)
        skipped = [batch for epoch in epochs for batch in expected(epoch, seed=3, flip=True)]
        skipped = skipped[first % 5 : first % 5 + 12]
        skipped = skipped if labels else [images for images, _ in skipped]
    for left, right in zip(begun, skipped, strict=True):
        for a, b in zip(tf.nest.flatten(left), tf.nest.flatten(right), strict=True):
            np.testing.assert_allclose(a, b, atol=2e-7)


def test_iterating_epochs_equals_repeating_for_ever():
    options = {"batch_size": SIZE, "flip": True, "seed": 5}
    epochs = batches(OPENED, **options)
    one_by_one = [batch for _ in range(3) for batch in take(epochs)]
    for_ever = take(batches(OPENED, repeat=True, **options), 15)
    np.testing.assert_array_equal(one_by_one, for_ever)


def test_a_repeating_data_set_begins_at_the_same_batch_at_every_iteration():
    data = batches(OPENED, batch_size=SIZE, repeat=True, first_batch=3)
    np.testing.assert_array_equal(take(data, 4), take(data, 4))


def test_without_repeat_the_first_iteration_is_the_rest_of_its_epoch():
    data = batches(OPENED, batch_size=SIZE, first_batch=7)
    whole = take(batches(OPENED, batch_size=SIZE, repeat=True), 15)
    np.testing.assert_array_equal(take(data), whole[7:10])
    np.testing.assert_array_equal(take(data), whole[10:15])


def test_every_epoch_shows_each_image_at_most_once_and_has_an_order_of_its_own():
    data = batches(OPENED, batch_size=SIZE, labels=True)
    epochs = [np.concatenate([labels for _, labels in take(data)]) for _ in range(6)]
    assert all(len(set(epoch)) == 20 for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 6
    assert set(np.concatenate(epochs)) == set(range(COUNT))  # The left over differ.


def test_seeds_differ_and_repeat():
    first, again, other = (take(load(IMAGES, batch_size=SIZE, seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (np.array(first) != np.array(other)).any()


def test_half_of_the_images_are_mirrored_each_by_itself():
    ramp = np.tile(np.arange(8, dtype=np.uint8), (4000, 8, 1))[..., None]
    (batch,) = take(load(ramp, batch_size=4000, flip=True))
    mirrored = batch[:, 0, 0, 0] > batch[:, 0, -1, 0]
    assert 0.46 < mirrored.mean() < 0.54
    assert (batch[:, 0, 0, 0] != batch[:, 0, -1, 0]).all()


def test_mirroring_leaves_the_source_alone():
    before = IMAGES.copy()
    take(load(IMAGES, batch_size=COUNT, flip=True, shuffle=False))
    np.testing.assert_array_equal(IMAGES, before)


@pytest.mark.parametrize("repeat", [False, True])
def test_shapes_and_types_are_static(repeat):
    data = batches(OPENED, batch_size=SIZE, labels=True, repeat=repeat)
    assert data.element_spec == (
        tf.TensorSpec((SIZE, 6, 6, 3), tf.float32),
        tf.TensorSpec((SIZE,), tf.int32),
    )
    size = data.cardinality().numpy()
    assert size == (tf.data.INFINITE_CARDINALITY if repeat else 5)


def test_a_memory_map_is_served_as_an_array_is(write):
    root, written = write(*(f"{number}.png" for number in range(9)))
    opened = open_source(root)
    assert isinstance(opened.images, np.memmap)
    options = {"batch_size": 4, "flip": True, "seed": 2}
    images = np.array([written[name] for name in sorted(written)])
    np.testing.assert_array_equal(take(batches(opened, **options)), take(load(images, **options)))


def test_load_takes_every_option_of_its_two_halves():
    names = set(inspect.signature(load).parameters)
    opening = set(inspect.signature(open_source).parameters)
    serving = set(inspect.signature(batches).parameters)
    serving -= {"images", "first_batch", "repeat", "share"}
    assert names == opening | serving
    for half in (open_source, batches):
        for name, parameter in inspect.signature(half).parameters.items():
            if name in names and parameter.default is not parameter.empty:
                assert inspect.signature(load).parameters[name].default == parameter.default


def test_load_opens_and_serves(write):
    root, _ = write(*(f"{kind}/{number}.png" for kind in "ab" for number in range(4)))
    (batch,) = take(load(root, image_size=5, channels=1, batch_size=8, labels=True))
    assert batch[0].shape == (8, 5, 5, 1)
    assert sorted(batch[1]) == [0] * 4 + [1] * 4


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"batch_size": 24}, ValueError, "23 images: too few for one batch of 24"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1"),
        ({"batch_size": 4.0}, TypeError, "batch_size must be a whole number"),
        ({"batch_size": 4, "seed": -1}, ValueError, "seed must be at least 0"),
        ({"batch_size": 4, "image_size": 0}, ValueError, "image_size must be at least 1"),
        ({"batch_size": 4, "labels": True}, ValueError, "no labels, and labels=True"),
        ({"batch_size": 4, "split": "tarin"}, ValueError, "did you mean 'train'"),
    ],
)
def test_wrong_arguments_raise_before_anything_is_served(options, error, message):
    with pytest.raises(error, match=message):
        load(IMAGES, **options)


def test_only_opened_images_are_served():
    with pytest.raises(TypeError, match="open_source. Received: ndarray"):
        batches(IMAGES, batch_size=4)


def test_first_batch_must_be_a_count():
    with pytest.raises(ValueError, match="first_batch must be at least 0"):
        batches(OPENED, batch_size=4, first_batch=-1)


def test_keras_fit_sees_a_new_epoch_each_time():
    import keras

    seen = []

    class Recorder(keras.Model):
        def __init__(self):
            super().__init__()
            self.weight = self.add_weight(shape=())

        def call(self, images):
            return images * self.weight

        def train_step(self, data):
            seen.append(data.numpy())
            return {"loss": self.weight}

    model = Recorder()
    model.compile(run_eagerly=True)
    data = load(IMAGES, batch_size=SIZE)
    model.fit(data, epochs=3, shuffle=False, verbose=0)
    epochs = [seen[5 * number : 5 * number + 5] for number in range(3)]
    assert len(seen) == 15
    assert len({np.array(epoch).tobytes() for epoch in epochs}) == 3


REPLICAS = """
import numpy as np, tensorflow as tf
from ganzoo.data import batches, open_source
images = np.random.default_rng(0).integers(0, 256, (23, 6, 6, 3), dtype=np.uint8)
opened = open_source((images, np.arange(23)))
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
for repeat in (False, True):
    def data():
        return batches(opened, batch_size=4, flip=True, labels=True, repeat=repeat)
    whole = [tf.nest.map_structure(np.asarray, b) for b in data().take(5).as_numpy_iterator()]
    count = 0
    for halves, (pixels, labels) in zip(strategy.experimental_distribute_dataset(data()), whole):
        parts = [strategy.experimental_local_results(part) for part in halves]
        assert all(part.shape == (2, 6, 6, 3) for part in parts[0]), parts
        np.testing.assert_array_equal(np.concatenate(parts[0]), pixels)
        np.testing.assert_array_equal(np.concatenate(parts[1]), labels)
        count += 1
    assert count == 5
policy = data().options().experimental_distribute.auto_shard_policy
assert policy == tf.data.experimental.AutoShardPolicy.DATA
print(strategy.num_replicas_in_sync)
"""


def test_two_replicas_split_the_global_batch():
    assert small.run_on_two_cpus(REPLICAS) == 2


def test_the_warm_pipeline_is_far_faster_than_training():
    images = open_source(RNG.integers(0, 256, (4096, 64, 64, 3), dtype=np.uint8))
    data = batches(images, batch_size=64, flip=True, repeat=True)
    take(data, 5)
    start = time.perf_counter()
    take(data, 50)
    rate = 50 * 64 / (time.perf_counter() - start)
    assert rate > 3 * 100  # What DCGAN-64 consumes on two cores is some 100 images a second.


def test_the_benchmark_prints_its_rates(write, capsys, home):
    root, _ = write(*(f"{number}.png" for number in range(8)))
    benchmark([str(root), "--image_size=4", "--batch_size=4", "--images=16"])
    printed = capsys.readouterr().out
    assert "8 of 4x4x3" in printed
    assert printed.count("images/s") == 2
    assert not home.exists()  # It measures in a cache of its own.


@pytest.mark.parametrize("repeat", [True, False])
def test_the_end_of_a_run_does_not_wait_for_the_tuning_of_the_input(repeat):
    # tf.data's tuning sleeps twice as long each time: the end of fit waited as long as it had run
    data = batches(OPENED, batch_size=4, repeat=repeat)
    assert data.options().autotune.enabled is False
