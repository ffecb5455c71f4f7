"""InfoGAN: its bound against NumPy, which weights it moves, and what Q reads off images."""

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

from ganzoo import registry
from ganzoo.gans import NonSaturatingGAN
from ganzoo.networks.dcgan import dcgan_discriminator
from tests import small
from tests.gans import coded
from tests.gans.coded import CODES, LATENT_DIM, NOISE_DIM

NAMES = tuple(CODES)
WEIGHTS = {"categorical_weight": 0.7, "continuous_weight": 0.3, "generator_weight": 0.5}


def images(count=6, *, seed=0):
    return small.images(count, size=8, seed=seed)


def batch(gan, count=5):
    """Real images and generated ones with their codes."""
    real = gan.real_examples(tf.constant(images(count)))
    return real, gan.fakes(real)


def expected_bounds(codes, outputs):
    """L_I of each of `coded.CODES` in NumPy."""
    codes, outputs = np.asarray(codes, np.float64), np.asarray(outputs, np.float64)
    found = {}
    for name, own, size in (("digit", slice(0, 3), 3), ("kind", slice(3, 5), 2)):
        likelihood = (codes[:, own] * scipy.special.log_softmax(outputs[:, own], axis=1)).sum(1)
        found[name] = np.log(size) + likelihood.mean()
    for name, column, first, low, high in (("lean", 5, 5, -1, 1), ("size", 6, 7, 2, 6)):
        half = (high - low) / 2
        mean = low + half + half * outputs[:, first]
        deviation = half * np.sqrt(np.exp(outputs[:, first + 1]) + 1e-4)
        density = scipy.stats.norm(mean, deviation).logpdf(codes[:, column])
        found[name] = np.log(high - low) + density.mean()
    return found


@pytest.fixture(scope="module")
def gan():
    """For tests that leave its weights as they are."""
    return coded.gan()


# -- what is drawn ---------------------------------------------------------------------------


def test_latents_are_normal_noise_then_one_hot_codes_then_uniform_ones():
    latents = np.asarray(coded.gan(seed=3).sample_latents(8000))
    noise, digit, kind = latents[:, :4], latents[:, 4:7], latents[:, 7:9]
    assert latents.shape == (8000, LATENT_DIM) and abs(noise.mean()) < 0.03
    np.testing.assert_allclose(noise.std(axis=0), 1, atol=0.04)
    assert scipy.stats.kurtosis(noise, axis=None) == pytest.approx(0, abs=0.15)
    for one_hot in (digit, kind):
        assert set(np.unique(one_hot)) == {0, 1} and (one_hot.sum(axis=1) == 1).all()
        share = 1 / one_hot.shape[1]
        np.testing.assert_allclose(one_hot.mean(axis=0), share, atol=0.025)
    for column, (low, high) in ((9, (-1, 1)), (10, (2, 6))):
        assert scipy.stats.kstest(latents[:, column], "uniform", (low, high - low)).pvalue > 1e-3


def test_codes_are_independent_of_noise_and_of_each_other():
    latents = np.asarray(coded.gan(seed=3).sample_latents(8000))
    columns = np.delete(latents, [6, 8], axis=1)  # the last entry of a one-hot row is what is left
    correlations = np.abs(np.corrcoef(columns, rowvar=False)) - np.eye(9)
    correlations[[4, 5], [5, 4]] = 0  # entries of one code
    assert correlations.max() < 0.05


def test_the_codes_of_fakes_are_those_that_their_images_were_made_of():
    gan = coded.gan(codes={"digit": 3}, options={"latent_dim": 4, "parameters": 3})
    hidden, pixels = gan.generator.layers[1], gan.generator.layers[2]
    # the generator's images show which of three values the code has, whatever the noise is
    hidden.set_weights([np.eye(4, 6, k=-1) * [1] * 6 + np.eye(4, 6) * 0, np.zeros(6)])
    pixels.set_weights([np.eye(6, 64), np.zeros(64)])
    made, codes = gan.fakes(tf.zeros((9, 8, 8, 1)))
    np.testing.assert_array_equal(np.reshape(made, (9, 64))[:, :3] > 0.3, np.asarray(codes) > 0.5)


# -- the bound and its weights ---------------------------------------------------------------


def test_the_bound_of_each_code_is_its_entropy_plus_the_mean_likelihood(gan):
    codes = gan.sample_latents(40)[:, NOISE_DIM:]
    outputs = tf.random.stateless_normal((40, 9), (1, 2))
    for name, expected in expected_bounds(codes, outputs).items():
        assert float(gan.bounds(codes, outputs)[name]) == pytest.approx(expected, rel=1e-4)


def test_the_bound_is_the_entropy_for_a_sure_q_and_zero_for_one_that_knows_nothing(gan):
    codes = gan.sample_latents(40)[:, NOISE_DIM:]
    sure = tf.concat([(codes[:, :5] - 0.5) * 200, tf.zeros((40, 4))], axis=1)
    assert float(gan.bounds(codes, sure)["digit"]) == pytest.approx(np.log(3), abs=1e-5)
    assert float(gan.bounds(codes, tf.zeros((40, 9)))["kind"]) == pytest.approx(0, abs=1e-5)


def test_both_players_lose_minus_the_weighted_bound_beside_the_plain_game():
    gan = coded.gan(**WEIGHTS)
    real, (fake, codes) = batch(gan)
    (real_logits, _), (logits, outputs) = gan.discriminator(real), gan.discriminator(fake)
    bounds = expected_bounds(codes, outputs)
    weighted = 0.7 * (bounds["digit"] + bounds["kind"]) + 0.3 * (bounds["lean"] + bounds["size"])
    d_loss, d_logs = gan.discriminator_game(real, (fake, codes))
    g_loss, g_logs = gan.generator_game(real, (fake, codes))
    plain = float(tf.reduce_mean(tf.nn.softplus(-real_logits) + tf.nn.softplus(logits)))
    assert float(d_logs["d_loss"]) == pytest.approx(plain, rel=1e-5)
    assert float(d_loss) == pytest.approx(plain - weighted, rel=1e-4)
    plain = float(tf.reduce_mean(tf.nn.softplus(-logits)))
    assert float(g_logs["g_loss"]) == pytest.approx(plain, rel=1e-5)
    assert float(g_loss) == pytest.approx(plain - 0.5 * weighted, rel=1e-4)
    assert float(d_logs["information"]) == pytest.approx(sum(bounds.values()), rel=1e-4)
    for name in NAMES:
        assert float(d_logs[f"{name}_information"]) == pytest.approx(bounds[name], rel=1e-3)


def gradients(gan, player, game):
    """Of a game's loss, by the variable's name."""
    real = gan.real_examples(tf.constant(images(5)))
    gan.seed_generator.state.assign([7, 0])
    with tf.GradientTape() as tape:
        loss, _ = game(real, gan.fakes(real))
    variables = gan.player_variables(player)
    found = tape.gradient(loss, variables)
    return {v.path: g for v, g in zip(variables, found, strict=True)}


def test_the_information_moves_q_the_trunk_and_the_generator():
    told, silent = (coded.gan(categorical_weight=w, continuous_weight=w) for w in (1.0, 0.0))
    for player, names in (
        ("discriminator", ("trunk/kernel", "q/kernel")),
        ("generator", ("hidden/kernel", "pixels/kernel")),
    ):
        game = f"{player}_game"
        with_, without = (gradients(one, player, getattr(one, game)) for one in (told, silent))
        for name in names:
            assert np.abs(with_[name] - without[name]).max() > 1e-3, name
    without = gradients(silent, "discriminator", silent.discriminator_game)
    assert not np.any(without["q/kernel"]) and np.any(without["trunk/kernel"])


def test_the_weight_of_continuous_codes_moves_linearly_and_stays_at_its_end():
    gan = coded.gan(
        categorical_weight=0.5,
        continuous_weight=0.2,
        final_continuous_weight=1.4,
        continuous_weight_start=2,
        continuous_weight_steps=4,
    )
    bounds = {name: tf.constant(1.0) for name in NAMES}
    found = []
    for _ in range(8):  # two categorical codes, two uniform ones
        found.append((float(gan.weighted(bounds)) - 2 * 0.5) / 2)
        gan._steps_done.assign_add(1)
    np.testing.assert_allclose(found, [0.2, 0.2, 0.2, 0.5, 0.8, 1.1, 1.4, 1.4], rtol=1e-6)
    held = coded.gan(continuous_weight=0.2, continuous_weight_steps=4)
    held._steps_done.assign(3)
    assert held.current_continuous_weight() == 0.2


def test_q_belongs_to_the_discriminator():
    gan = coded.gan()
    before = small.values(gan.discriminator)
    gan.fit(images(), batch_size=6, verbose=0)
    assert all(small.moved(before, gan.discriminator))
    names = {variable.path.split("/")[0] for variable in gan.player_variables("discriminator")}
    assert names == {"trunk", "logits", "q"}


def test_a_generator_without_the_term_plays_the_plain_game_while_q_observes():
    gan = coded.gan(generator_weight=0.0)
    own = gradients(gan, "generator", gan.generator_game)

    def plain(real, fake):
        return NonSaturatingGAN.generator_game(gan, real, fake)

    for name, gradient in gradients(gan, "generator", plain).items():
        np.testing.assert_allclose(own[name], gradient, atol=1e-6)
    assert np.any(gradients(gan, "discriminator", gan.discriminator_game)["q/kernel"])


def with_batch_norm():
    def networks():
        discriminator = dcgan_discriminator((8, 8, 1), width=2, auxiliary=3, auxiliary_hidden=4)
        return coded.networks(latent_dim=5)[0], discriminator

    return coded.gan(networks=networks, codes={"digit": 3})


def test_the_generator_learns_from_q_without_moving_the_discriminator_s_statistics():
    gan = with_batch_norm()
    examples = batch(gan)
    before = small.values(gan.discriminator)
    gan.generator_game(*examples)
    assert not any(small.moved(before, gan.discriminator))
    gan.fit(images(), batch_size=6, verbose=0)
    assert all(small.moved(before, gan.discriminator))


def test_three_clusters_become_the_three_values_of_a_code():
    def networks():
        keras.utils.set_random_seed(5)
        options = {"shape": (2,), "latent_dim": 5, "parameters": 3, "width": 24}
        return coded.networks(**options)

    gan = coded.gan(networks=networks, codes={"cluster": 3}, eager=False, ema_decay=0.9, seed=1)
    gan.compile(learning_rate=5e-3, steps_per_execution=50)
    rng = np.random.default_rng(0)
    centres = 2 * np.array([[0, 1], [0.87, -0.5], [-0.87, -0.5]])
    points = (centres[np.arange(1200) % 3] + rng.normal(0, 0.1, (1200, 2))).astype("float32")
    history = gan.fit(points, batch_size=24, epochs=8, verbose=0).history
    assert history["information"][-1] > 0.8 * np.log(3)
    codes = np.arange(300) % 3
    made = gan.generate(codes={"cluster": codes}, seed=4)
    assert (gan.infer_codes(made)["cluster"] == codes).mean() > 0.9


# -- inference -------------------------------------------------------------------------------


def test_q_reads_its_estimate_off_images(gan):
    pictures = images(40)  # more than a pass
    _, outputs = gan.discriminator(gan.real_images(tf.constant(pictures)), training=False)
    outputs, found = np.asarray(outputs), gan.infer_codes(pictures)
    assert list(found) == list(NAMES)
    np.testing.assert_array_equal(found["digit"], outputs[:, :3].argmax(axis=1))
    np.testing.assert_array_equal(found["kind"], outputs[:, 3:5].argmax(axis=1))
    np.testing.assert_allclose(found["lean"], outputs[:, 5], atol=1e-5)
    np.testing.assert_allclose(found["size"], 4 + 2 * outputs[:, 7], atol=1e-5)
    floats = gan.infer_codes(pictures.astype("float32") / 127.5 - 1)
    np.testing.assert_allclose(floats["size"], found["size"], atol=1e-4)
    with pytest.raises(ValueError, match=r"images of shape \(batch, 8, 8, 1\)"):
        gan.infer_codes(pictures[0])


def test_q_reads_by_the_statistics_of_generated_images_and_leaves_its_own():
    gan = with_batch_norm()
    second = gan.discriminator.get_layer("auxiliary").kernel
    second.assign(60 * second)
    for variable in small.statistics(gan.discriminator):  # a mixture that it has never seen
        variable.assign(variable + 3.0)
    state = small.values(gan.discriminator)
    made = gan.generate(512, seed=0)
    found = gan.information(made, {"digit": 0})["digit"]
    first = gan.infer_codes(made[:40])["digit"]
    np.testing.assert_array_equal(first[:1], gan.infer_codes(made[:1])["digit"])
    assert not any(small.moved(state, gan.discriminator))
    bounds = []
    for training in (False, True):
        outputs = gan.discriminator(gan.real_images(tf.constant(made)), training=training)[1]
        rows = keras.ops.one_hot(np.zeros(512, int), 3)
        bounds.append(float(gan.bounds(rows, outputs)["digit"]))
    assert found == pytest.approx(bounds[1], rel=0.02, abs=0.02)
    assert abs(bounds[0] - found) > 0.2


def test_information_of_generated_images_is_the_bound_in_nats(gan):
    latents = coded.rows(gan, 40)
    made = gan.generate(latents=latents)
    codes = {"digit": latents[:, 4:7].argmax(1), "kind": latents[:, 7:9].argmax(1),
             "lean": latents[:, 9], "size": latents[:, 10]}  # fmt: skip
    outputs = gan.discriminator(gan.real_images(tf.constant(made)), training=False)[1]
    expected = expected_bounds(latents[:, 4:], outputs)
    found = gan.information(made, codes)
    assert found == pytest.approx(expected, rel=1e-3)
    with pytest.raises(ValueError, match="Missing: digit, kind"):
        gan.information(made, {"lean": 0.0, "size": 2.0})
    for wrong in ([("digit", 3)], None, "digit"):
        with pytest.raises(TypeError, match="Expected codes, a mapping"):
            gan.information(made, wrong)


# -- what every class has to do --------------------------------------------------------------


def test_options_and_labels_come_back_from_a_file(tmp_path):
    gan = coded.gan(options={"parameters": 7}, learned_variance=False, **WEIGHTS)
    gan.fit(images(), batch_size=6, verbose=0)
    gan.save(tmp_path / "x.keras")
    again = keras.models.load_model(tmp_path / "x.keras")
    assert again.codes == gan.codes and list(again.codes) == list(NAMES)
    for key in (*WEIGHTS, "learned_variance", "codes"):
        assert again.get_config()[key] == gan.get_config()[key]
    assert {key: getattr(again, key) for key in WEIGHTS} == WEIGHTS
    assert again.learned_variance is False
    for one in (gan, again):
        one.fit(images(seed=1), batch_size=6, verbose=0)
    for a, b in zip(small.values(gan), small.values(again), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_it_trains_in_half_precision_with_losses_in_float32(precision):
    gan = coded.gan(precision=precision, discriminator_steps=2)
    if precision == "mixed_float16":
        for optimizer in (gan.generator_optimizer, gan.discriminator_optimizer):
            optimizer.dynamic_scale.assign(64.0)
    before = small.values(gan.trainable_variables)
    history = gan.fit(images(8), batch_size=4, verbose=0).history
    assert all(small.moved(before, gan.trainable_variables))
    scales = {"d_loss_scale", "g_loss_scale"} if precision == "mixed_float16" else set()
    assert set(history) == {*gan.tracked, *scales}
    assert all(np.isfinite(v).all() for v in history.values())
    assert {f"{name}_information" for name in NAMES} < set(history)
    examples = batch(gan)
    for game in (gan.discriminator_game, gan.generator_game):
        loss, logs = game(*examples)
        assert {loss.dtype, *(log.dtype for log in logs.values())} == {tf.float32}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"options": {"parameters": 7}}, r"outputs \[\(None, 1\), \(None, 9\)\].*auxiliary=9"),
        ({"codes": {"digit": 11}, "options": {"parameters": 11}}, "Expected latent_dim > 11"),
        ({"continuous_weight": -1}, "Expected continuous_weight, a number >= 0"),
        ({"final_continuous_weight": -1}, "Expected final_continuous_weight, a number >= 0"),
        ({"continuous_weight_start": -1}, "Expected continuous_weight_start, a number >= 0"),
        ({"continuous_weight_steps": 0}, "continuous_weight_steps"),
        ({"categorical_weight": float("nan")}, "Expected categorical_weight"),
        ({"generator_weight": -0.5}, "Expected generator_weight"),
        ({"codes": {"lean": [-1, 1], "digit": 3}}, "categorical codes first"),
        ({"networks": lambda: small.dense(size=8, latent_dim=11)}, "with outputs"),
    ],
)
def test_networks_and_options_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        coded.gan(**options)


@pytest.mark.parametrize("name", ["infogan_mnist", "infogan_fashion_mnist"])
def test_the_entries_have_the_paper_s_codes(name):
    options = registry.entry(name).gan.options
    categorical, *continuous = options["codes"].values()
    assert categorical == 10 and continuous == [(-1, 1), (-1, 1)]
    assert options["latent_dim"] == 62 + 10 + 1 + 1
