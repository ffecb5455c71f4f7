"""The semi-supervised GAN of Salimans et al. 2016, section 5, against NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import data
from ganzoo.gans import inputs, labelled
from ganzoo.gans.semi_supervised import SGAN
from ganzoo.layers.weight_normalization import awaits_data
from ganzoo.metrics.test_errors import test_errors as errors_of
from ganzoo.networks.mlp import mlp_discriminator, mlp_generator
from tests import small
from tests.gans import few_labels
from tests.gans.few_labels import batch, gan, images, labels, plain_networks


def tensors(examples):
    return tf.nest.map_structure(tf.constant, examples)


def hidden(made, shown):
    kernel, bias = (np.array(v, "float64") for v in made.discriminator.get_layer("hidden").weights)
    return np.tanh(shown.reshape(len(shown), -1) @ kernel + bias)


def class_logits(made, shown):
    kernel, bias = (np.array(v, "float64") for v in made.discriminator.get_layer("logits").weights)
    return hidden(made, shown) @ kernel + bias


LOGS = {"d_loss": tf.zeros(())}


def sgd():
    return keras.optimizers.SGD(0.1)


# the games


def test_d_is_z_over_z_plus_1_the_probability_of_being_none_of_k_plus_1_classes_generated():
    made, shown = gan(plain_networks), images(5)
    logits = class_logits(made, shown)
    z = np.exp(logits).sum(axis=1, keepdims=True)
    found = np.array(made.output(made.judge(tf.constant(shown))))
    np.testing.assert_allclose(found, z / (z + 1), rtol=1e-5)
    with_generated = np.concatenate([logits, np.zeros((5, 1))], axis=1)
    softmax = np.exp(with_generated) / np.exp(with_generated).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found[:, 0], 1 - softmax[:, -1], rtol=1e-5)


@pytest.mark.parametrize("weight", [0.0, 0.5, 2.0])
def test_the_discriminators_loss_is_supervised_plus_weighted_unsupervised(weight):
    made = gan(plain_networks, unlabelled_weight=weight)
    (shown, known), fake = batch(8), images(4, seed=1)
    loss, logs = made.discriminator_game(tensors((shown, known)), tf.constant(fake))
    logits = class_logits(made, shown[::2])
    chosen = logits[np.arange(4), known[::2]]
    supervised = np.mean(np.log(np.exp(logits).sum(1)) - chosen)
    z_real, z_fake = (np.exp(class_logits(made, one)).sum(1) for one in (shown[1::2], fake))
    unsupervised = -np.mean(np.log(z_real / (z_real + 1))) - np.mean(np.log(1 / (z_fake + 1)))
    assert float(loss) == pytest.approx(supervised + weight * unsupervised, rel=1e-5)
    assert float(logs["class_loss"]) == pytest.approx(supervised, rel=1e-5)
    right = logits.argmax(1) == known[::2]
    assert float(logs["class_accuracy"]) == pytest.approx(right.mean())
    assert float(logs["d_real"]) == pytest.approx(np.mean(z_real / (z_real + 1)), rel=1e-5)


def test_labelled_images_are_found_wherever_they_stand():
    made, (shown, known) = gan(plain_networks), batch(8)
    order = np.random.default_rng(1).permutation(8)
    for turned in (np.arange(8), order):
        first, found, second = made.halves(tensors((shown[turned], known[turned])))
        expected = [row for row in turned if row % 2 == 0], [row for row in turned if row % 2]
        np.testing.assert_array_equal(first, shown[expected[0]])
        np.testing.assert_array_equal(found, known[expected[0]])
        np.testing.assert_array_equal(second, shown[expected[1]])


def test_the_class_loss_is_the_mean_over_those_that_have_a_label():
    made, (shown, known) = gan(plain_networks), batch(12)
    known[2:] = -1  # one of the half that is classified
    real, fake = tensors((shown, known)), tf.constant(images(6))
    _, logs = made.discriminator_game(real, fake)
    logits = class_logits(made, shown[:1])[0]
    expected = np.log(np.exp(logits).sum()) - logits[known[0]]
    assert float(logs["class_loss"]) == pytest.approx(expected, rel=1e-5)
    _, logs = made.discriminator_game((real[0], tf.fill((12,), -1)), fake)
    assert float(logs["class_loss"]) == float(logs["class_accuracy"]) == 0


def test_the_generator_matches_mean_features_of_unlabelled_images():
    made, (shown, known), fake = gan(plain_networks), batch(8), images(4, seed=1)
    assert made.layer == "hidden"
    apart = hidden(made, shown[1::2]).mean(0) - hidden(made, fake).mean(0)
    loss, _ = made.generator_game(tensors((shown, known)), tf.constant(fake))
    assert float(loss) == pytest.approx(np.square(apart).sum(), rel=1e-4)


def test_the_features_are_those_before_the_last_noise():
    made = gan(options={"noise": 0.5})
    assert made.layer == "hidden2_relu"
    assert float(tf.reduce_min(made.features(tf.constant(images(8))))) == 0


def test_a_step_moves_each_player_by_its_own_game():
    made = gan(eager=True)
    before = small.values(made.discriminator), small.values(made.generator)
    fake = made.fakes(tensors(batch()))
    assert fake.shape == (4, *few_labels.SHAPE)
    real = tensors(batch())
    made.update_generator(lambda: made.generator_game(real, made.fakes(real)))
    assert any(small.moved(before[1], made.generator))
    assert not any(small.moved(before[0], made.discriminator))
    before = before[0], small.values(made.generator)
    made.update_discriminator(made.discriminator_game, real, fake)
    assert not any(small.moved(before[1], made.generator))
    assert any(small.moved(before[0], made.discriminator))


def test_a_weight_of_0_leaves_a_classifier_of_labelled_images_alone():
    made = gan(plain_networks, unlabelled_weight=0.0, optimizer=sgd, eager=True)
    alone = keras.models.clone_model(made.discriminator)
    alone.set_weights(made.discriminator.get_weights())
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    alone.compile(sgd(), loss, run_eagerly=True)
    shown, known = batch()
    alone.fit(shown[::2], known[::2], shuffle=False, verbose=0)
    made.train_step(tensors((shown, known)))
    for a, b in zip(small.values(alone), small.values(made.discriminator), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_parts_of_a_batch_share_noise_and_steps_do_not():
    made = gan(options={"noise": 0.5})
    same = tf.constant(np.repeat(images(1), 4, axis=0))
    first, second = (np.array(one) for one in made.trained_logits(same, same))
    np.testing.assert_allclose(first, second, atol=1e-6)
    assert np.abs(first[0] - first[1]).max() > 1e-3
    (third,) = made.trained_logits(same)
    assert np.abs(first - np.array(third)).max() > 1e-3


# the classifier


def test_images_are_classified_by_the_average_without_noise():
    made = gan(options={"noise": 0.5}, eager=True, classifier_decay=0.9)
    start = small.values(made.discriminator_ema)
    made.train_step(tensors(batch()))
    decay = 0.1  # (1 + steps) / (10 + steps) at the first step
    ends = zip(start, small.values(made.discriminator), strict=True)
    expected = [before + (1 - decay) * (after - before) for before, after in ends]
    for a, b in zip(expected, small.values(made.discriminator_ema), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    logits = np.array(made.discriminator_ema(images(7)))
    np.testing.assert_array_equal(made.classify(images(7)), logits.argmax(1))
    chances = made.classify(images(7), probabilities=True)
    np.testing.assert_allclose(chances, np.array(tf.nn.softmax(logits)), atol=1e-5)
    assert set(made.networks) == {*gan().networks} > {"discriminator_ema"}


def test_errors_are_counted():
    made = gan()
    truth = made.classify(images(9))
    assert errors_of(made, images(9), truth) == 0
    assert errors_of(made, images(9), np.where(np.arange(9) < 4, truth + 1, truth)) == 4
    with pytest.raises(ValueError, match="Received: 9 images, labels of shape \\(8,\\)"):
        errors_of(made, images(9), truth[:8])
    with pytest.raises(TypeError, match="classifies images. Received: DCGAN"):
        errors_of(small.gan(), images(9), truth)


def test_few_labels_and_the_shape_of_the_data_give_the_classes():
    centres = np.array([[2.0, 0.0], [-2.0, 0.0], [0.0, 2.0]], "float32")
    truth = np.arange(300) % 3
    points = centres[truth] + np.random.default_rng(0).normal(0, 0.3, (300, 2)).astype("float32")
    keras.utils.set_random_seed(0)
    networks = mlp_generator((2,), latent_dim=2, width=16), mlp_discriminator((2,), outputs=3)
    made = SGAN(*networks, latent_dim=2, classes=["right", "left", "top"])
    made.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(3e-3))
    made.fit(points, np.where(np.arange(300) < 3, truth, -1), batch_size=30, epochs=12, verbose=0)
    assert errors_of(made, points, truth) <= 15
    assert made.class_names == ("right", "left", "top")


# data


def test_fit_takes_arrays_where_minus_one_is_no_label():
    made, seen = gan(plain_networks, eager=True), []
    made.train_step = lambda examples: seen.append(examples) or LOGS
    made.fit(images(24), labels(24, known=6), batch_size=4, epochs=2, verbose=0)
    assert len(seen) == 12
    every = images(24)
    order = {one.tobytes(): row for row, one in enumerate(every)}
    rows = np.array([[order[one.numpy().tobytes()] for one in shown] for shown, _ in seen])
    found = np.array([one.numpy() for _, one in seen])
    np.testing.assert_array_equal(found[:, ::2], (np.arange(24) % 3)[rows[:, ::2]])
    assert (found[:, 1::2] == -1).all()
    epochs = rows[:, 1::2].reshape(2, 24)
    assert all(set(one) == set(range(24)) for one in epochs) and (epochs[0] != epochs[1]).any()
    rounds = rows[:, ::2].reshape(8, 6)
    assert all(set(one) == set(range(18, 24)) for one in rounds)
    assert len({tuple(one) for one in rounds}) > 4


@pytest.mark.parametrize("done", [1, 4, 7])
def test_the_rounds_of_labelled_images_go_on_where_earlier_steps_ended(done):
    def batches(steps_done):
        made = gan(plain_networks)
        made._steps_done.assign(steps_done)
        found, _ = made._pairs(images(24), labels(24, known=6), 4, seed=0)
        return [shown.numpy() for shown, _ in found.take(12 - steps_done)]

    np.testing.assert_array_equal(batches(done), batches(0)[done:])


def test_labelled_bytes_become_floats_where_the_others_do():
    shown, known = small.images(8, size=4), labels(8, known=4).astype("int32")
    options = {"image_shape": (4, 4, 1), "updates_per_batch": 1, "replicas": 1, "seed": None}
    for as_float, dtype in ((True, "float32"), (False, "uint8")):
        data_set, _ = inputs.training_data(shown, known, batch_size=4, as_float=as_float, **options)
        pairs = labelled.paired(data_set, shown, known, count=4, seed=None)
        batch, _ = next(iter(pairs))
        expected = np.stack([shown[4:], shown[:4]], axis=1).reshape(8, 4, 4, 1)
        if as_float:
            expected = np.array(inputs.to_float(tf.constant(expected)))
        np.testing.assert_array_equal(batch, expected)
        assert batch.dtype == dtype


def test_unshuffled_arrays_keep_their_order():
    made, seen = gan(plain_networks, eager=True), []
    made.train_step = lambda examples: seen.append(examples[0]) or LOGS
    made.fit((images(8), labels(8, known=4)), batch_size=4, shuffle=False, verbose=0)
    expected = np.stack([images(8)[[4, 5, 6, 7, 4, 5, 6, 7]], images(8)], axis=1)
    np.testing.assert_array_equal(np.concatenate(seen), expected.reshape(16, *few_labels.SHAPE))


def test_the_first_fit_starts_weight_normalised_layers_by_its_data_and_later_ones_do_not():
    made = gan(optimizer=lambda: keras.optimizers.SGD(0.0), eager=True)
    shown, known = batch(24)
    assert awaits_data(made.discriminator)
    data_set = tf.data.Dataset.from_tensors((shown, known))
    made.fit(data_set, verbose=0)
    layer = made.discriminator.get_layer("hidden1")
    found = np.array(keras.Model(made.discriminator.input, layer.output)(shown))
    np.testing.assert_allclose([found.mean(0), found.std(0)], [[0] * 7, [1] * 7], atol=1e-4)
    same = zip(small.values(made.discriminator), small.values(made.discriminator_ema), strict=True)
    for a, b in same:
        np.testing.assert_allclose(a, b, atol=1e-6)
    before = small.values(made.discriminator)
    made.fit(tf.data.Dataset.from_tensors((shown / 2, known)), verbose=0)
    assert not any(small.moved(before, made.discriminator))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"x": images(8)}, "Expected labels beside the images.*-1 for images without"),
        ({"x": images(8), "y": np.full(8, -1)}, "Received: labels in \\[-1, -1\\]"),
        ({"x": images(8), "y": np.arange(8)}, "in \\[0, 2\\].*Received: labels in \\[0, 7\\]"),
        ({"x": images(8), "y": labels(8) - 1}, "Received: labels in \\[-2"),
        ({"x": images(8), "y": np.eye(8)}, "Received: shape \\(8, 8\\), dtype float64"),
        ({"x": images(8), "y": labels(7)}, "Received: 8 images, 7 labels"),
        ({"x": tf.data.Dataset.from_tensors(images(8))}, "a data set of \\(images, labels\\)"),
        ({"x": tf.data.Dataset.from_tensors((images(8),))}, "a data set of \\(images, labels\\)"),
        ({"x": tf.data.Dataset.from_tensors((images(8), np.eye(8, 3)))}, "of one-hot ones"),
        ({"x": tf.data.Dataset.from_tensors((images(8), np.ones(8)))}, "whole numbers.*float64"),
        ({"x": tf.data.Dataset.from_tensors((images(8), {"a": np.ones(8)}))}, "as one tensor"),
        ({"x": tf.data.Dataset.from_tensors((images(8)[:, :3], labels(8)))}, "\\(8, 3, 4, 1\\)"),
    ],
)  # fmt: skip
def test_data_without_labels_or_with_wrong_ones_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        gan(plain_networks, eager=True).fit(**given, verbose=0, **batch_size(given))


@pytest.mark.parametrize("wrong", [-2, 3])
def test_a_data_sets_labels_beyond_the_classes_end_the_step(wrong):
    made, (shown, known) = gan(plain_networks, eager=True), batch(8)
    known[2] = wrong
    with pytest.raises(tf.errors.InvalidArgumentError, match="Expected labels in \\[-1, 3\\)"):
        made.fit(tf.data.Dataset.from_tensors((shown, known)), verbose=0)
    assert made.steps_done == 0


def test_wrong_data_sets_leave_weight_normalised_layers_unstarted():
    made = gan(eager=True)
    with pytest.raises(ValueError, match="one-hot"):
        made.fit(tf.data.Dataset.from_tensors((images(8), np.eye(8, 3))), verbose=0)
    assert awaits_data(made.discriminator)


def batch_size(given):
    return {} if isinstance(given["x"], tf.data.Dataset) else {"batch_size": 4}


# building, saving, precision


@pytest.mark.parametrize(
    ("networks", "options", "message"),
    [
        (plain_networks, {"classes": 4}, "each of 4 classes. Received: output shape \\(None, 3\\)"),
        (plain_networks, {"unlabelled_weight": -1.0}, "unlabelled_weight >= 0. Received: -1"),
        (plain_networks, {"classifier_decay": 1.0}, "classifier_decay < 1. Received: 1.0"),
        (plain_networks, {"layer": "hiden"}, "Expected layer, one of"),
        (plain_networks, {"classes": ["a", "a", "b"]}, "different names"),
    ],
)
def test_what_does_not_fit_is_refused(networks, options, message):
    with pytest.raises(ValueError, match=message):
        gan(networks, **options)


def test_batch_normalisation_of_the_discriminator_is_refused():
    generator, _ = plain_networks()
    mixing = mlp_discriminator(few_labels.SHAPE, outputs=3, norm="batch")
    with pytest.raises(ValueError, match="without batch norm.*Received: hidden1_norm in mlp_disc"):
        SGAN(generator, mixing, latent_dim=few_labels.LATENT_DIM, classes=3)


def test_a_run_that_is_saved_and_resumed_equals_one_that_is_not(tmp_path):
    source = data.open_source((small.images(30, size=4), np.arange(30) % 3))

    def batches(first):
        options = {"batch_size": 5, "labelled": 6, "flip": True, "repeat": True}
        return data.batches(source, first_batch=first, **options)

    options = {"unlabelled_weight": 0.7, "classifier_decay": 0.8, "layer": "hidden1_relu"}
    whole, part = (
        gan(options={"noise": 0.4}, eager=True, classes=["a", "b", "c"], **options)
        for _ in range(2)
    )
    whole.fit(batches(0), steps_per_epoch=5, verbose=0)
    part.fit(batches(0), steps_per_epoch=2, verbose=0)
    part.save(tmp_path / "x.keras")
    again = keras.models.load_model(tmp_path / "x.keras")
    again.fit(batches(2), steps_per_epoch=3, verbose=0)
    for a, b in zip(small.values(whole), small.values(again), strict=True):
        np.testing.assert_array_equal(a, b)
    assert {key: again.get_config()[key] for key in options} == options
    assert again.class_names == ("a", "b", "c")


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_trains_with_float32_losses(precision):
    made = gan(options={"noise": 0.3}, precision=precision, eager=True)
    loss, _ = made.discriminator_game(tensors(batch()), tf.constant(images(4)))
    assert loss.dtype == tf.float32 == made.trained_logits(tf.constant(images(4)))[0].dtype
    if precision == "mixed_float16":
        for optimizer in (made.generator_optimizer, made.discriminator_optimizer):
            optimizer.dynamic_scale.assign(64.0)
    before = small.values(made.trainable_variables)
    history = made.fit(images(16), labels(16), batch_size=8, verbose=0).history
    assert all(np.isfinite(value).all() for value in small.values(made))
    scales = {"d_loss_scale", "g_loss_scale"} if precision == "mixed_float16" else set()
    assert set(history) == {*SGAN.tracked, *scales}
    assert np.mean(small.moved(before, made.trainable_variables)) > 0.9
