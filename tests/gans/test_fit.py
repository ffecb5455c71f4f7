"""What `fit` takes and what it refuses, before anything is trained."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.gans import DCGAN, inputs
from tests import small


def fitted(data, *, expected_steps, seed=1, **options):
    gan = small.gan(seed=seed, eager=True)
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


class TwoUpdates(DCGAN):
    """Updates the discriminator twice a batch, as Goodfellow's Algorithm 1 with k = 2."""

    updates_per_batch = 2

    def train_step(self, data):
        for real in tf.split(self.real_images(data), self.updates_per_batch):
            d_logs = self.update_discriminator(self._on_fresh_fakes, real)
        g_logs = self.update_generator(self._against_judge, tf.shape(real)[0])
        return self.track(**d_logs, **g_logs)

    def _on_fresh_fakes(self, real):
        return self._judge_both(real, self.fakes(tf.shape(real)[0]))

    def _against_judge(self, count):
        return self._judge_fake(self.fakes(count))


def test_each_of_k_updates_sees_fresh_images_and_batch_size_is_that_of_an_update():
    gan = small.gan(kind=TwoUpdates, eager=True)
    seen, drawn = [], []
    judge_both, sample = gan._judge_both, gan.sample_latents
    gan._judge_both = lambda real, fake: seen.append(np.array(real)) or judge_both(real, fake)
    gan.sample_latents = lambda count: drawn.append(sample(count)) or drawn[-1]
    images = small.images(20)
    gan.fit(images, batch_size=4, verbose=0)
    assert gan.steps_done == 2  # 20 images hold two whole batches of 2 x 4
    assert [len(batch) for batch in seen] == [4] * 4
    assert len(np.unique(np.concatenate(seen), axis=0)) == 16
    assert [len(latents) for latents in drawn] == [4] * 6
    assert len(np.unique(np.concatenate(drawn), axis=0)) == 24


def test_generators_statistics_move_with_its_own_pass_in_each_of_k_updates():
    # the subclass lets k passes of the generator through; a discriminator update may not train it
    gan = small.gan(kind=TwoUpdates)
    before = small.values(gan.generator.trainable_variables)
    gan.update_discriminator(gan._on_fresh_fakes, gan.real_images(tf.constant(small.images(4))))
    assert not any(small.moved(before, gan.generator.trainable_variables))


def refused(error, match, data, *, gan=None, **options):
    gan = gan or small.gan()
    before = small.values(gan)
    with pytest.raises(error, match=match) as raised:
        gan.fit(data, verbose=0, **options)
    assert not any(small.moved(before, gan.weights)) and gan.steps_done == 0
    return str(raised.value)


@pytest.mark.parametrize("shape", [(9, 8, 8, 1), (9, 16, 16, 3), (9, 16, 16), (16, 16, 1)])
def test_a_wrong_shape_raises_before_the_first_step_and_names_both_shapes(shape):
    images = np.zeros(shape, "uint8")
    for data in (images, tf.data.Dataset.from_tensors(images)):
        message = refused(ValueError, "Expected images of shape", data)
        assert "(batch, 16, 16, 1)" in message and f"Received: {shape}" in message
        assert "ganzoo.data.load(..., image_size=16, channels=1)" in message


def test_the_shape_of_a_data_set_of_pairs_is_checked_too():
    data = tf.data.Dataset.from_tensors((np.zeros((4, 8, 8, 1), "uint8"), np.zeros(4)))
    assert "Received: (4, 8, 8, 1)" in refused(ValueError, "Expected images of shape", data)


def test_a_data_set_that_is_not_batched_raises():
    data = tf.data.Dataset.from_tensor_slices(small.images(9))
    assert "Received: (16, 16, 1)" in refused(ValueError, "(batch, 16, 16, 1)", data)


@pytest.mark.parametrize("worst", [1.2, -1.2, 255.0, np.nan, np.inf])
def test_float_images_outside_minus_1_to_1_raise_with_their_range(worst):
    images = np.zeros((8, 16, 16, 1), "float32")
    images[3, 2, 1, 0] = worst
    refused(ValueError, r"float images in \[-1, 1\]; .*Received: float values in \[", images)


@pytest.mark.parametrize("dtype", ["int64", "int8", "uint16", "bool"])
def test_integers_that_are_not_uint8_raise(dtype):
    message = refused(ValueError, "Expected uint8 images", np.zeros((8, 16, 16, 1), dtype))
    assert f"dtype {dtype}" in message


def test_too_few_images_for_one_batch_raise_with_the_remedy():
    match = r"one batch of 64 x 1 images .*Received: 9 images; give a smaller batch_size"
    refused(ValueError, match, small.images(9))
    refused(
        ValueError, "4 x 2 images", small.images(7), batch_size=4, gan=small.gan(kind=TwoUpdates)
    )
    for dtype in ("uint8", "float32"):
        refused(ValueError, "Received: 0 images", np.zeros((0, 16, 16, 1), dtype), batch_size=1)


@pytest.mark.parametrize("batch_size", [0, -3, 2.5, "8", True])
def test_a_batch_size_that_is_no_positive_whole_number_raises(batch_size):
    refused(ValueError, "batch_size", small.images(9), batch_size=batch_size)


def test_labels_of_another_length_raise():
    refused(ValueError, "9 images, 8 labels", small.images(9), y=np.zeros(8), batch_size=3)
    refused(ValueError, "9 images, 8 labels", (small.images(9), np.zeros(8)), batch_size=3)


def test_a_data_set_holds_batches_and_labels_itself():
    data = tf.data.Dataset.from_tensors(small.images(4))
    refused(ValueError, "neither batch_size nor y", data, batch_size=4)
    refused(ValueError, "neither batch_size nor y", data, y=np.zeros(4))


def test_a_data_set_of_dictionaries_raises_with_the_remedy():
    data = tf.data.Dataset.from_tensors({"image": small.images(4), "label": np.zeros(4)})
    assert 'element["image"]' in refused(TypeError, "Received elements of dict", data)


@pytest.mark.parametrize("data", ["photos/", None, [1, 2], {"x": 1}])
def test_what_is_no_array_raises_and_points_to_the_loader(data):
    refused(TypeError, "Expected an array of images or a tf.data.Dataset.*ganzoo.data.load", data)


def test_fit_passes_callbacks_and_history_on():
    ends = []
    watcher = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: ends.append(logs))
    gan = small.gan(eager=True)
    history = gan.fit(small.images(8), batch_size=4, epochs=2, callbacks=[watcher], verbose=0)
    assert sorted(history.history) == ["d_fake", "d_loss", "d_real", "g_loss"]
    assert len(history.history["d_loss"]) == len(ends) == 2
