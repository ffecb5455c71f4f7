"""What every conditional GAN does with labels: in training, from `fit`, in `generate`, in files."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.gans import ACGAN, CGAN, ProjectionGAN
from tests import small
from tests.gans import conditional

ALL = pytest.mark.parametrize("kind", conditional.KINDS)
NAMES = ("left", "middle", "right")


@pytest.fixture(scope="module")
def named():
    return conditional.gan("cgan", classes=NAMES)


@pytest.mark.parametrize(
    "labels, n, found",
    [
        (None, 5, [0, 1, 2, 0, 1]),
        (2, 3, [2, 2, 2]),
        ("middle", 2, [1, 1]),
        (np.int64(1), 2, [1, 1]),
        (np.array(2), 1, [2]),
        ("2", 2, [2, 2]),
        (range(3), None, [0, 1, 2]),
        (["right", 0, "left"], 3, [2, 0, 0]),
        (np.array([2, 1], "uint8"), None, [2, 1]),
    ],
)
def test_labels_are_numbers_or_names_one_for_all_or_one_each(named, labels, n, found):
    indexes = named.label_indexes(labels, n)
    assert indexes.dtype == np.int32
    np.testing.assert_array_equal(indexes, found)


@pytest.mark.parametrize(
    "labels, n, message",
    [
        ("rihgt", 1, "did you mean 'right'.*left, middle, right"),
        (3, 1, r"\[0, 2\]: left, middle, right. Received: 3; nearest: 2"),
        (-1, 1, "nearest: 0"),
        (True, 1, "True"),
        (1.0, 1, "1.0"),
        ([0, 1], 3, "each of 3 images. Received: 2"),
        ([], None, "Received: 0"),
        ([[0, 1]], None, r"\[0, 1\]"),
        (1, None, "or a label for each image"),
        (None, None, "or labels"),
        ([0, 7], None, "Received: 7"),
    ],
)
def test_wrong_labels_are_refused_with_the_valid_ones(named, labels, n, message):
    with pytest.raises(ValueError, match=message):
        named.label_indexes(labels, n)


def test_nameless_classes_are_named_by_their_numbers():
    gan = conditional.gan("cgan")
    assert gan.class_names == ("0", "1", "2") and gan.classes == 3
    assert gan.label_indexes("1", 1) == 1


@pytest.mark.parametrize("classes", [0, True, 2.0, "abc", [], ["a", "a"], ["a", 1], [""], None])
def test_classes_are_a_number_or_different_names(classes):
    with pytest.raises(ValueError, match="a whole number >= 1 or a list of different names"):
        conditional.gan("cgan", classes=classes)


@ALL
def test_an_image_is_that_of_its_latent_and_its_label_however_it_is_asked_for(kind):
    gan = conditional.gan(kind)
    gan.fit(*conditional.data(), batch_size=8, verbose=0)
    images = gan.generate(6, seed=3)
    np.testing.assert_array_equal(images, gan.generate(labels=[0, 1, 2, 0, 1, 2], seed=3))
    # the normal numbers of a seed do not depend on the labels
    same = np.asarray(keras.random.normal((6, 5), seed=3))
    np.testing.assert_array_equal(images, gan.generate(latents=same))
    alone = gan.generate(latents=same[4:5], labels=1, batch_size=1)
    np.testing.assert_array_equal(alone[0], images[4])
    called = gan.generator_ema([same, np.arange(6) % 3], training=False)
    np.testing.assert_array_equal(np.rint((np.asarray(called) + 1) * 127.5), images)
    assert not np.array_equal(gan.generate(6, seed=3, labels=1), images)
    np.testing.assert_allclose(
        gan((same, np.arange(6) % 3)), gan.generator([same, np.arange(6) % 3]), atol=1e-6
    )


def test_labels_and_latents_have_to_agree(named):
    with pytest.raises(ValueError, match="each of 2 images"):
        named.generate(latents=np.zeros((2, 5)), labels=[0, 1, 2])
    with pytest.raises(ValueError, match="Expected latents of shape"):
        named.generate(latents=np.zeros((2, 6)), labels=[0, 1])
    with pytest.raises(TypeError, match="Expected labels.*Received: codes"):
        named.generate(2, codes={})
    assert named.generate(labels=["left"] * 4, truncation=0.5).shape == (4, 8, 8, 1)


def test_labels_of_generated_images_are_drawn_from_the_batch_alone_and_independently():
    gan = conditional.gan("cgan")
    real = tf.constant([0] * 300 + [2] * 900, tf.int32)
    drawn = gan.sample_labels(real).numpy()
    assert drawn.dtype == np.int32 and set(drawn) == {0, 2}
    deviation = np.sqrt(1200 * 0.25 * 0.75)
    assert abs((drawn == 0).sum() - 300) < 4 * deviation
    # a label knows nothing of the real one of its row, nor of the next draw
    same = (drawn == real.numpy()).mean()
    assert abs(same - (0.25**2 + 0.75**2)) < 4 * np.sqrt(0.25 / 1200)
    again = gan.sample_labels(real).numpy()
    assert 0.5 < (again == drawn).mean() < 0.75


@pytest.mark.parametrize("kind", [CGAN, ProjectionGAN])
@pytest.mark.parametrize("steps", [1, 2])
def test_every_image_is_judged_with_its_own_label(kind, steps):
    gan = conditional.telling(kind, discriminator_steps=steps)
    labels = tf.constant([0, 1, 2, 2, 1, 0, 0, 2])
    images = tf.reshape(tf.cast(labels, tf.float32) / 10, (-1, 1, 1, 1))
    seen = []
    judge = gan.judge
    gan.judge = lambda examples: seen.append((examples, judge(examples).numpy())) or seen[-1][1]
    real = gan.real_examples((images, labels))
    fake = gan.fakes(real)
    gan.discriminator_game(real, fake)
    gan.generator_game(real, fake)
    gan.judge = judge
    assert len(seen) == 3 and len(set(fake[1].numpy())) > 1
    for (shown, told), logits in seen:
        np.testing.assert_allclose(logits, 0, atol=1e-6)
        np.testing.assert_allclose(np.ravel(shown), told / 10, atol=1e-6)
    # in a whole step too: in the hinge game, both at the middle of the margin
    logs = gan.train_step((images, labels))
    middle = 0.5 if kind is CGAN else 0.0
    assert abs(float(logs["d_real"]) - middle) < 0.05
    assert abs(float(logs["d_fake"]) - middle) < 0.05


@ALL
def test_both_players_learn_from_labels_eagerly_and_in_a_graph(kind):
    gan = conditional.gan(kind, eager=kind != "acgan", discriminator_steps=2)
    before = small.values(gan.trainable_variables)
    logs = gan.fit(*conditional.data(), batch_size=4, epochs=2, verbose=0).history
    assert set(logs) == set(gan.tracked) and np.isfinite([*logs.values()]).all()
    still = [
        v.path
        for v, has in zip(
            gan.trainable_variables, small.moved(before, gan.trainable_variables), strict=True
        )
        if not has
    ]
    # the hinge's differences have no gradient for a shift of all logits
    assert still in ([], ["logits/logits/bias"])
    assert gan.steps_done == 6


def test_labels_of_fit_are_checked():
    gan = conditional.gan("acgan")
    images, labels = conditional.data()
    wrong = {
        "is conditional. Received: images alone": None,
        r"labels in \[0, 2\]. Received: labels in \[1, 3\]": labels + 1,
        r"Received: labels in \[-1, 1\]": labels - 1,
        "np.argmax.*shape \\(24, 3\\)": np.eye(3)[labels],
        "dtype float64": labels.astype("float64"),
        "24 images, 23 labels": labels[:-1],
    }
    for message, given in wrong.items():
        with pytest.raises(ValueError, match=message):
            gan.fit(images, given, batch_size=8, verbose=0)
    sets = {
        "is conditional": images,
        "np.argmax": (images, np.eye(3)[labels]),
    }
    for message, given in sets.items():
        with pytest.raises(ValueError, match=message):
            gan.fit(tf.data.Dataset.from_tensor_slices(given).batch(8), verbose=0)
    far = tf.data.Dataset.from_tensor_slices((images, labels + 1)).batch(8)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"labels in \[0, 3\)"):
        gan.fit(far, verbose=0)
    assert gan.steps_done == 0


def test_labels_come_as_a_column_a_pair_or_a_data_set_of_any_integer_type():
    images, labels = conditional.data()
    ways = [
        ((images, labels[:, None].astype("uint8")), {"batch_size": 8, "shuffle": False}),
        (((images, labels),), {"batch_size": 8, "shuffle": False}),
        ((tf.data.Dataset.from_tensor_slices((images, labels)).batch(8),), {}),
    ]
    fitted = []
    for given, options in ways:
        gan = conditional.gan("cgan", seed=2)
        gan.fit(*given, verbose=0, **options)
        fitted.append(small.values(gan))
    for other in fitted[1:]:
        for a, b in zip(fitted[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


@ALL
def test_fine_tuning_on_some_classes_by_plain_fit_never_asks_for_the_others(kind):
    gan = conditional.gan(kind, classes=NAMES, eager=True)
    images, labels = conditional.data()
    gan.fit(images, labels, batch_size=8, verbose=0)
    asked, sample = [], gan.sample_labels
    gan.sample_labels = lambda real: asked.append(sample(real)) or asked[-1]
    some = labels != 1
    gan.compile(learning_rate=1e-4, run_eagerly=True)
    before = gan.generate(6, seed=0).astype(int)
    gan.fit(images[some], labels[some], batch_size=8, epochs=2, verbose=0)
    assert asked and set(np.concatenate(asked)) == {0, 2}
    assert gan.generate(6, seed=0).shape == (6, 8, 8, 1) and gan.steps_done == 7
    assert np.abs(gan.generate(6, seed=0).astype(int) - before).any()


@ALL
def test_a_saved_gan_has_its_classes_and_trains_on_as_if_it_had_not_been_saved(kind, tmp_path):
    options = {"class_weight": 0.5, "generator_class_weight": 0.25} if kind == "acgan" else {}
    gan = conditional.gan(kind, classes=NAMES, seed=4, **options)
    gan.fit(*conditional.data(), batch_size=8, verbose=0)
    gan.save(tmp_path / "x.keras")
    again = keras.models.load_model(tmp_path / "x.keras")
    assert type(again) is type(gan) and again.class_names == NAMES
    assert {key: getattr(again, key) for key in options} == options
    np.testing.assert_array_equal(
        gan.generate(4, seed=0, labels="right"), again.generate(4, seed=0, labels=2)
    )
    for one in (gan, again):
        one.fit(*conditional.data(16), batch_size=8, verbose=0)
    for a, b in zip(small.values(gan), small.values(again), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
@ALL
def test_half_precision_trains_to_finite_float32_weights_by_float32_losses(kind, precision):
    gan = conditional.gan(kind, precision=precision)
    if precision == "mixed_float16":
        for optimizer in (gan.generator_optimizer, gan.discriminator_optimizer):
            optimizer.dynamic_scale.assign(64.0)
    before = small.values(gan.trainable_variables)
    images, labels = (tf.constant(one) for one in conditional.data(8))
    logs = gan.train_step((images, labels))
    assert all(value.dtype == "float32" and np.isfinite(value) for value in logs.values())
    moved = small.moved(before, gan.trainable_variables)
    assert sum(moved) >= len(moved) - 2
    assert all(v.dtype == "float32" for v in gan.trainable_variables)
    real = gan.real_examples((images, labels))
    assert real[0].dtype == tf.float32 and real[1].dtype == tf.int32
    assert gan.judge(real).dtype == tf.float32
    assert gan.generate(2, labels=1).shape == (2, 8, 8, 1)


def test_networks_without_labels_or_of_other_classes_are_refused():
    generator, judge = conditional.networks("cgan")
    _, naming = conditional.networks("acgan")
    plain, plain_judge = small.convolutional(size=8)
    options = {"latent_dim": 5, "classes": 3}
    for kind, networks, message in (
        (CGAN, (plain, judge), "a generator of latents and labels"),
        (CGAN, (generator, plain_judge), "a discriminator of images and labels"),
        (ACGAN, (generator, judge), "Expected a discriminator from images"),
        (ACGAN, (generator, plain_judge), "Expected a discriminator from images"),
        (ACGAN, (plain, naming), "a generator of latents and labels"),
    ):
        with pytest.raises(ValueError, match=message):
            kind(*networks, **options)
    with pytest.raises(ValueError, match="networks of 4 classes. Received: 3 in one_hot"):
        CGAN(generator, judge, latent_dim=5, classes=4)
    with pytest.raises(ValueError, match=r"\(None, 4\)"):
        ACGAN(plain_with(4), naming, latent_dim=5, classes=4)
    with pytest.raises(ValueError, match=r"\(None, 6\)"):
        CGAN(generator, judge, latent_dim=6, classes=3)


def plain_with(classes):
    from ganzoo.networks.dcgan import dcgan_generator

    return dcgan_generator((8, 8, 1), latent_dim=5, width=2, classes=classes, conditioning="concat")


@pytest.fixture(scope="module")
def replicas():
    return small.run_on_two_cpus(Path(__file__).with_name("replicas_conditional.py"))


@pytest.mark.parametrize("kind", ["cgan", "acgan"])
def test_two_replicas_give_the_weights_and_the_logs_of_one(replicas, kind):
    told = replicas[kind]
    assert told["weights"] < 1e-5 and told["logs"] < 1e-5
    assert told["moved"] > 1e-3


def test_labels_drawn_within_a_replicas_share_would_be_others(replicas):
    assert replicas["shares"] > 1e-4
