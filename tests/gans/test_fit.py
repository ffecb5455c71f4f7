"""What `fit` takes and what it refuses, before anything is trained."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.gans import inputs
from tests import small


def fitted(data, *, expected_steps, seed=1, **options):
    gan = small.gan(small.dense, seed=seed, eager=True)
    gan.fit(data, verbose=0, **options)
    assert gan.steps_done == expected_steps
    return small.values(gan)


def as_float(images):
    return (images.astype("float64") / 127.5 - 1).astype("float32")


def test_uint8_and_float_images_and_data_sets_of_them_train_alike():
    images = small.images(12)
    plain = fitted(images, batch_size=4, shuffle=False, expected_steps=3)
    labels = np.arange(12)
    batches = tf.data.Dataset.from_tensor_slices((images, labels)).batch(4)
    others = [
        fitted(as_float(images), batch_size=4, shuffle=False, expected_steps=3),
        fitted(tf.constant(images), batch_size=4, shuffle=False, expected_steps=3),
        fitted((images, labels), batch_size=4, shuffle=False, expected_steps=3),
        fitted(images, y=labels, batch_size=4, shuffle=False, expected_steps=3),
        fitted(batches, expected_steps=3),
        fitted(batches.map(lambda image, label: image), expected_steps=3),
        fitted(batches.map(lambda i, n: (tf.cast(i, tf.float32) / 127.5 - 1, n)), expected_steps=3),
    ]
    for other in others:
        for a, b in zip(plain, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_uint8_becomes_minus_1_to_1():
    images = inputs.to_float(tf.constant(np.arange(256, dtype="uint8")))
    assert images.dtype == "float32"
    np.testing.assert_allclose(images, np.linspace(-1, 1, 256), atol=1e-7)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_points_of_whole_numbers_are_taken_as_they_are(dtype):
    points = np.abs(small.points(12)).round()

    def trained(given):
        gan = small.gan(small.planar, eager=True)
        gan.fit(given, batch_size=4, verbose=0)
        return small.values(gan)

    for a, b in zip(trained(points), trained(points.astype(dtype)), strict=True):
        np.testing.assert_array_equal(a, b)
    as_float = {"image_shape": (2,), "batch_size": 4, "updates_per_batch": 1, "as_float": True}
    data, _ = inputs.training_data(points.astype(dtype), None, replicas=1, seed=None, **as_float)
    np.testing.assert_array_equal(next(iter(data)), points[:4])


def test_every_grey_level_comes_back_from_float():
    levels = np.arange(256, dtype="uint8")
    np.testing.assert_array_equal(inputs.to_uint8(inputs.to_float(tf.constant(levels))), levels)
    np.testing.assert_array_equal(inputs.to_uint8([-1.3, -1.0, 1.0, 1.7]), [0, 0, 255, 255])


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_other_float_dtypes_are_taken(dtype):
    fitted(as_float(small.images(8)).astype(dtype), batch_size=4, expected_steps=2)


def test_the_default_batch_size_is_64():
    fitted(small.images(130, size=16), expected_steps=2)


def test_a_batch_that_does_not_fill_is_trained_on_in_a_data_set():
    data = tf.data.Dataset.from_tensor_slices(small.images(10)).batch(4)
    fitted(data, expected_steps=3)


def test_endless_data_sets_take_steps_per_epoch():
    data = tf.data.Dataset.from_tensor_slices(small.images(8)).batch(4).repeat()
    fitted(data, steps_per_epoch=3, epochs=2, expected_steps=6)
    fitted(small.images(8), batch_size=4, steps_per_epoch=3, epochs=2, expected_steps=6)


def orders(count, batch_size, epochs, **options):
    """The numbers of the images in each epoch's batches."""
    images = np.zeros((count, 2, 2, 1), "uint8")
    images += np.arange(count, dtype="uint8")[:, None, None, None]
    settings = {"y": None, "image_shape": (2, 2, 1), "updates_per_batch": 1, "replicas": 1}
    data, steps = inputs.training_data(
        images, **{**settings, "batch_size": batch_size, "seed": 0, **options}
    )
    numbers = [batch.numpy()[:, 0, 0, 0] for batch in data.take(steps * epochs)]
    assert all(len(batch) == len(numbers[0]) for batch in numbers)
    return np.reshape(np.concatenate(numbers), (epochs, -1))


def test_an_epoch_shows_each_image_of_an_array_once_in_an_order_of_its_own():
    epochs = orders(20, 5, 3)
    assert (np.sort(epochs, axis=1) == np.arange(20)).all()
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert not (epochs == np.arange(20)).all(axis=1).any()
    np.testing.assert_array_equal(epochs, orders(20, 5, 3))
    assert (epochs != orders(20, 5, 3, seed=1)).any()


def test_images_that_fill_no_batch_are_left_out_and_others_each_time():
    epochs = orders(23, 5, 4)
    assert epochs.shape == (4, 20)
    assert len({tuple(sorted(set(range(23)) - set(epoch))) for epoch in epochs}) > 1


def test_without_shuffling_the_order_is_the_arrays_own():
    np.testing.assert_array_equal(orders(23, 5, 2, seed=None), [np.arange(20)] * 2)


@pytest.mark.parametrize("done", [1, 3, 4, 11])
def test_orders_go_on_where_earlier_steps_ended(done):
    whole, rest = orders(23, 5, 5).reshape(-1, 5), orders(23, 5, 2, steps_done=done).reshape(-1, 5)
    np.testing.assert_array_equal(rest, whole[done : done + 8])
    unshuffled = orders(23, 5, 2, seed=None, steps_done=done)
    np.testing.assert_array_equal(unshuffled, [np.arange(20)] * 2)


def test_calls_of_fit_see_what_a_single_one_would_across_saving(tmp_path):
    images = small.images(14)
    options = {"batch_size": 4, "verbose": 0}
    whole, parts = (small.gan(small.dense, seed=3, eager=True) for _ in range(2))
    whole.fit(images, epochs=3, **options)
    parts.fit(images, steps_per_epoch=1, **options)
    parts.fit(images, steps_per_epoch=2, **options)
    parts.save(tmp_path / "x.keras")
    parts = keras.models.load_model(tmp_path / "x.keras")
    for _ in range(2):
        parts.fit(images, **options)
    assert parts.steps_done == whole.steps_done == 9
    for a, b in zip(small.values(whole), small.values(parts), strict=True):
        np.testing.assert_array_equal(a, b)


def test_labels_stay_with_their_images():
    images = np.zeros((9, 2, 2, 1), "uint8") + np.arange(9, dtype="uint8")[:, None, None, None]
    data, steps = inputs.training_data(
        images,
        np.arange(9) * 10,
        image_shape=(2, 2, 1),
        batch_size=2,
        updates_per_batch=2,
        replicas=1,
        seed=3,
    )
    assert steps == 2
    for batch, labels in data.take(4):
        np.testing.assert_array_equal(batch[:, 0, 0, 0] * 10, labels)


def test_each_of_k_updates_sees_fresh_images_and_batch_size_is_that_of_an_update():
    gan = small.gan(discriminator_steps=2, eager=True)
    seen, drawn = [], []
    game, sample = gan.discriminator_game, gan.sample_latents
    gan.discriminator_game = lambda real, fake: seen.append(np.array(real)) or game(real, fake)
    gan.sample_latents = lambda count: drawn.append(sample(count)) or drawn[-1]
    gan.fit(small.images(20), batch_size=4, verbose=0)
    assert gan.steps_done == 2  # 20 images hold two whole batches of 2 x 4
    assert [len(batch) for batch in seen] == [4] * 4
    assert len(np.unique(np.concatenate(seen), axis=0)) == 16
    assert [len(latents) for latents in drawn] == [4] * 4
    assert len(np.unique(np.concatenate(drawn), axis=0)) == 16


def test_the_generators_statistics_move_once_in_k_updates():
    options = {"optimizer": lambda: keras.optimizers.SGD(0.0), "seed": 4}
    gan, twin = (small.gan(discriminator_steps=k, **options) for k in (3, 1))
    images = small.images(12)
    gan.train_step(tf.constant(images))
    for _ in range(2):
        twin.sample_latents(4)  # those of the two other updates
    twin.train_step(tf.constant(images[:4]))
    pairs = zip(small.statistics(gan.generator), small.statistics(twin.generator), strict=True)
    for one, other in pairs:
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("count", "nearest"), [(64, "60 or 65"), (4, "5"), (7, "5 or 10")])
def test_a_data_sets_batch_must_be_a_multiple_of_the_updates_it_holds(count, nearest):
    gan = small.gan(discriminator_steps=5, eager=True)
    data = tf.data.Dataset.from_tensors(small.images(count))
    message = f"multiple of 5.*5 discriminator updates.*of {count}; nearest: {nearest}\\."
    with pytest.raises(ValueError, match=message):
        gan.fit(data, verbose=0)
    assert gan.steps_done == 0


@pytest.mark.parametrize("eager", [False, True])
def test_a_data_set_of_unknown_batches_that_have_no_equal_parts_fails_clearly(eager):
    gan = small.gan(small.dense, discriminator_steps=2, eager=eager)
    data = tf.data.Dataset.from_tensor_slices(small.images(7)).batch(4)
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="a multiple of 2 exam"):
        gan.fit(data, verbose=0)
    assert gan.steps_done == 1


@pytest.mark.parametrize("steps", [0, 1.5, True])
def test_discriminator_steps_must_be_a_whole_number(steps):
    with pytest.raises(ValueError, match="discriminator_steps"):
        small.gan(discriminator_steps=steps)


def test_the_end_of_fit_does_not_wait_for_the_tuning_of_the_input():
    # tf.data's tuning sleeps twice as long each time: the end of fit waited as long as it had run
    data, _ = inputs.training_data(
        small.images(8, size=2),
        None,
        image_shape=(2, 2, 1),
        batch_size=4,
        updates_per_batch=1,
        replicas=1,
        seed=0,
    )
    assert data.options().autotune.enabled is False
