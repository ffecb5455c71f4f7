"""Every game of scalar losses: a step against one with closed forms, files, precisions."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.gans import GANS
from ganzoo.gans.base import PLAYERS
from tests import small
from tests.losses import by_hand

RATE = 0.3
DIVERGENCES = sorted(by_hand.CONJUGATES)

# name: class, options, closed forms of both losses, whether the output is a probability
GAMES = {
    "non_saturating": ("non_saturating", {}, "non_saturating", "non_saturating", True),
    "dcgan": ("dcgan", {}, "non_saturating", "non_saturating", True),
    "minimax": ("minimax", {}, "non_saturating", "minimax", True),
    "maximum_likelihood": (
        *("maximum_likelihood", {}, "non_saturating", "maximum_likelihood", True),
    ),
    "bgan": ("bgan", {}, "non_saturating", "boundary_seeking", True),
    "label_smoothing": (
        *("label_smoothing", {"real_label": 0.8}, "smoothed", "non_saturating", True),
    ),
    "lsgan": ("lsgan", {}, "least_squares", "least_squares", False),
    "hinge": ("hinge", {}, "hinge", "hinge", False),
    "ragan": ("ragan", {}, "relativistic", "relativistic_generator", False),
    **{f"f_gan {n}": ("f_gan", {"divergence": n}, n, n, False) for n in DIVERGENCES},
    "f_gan non-saturating": (
        "f_gan",
        {"divergence": "kl", "non_saturating": True},
        "kl",
        "kl_non_saturating",
        False,
    ),
}
ALL = pytest.mark.parametrize("game", GAMES)


def made(game, **options):
    name, own, *_ = GAMES[game]
    options = {"eager": True, "optimizer": sgd, "seed": 7, **own, **options}
    return small.gan(small.dense, kind=GANS[name], **options)


def sgd():
    return keras.optimizers.SGD(RATE)


def scaled_sgd():
    return keras.optimizers.LossScaleOptimizer(sgd(), initial_scale=256.0)


def descend(form, logits, tape, variables):
    """A step down a closed form, whose slope is taken by finite differences; returns its value."""
    values = [one.numpy().astype("float64") for one in logits]
    slopes = [tf.constant(s, tf.float32) for s in by_hand.differences(form, *values)]
    sources = [variable.value for variable in variables]
    gradients = tape.gradient(logits, sources, output_gradients=slopes)
    for variable, gradient in zip(variables, gradients, strict=True):
        variable.assign(variable - RATE * gradient)
    return form(*values)


def reference_step(gan, game, images):
    """Algorithm 1 of Goodfellow 2014, k = 1, with the closed forms of the game."""
    *_, d_form, g_form, _ = GAMES[game]
    real = images.astype("float32") / 127.5 - 1
    latents = gan.sample_latents(len(images))
    with tf.GradientTape() as tape:
        logits = [gan.discriminator(x) for x in (real, gan.generator(latents))]
    seen = [one.numpy() for one in logits]
    variables = gan.discriminator.trainable_variables
    d_loss = descend(by_hand.OF_BOTH[d_form][1], logits, tape, variables)
    with tf.GradientTape() as tape:
        logits = [gan.discriminator(x) for x in (real, gan.generator(latents))]
    variables = gan.generator.trainable_variables
    if g_form == "relativistic_generator":
        g_loss = descend(by_hand.OF_BOTH[g_form][1], logits, tape, variables)
    else:
        g_loss = descend(by_hand.OF_FAKE[g_form][1], logits[1:], tape, variables)
    return d_loss, g_loss, seen


@ALL
def test_a_step_equals_the_one_with_closed_forms(game):
    gan, twin = made(game), made(game)
    for step in range(2):
        images = small.images(6, seed=step)
        gan.reset_metrics()
        logs = {name: float(value) for name, value in gan.train_step(tf.constant(images)).items()}
        d_loss, g_loss, seen = reference_step(twin, game, images)
        # the second step's weights are rounded, and losses of 6 shift one of 0.03 by 4e-6
        np.testing.assert_allclose(
            [logs["d_loss"], logs["g_loss"]], [d_loss, g_loss], rtol=2e-5, atol=1e-5
        )
        outputs = [by_hand.sigmoid(a) if GAMES[game][-1] else a for a in seen]
        np.testing.assert_allclose(
            [logs["d_real"], logs["d_fake"]], [a.mean() for a in outputs], rtol=2e-5, atol=1e-6
        )
    for a, b in zip(gan.trainable_variables, twin.trainable_variables, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=2e-5, err_msg=a.path)


def way_of_a_step(game, precision):
    """What a step adds to the weights of each player."""
    # a scale that overflows would skip a step, as it should, and leave nothing to compare
    optimizer = scaled_sgd if precision == "mixed_float16" else sgd
    gan = made(game, precision=precision, optimizer=optimizer)
    before = [small.values(gan.player_variables(player)) for player in PLAYERS]
    logs = gan.train_step(tf.constant(small.images(8)))
    assert all(value.dtype == "float32" and np.isfinite(value) for value in logs.values())
    ways = []
    for player, old in zip(PLAYERS, before, strict=True):
        pairs = zip(small.values(gan.player_variables(player)), old, strict=True)
        ways.append(np.concatenate([(new - was).ravel() for new, was in pairs]).astype("float64"))
    return ways


@pytest.mark.parametrize("game", sorted(set(GAMES) - {"dcgan", "f_gan pearson"}))
def test_half_precision_steps_as_float32_does_but_for_rounding(game):
    expected = way_of_a_step(game, "float32")
    for precision in ("mixed_float16", "mixed_bfloat16"):
        for a, b in zip(way_of_a_step(game, precision), expected, strict=True):
            assert a @ b > 0.99 * np.linalg.norm(a) * np.linalg.norm(b) > 0


NOT_DEFAULT = {
    "f_gan": {"divergence": "pearson", "non_saturating": True},
    "label_smoothing": {"real_label": 0.75},
    "gmmn": {"bandwidths": [0.5, 3.0]},
}


@pytest.mark.parametrize("name", sorted({game[0] for game in GAMES.values()} | {"gmmn"}))
def test_a_game_comes_back_from_its_file_and_steps_on_alike(name, tmp_path):
    options = {"eager": True, "optimizer": sgd, "seed": 3, **NOT_DEFAULT.get(name, {})}
    gan = small.gan(small.dense, kind=GANS[name], **options)
    gan.train_step(tf.constant(small.images(4)))
    gan.save(tmp_path / "x.keras")
    again = keras.models.load_model(tmp_path / "x.keras")
    assert type(again) is GANS[name]
    for key, value in NOT_DEFAULT.get(name, {}).items():
        assert gan.get_config()[key] == value and getattr(again, key) == value
    for one in (gan, again):
        one.train_step(tf.constant(small.images(4, seed=1)))
    for a, b in zip(gan.weights, again.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=a.path)


def test_every_own_argument_of_a_game_is_in_its_config():
    import inspect

    for name in {game[0] for game in GAMES.values()} | {"gmmn"}:
        gan = small.gan(small.dense, kind=GANS[name])
        taken = {
            argument.name
            for kind in type(gan).__mro__
            if kind.__module__.startswith("ganzoo") and "__init__" in vars(kind)
            for argument in inspect.signature(kind.__init__).parameters.values()
            if argument.kind is not argument.VAR_KEYWORD
        } - {"self"}
        assert set(gan.get_config()) == taken, name


def generator_slope(game, logit):
    """The slope of a generator's loss in the logit of one image."""
    gan = made(game)
    (slope,) = by_hand.slopes(gan.generator_loss, np.array([[logit]]))
    return float(slope[0, 0])


def test_minimax_saturates_where_the_discriminator_is_sure_and_non_saturating_does_not():
    assert abs(generator_slope("minimax", -12.0)) < 1e-5
    assert generator_slope("non_saturating", -12.0) < -0.9999


def test_minimax_is_a_zero_sum_game():
    gan = made("minimax")
    fake = tf.constant([[-1.0], [0.4]])
    perfect = tf.fill((2, 1), 90.0)  # on real images: leaves the part of the generated ones
    total = gan.discriminator_loss(perfect, fake) + gan.generator_loss(fake)
    np.testing.assert_allclose(float(total), 0.0, atol=1e-6)


def test_maximum_likelihood_learns_most_from_the_images_that_look_most_real():
    steep, flat = (abs(generator_slope("maximum_likelihood", a)) for a in (4.0, -4.0))
    np.testing.assert_allclose(steep / flat, np.exp(8), rtol=1e-4)


def test_lsgan_draws_back_what_is_called_real_too_confidently():
    assert generator_slope("lsgan", 6.0) == pytest.approx(5.0)
    assert abs(generator_slope("non_saturating", 6.0)) < 0.003


def test_bgan_draws_images_to_the_boundary_from_either_side():
    assert [generator_slope("bgan", a) for a in (-2.0, 0.0, 3.0)] == [-2.0, 0.0, 3.0]


def test_hinge_discriminator_learns_from_images_within_the_margin_alone():
    loss = made("hinge").discriminator_loss
    real, fake = by_hand.slopes(loss, np.array([[-3.0], [0.9], [1.1]]), np.array([[-1.1], [2.0]]))
    np.testing.assert_allclose(real.ravel(), [-1 / 3, -1 / 3, 0], rtol=1e-6)
    np.testing.assert_allclose(fake.ravel(), [0, 0.5], rtol=1e-6)


def test_ragan_knows_outputs_up_to_a_constant_alone():
    gan = made("ragan")
    real, fake = tf.constant([[0.3], [2.0]]), tf.constant([[-1.0], [0.4], [5.0]])
    plain = float(gan.discriminator_loss(real, fake))
    np.testing.assert_allclose(float(gan.discriminator_loss(real + 7, fake + 7)), plain, rtol=1e-5)
    assert abs(float(gan.discriminator_loss(real + 7, fake)) - plain) > 1


def test_ragans_generator_learns_from_the_real_images_too():
    gan = made("ragan")
    slopes = []
    for real in (tf.ones((3, 16, 16, 1)), -tf.ones((3, 16, 16, 1))):
        with tf.GradientTape() as tape:
            fake = gan.fakes(real) * 0.0
            tape.watch(fake)
            loss, _ = gan.generator_game(real, fake)
        slopes.append(tape.gradient(loss, fake).numpy())
    # the same generated images beside other real ones
    assert np.abs(slopes[0] - slopes[1]).max() > 0.01 * np.abs(slopes[0]).max() > 0


@pytest.mark.parametrize("name", ["ragan", "minimax"])
def test_the_generators_game_leaves_the_discriminators_state_alone(name):
    gan = small.gan(kind=GANS[name], eager=True)
    before = small.values(gan.discriminator)
    real = tf.constant(small.images(4), tf.float32) / 127.5 - 1
    gan.update_generator(lambda: gan.generator_game(real, gan.fakes(real)))
    assert small.statistics(gan.discriminator)
    assert not any(small.moved(before, gan.discriminator))


@pytest.mark.parametrize("label", [0.0, -0.5, 1.1, float("nan")])
def test_a_real_label_outside_its_range_is_refused(label):
    with pytest.raises(ValueError, match="Expected 0 < real_label <= 1. Received"):
        made("label_smoothing", real_label=label)


@pytest.mark.parametrize("label", [0.1, -0.1])
def test_two_sided_smoothing_is_refused_with_the_reason(label):
    with pytest.raises(ValueError, match="is flat where the model alone") as refused:
        made("label_smoothing", fake_label=label)
    assert f"Received: fake_label={label}" in str(refused.value)


def test_an_unknown_divergence_is_refused():
    with pytest.raises(ValueError, match="did you mean 'reverse_kl'"):
        made("f_gan kl", divergence="reversekl")
