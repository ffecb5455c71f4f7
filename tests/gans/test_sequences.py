"""What the GANs of discrete outputs share: draws, texts, checks; and each in every setting."""

import inspect
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from ganzoo.gans import GumbelGAN, ReinforceGAN
from ganzoo.gans.base import GAN
from ganzoo.gans.gradient_penalty import R1GAN
from ganzoo.gans.sequences import SequenceGAN
from tests import small
from tests.gans import sequences

OWN = {
    GumbelGAN: {
        "straight_through": False,
        "temperature": 2.0,
        "final_temperature": 0.25,
        "temperature_steps": 7,
    },
    ReinforceGAN: {"reward": "probability", "baseline_decay": 0.5},
}
SHARED = {"characters": sequences.CHARACTERS, "r1_gamma": 0.3}
KINDS = list(OWN)
LOGITS = np.log([[0.5, 0.3, 0.15, 0.05], [0.1, 0.2, 0.3, 0.4], [0.97, 0.01, 0.01, 0.01]])


def test_gumbel_noise_has_the_gumbel_distribution_in_every_place():
    gan = sequences.gan(GumbelGAN)
    noise = np.array(gan.gumbel_noise(3_000))
    assert noise.shape == (3_000, 3, 4)
    assert stats.kstest(noise.ravel(), "gumbel_r").pvalue > 1e-3
    flat = noise.reshape(3_000, -1)
    assert np.abs(np.corrcoef(flat.T) - np.eye(12)).max() < 0.1


def test_gumbel_noise_is_finite_where_the_uniform_draw_is_zero():
    gan = sequences.gan(GumbelGAN)
    gan.draw = lambda sampler, count, *shape: tf.zeros((count, *shape))
    assert np.isfinite(gan.gumbel_noise(2)).all()


def frequencies(tokens):
    return np.stack([(tokens == token).mean(axis=0) for token in range(4)], axis=1)


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_drawn_in_training_have_the_frequencies_of_the_softmax(kind):
    gan = sequences.fixed(kind, LOGITS, np.zeros((3, 4)))
    fake = gan.fakes(tf.zeros((20_000, 3, 4)))
    tokens = np.array(fake[0] if kind is ReinforceGAN else fake).argmax(axis=2)
    np.testing.assert_allclose(frequencies(tokens), np.exp(LOGITS), atol=0.015)


def test_generated_tokens_have_the_frequencies_of_the_softmax_and_greedy_ones_its_maximum():
    gan = sequences.fixed(GumbelGAN, LOGITS, np.zeros((3, 4)))
    tokens = gan.generate(4_000, seed=1, batch_size=4_000)
    assert tokens.shape == (4_000, 3) and tokens.dtype == np.int32
    np.testing.assert_allclose(frequencies(tokens), np.exp(LOGITS), atol=0.035)
    pairs = [np.corrcoef(tokens[:, i], tokens[:, j])[0, 1] for i, j in ((0, 1), (1, 2), (0, 2))]
    assert np.abs(pairs).max() < 0.07
    assert set(map(tuple, gan.generate(5, greedy=True))) == {(0, 3, 0)}


def test_a_seed_gives_the_same_sequences_whatever_the_batch_size():
    gan = sequences.gan(GumbelGAN)
    first = gan.generate(70, seed=3)
    np.testing.assert_array_equal(first, gan.generate(70, seed=3, batch_size=32))
    assert (first != gan.generate(70, seed=4)).any()
    assert (gan.generate(70) != gan.generate(70)).any()
    latents = np.ones((70, 5), "float32")
    logits = np.array(gan(latents))
    np.testing.assert_array_equal(
        gan.generate(latents=latents, greedy=True, ema=False), logits.argmax(axis=2)
    )


def test_the_discriminator_sees_real_tokens_one_hot():
    gan = sequences.gan(GumbelGAN)
    tokens = sequences.tokens(6)
    for data in (tokens, (tokens, np.zeros(6)), tokens.astype("float32")):
        examples = gan.real_examples(data)
        np.testing.assert_array_equal(examples, np.eye(4, dtype="float32")[tokens])
        assert examples.dtype == tf.float32


def test_texts_go_in_and_come_out():
    gan = sequences.gan(GumbelGAN, characters="ab ,", eager=True)
    np.testing.assert_array_equal(gan.encode(["ba", "a,b"]), [[1, 0, 2], [0, 3, 1]])
    assert gan.decode([[1, 0, 2], [2, 3, 1]]) == ["ba", " ,b"]
    seen, examples = [], gan.real_examples
    gan.real_examples = lambda data: seen.append(data.numpy().tolist()) or examples(data)
    gan.fit(["ba", "a,b"], batch_size=2, shuffle=False, verbose=0)
    assert seen == [[[1, 0, 2], [0, 3, 1]]]
    texts = gan.generate_text(9, seed=2)
    assert texts == gan.decode(gan.generate(9, seed=2)) and {*"".join(texts)} <= {*"ab ,"}
    with pytest.raises(ValueError, match="Expected characters, given when the GAN was made"):
        sequences.gan(GumbelGAN).generate_text(2)


def test_tokens_come_as_data_sets_too():
    gan = sequences.gan(ReinforceGAN, eager=True)
    gan.fit(tf.data.Dataset.from_tensor_slices(sequences.tokens(16)).batch(8), verbose=0)
    assert gan.steps_done == 2


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (sequences.tokens(8) + 1, r"Expected tokens from 0 to 3\. Received: \d to 4"),
        (sequences.tokens(8) + 0.5, "Expected tokens .* whole numbers. Received: shape .8, 3., dt"),
        (sequences.tokens(8)[:, :2], r"\(batch, 3\). Received: \(8, 2\)"),
        (np.zeros((8, 3, 4), "float32"), "Expected tokens"),
    ],
)
def test_what_are_no_such_tokens_is_refused(data, message):
    with pytest.raises(ValueError, match=message):
        sequences.gan(GumbelGAN).fit(data, batch_size=4, verbose=0)


@pytest.mark.parametrize("wrong", [-1, 4])
@pytest.mark.parametrize("eager", [False, True])
def test_a_data_sets_tokens_beyond_the_vocabulary_end_the_step(wrong, eager):
    tokens = sequences.tokens(8)
    tokens[5, 1] = wrong
    gan = sequences.gan(GumbelGAN, eager=eager)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Expected tokens in .0, 4\\)"):
        gan.fit(tf.data.Dataset.from_tensor_slices(tokens).batch(8), verbose=0)
    assert gan.steps_done == 0


def test_characters_that_do_not_fit_and_networks_of_images_are_refused():
    with pytest.raises(ValueError, match="Expected 4 characters, one for each token .*: 3, 'abc'"):
        sequences.gan(GumbelGAN, characters="abc")
    for wrong in ("abca", 5):
        with pytest.raises(ValueError, match="Expected characters, two or more different ones"):
            sequences.gan(GumbelGAN, characters=wrong)
    with pytest.raises(ValueError, match=r"logits of tokens \(None, T, V\). Received: output sha"):
        small.gan(small.dense, kind=GumbelGAN)


def test_the_penalty_is_that_of_r1_at_one_hot_sequences():
    verdicts = np.random.default_rng(0).normal(0, 0.5, (3, 4)).astype("float32")
    tokens = sequences.tokens(6)
    real = np.eye(4, dtype="float32")[tokens]
    # the logit is s + s^2 / 2, s = sum(verdicts * x): its gradient (1 + s) verdicts
    totals = (verdicts * real).sum(axis=(1, 2))
    expected = 0.3 / 2 * np.mean((1 + totals) ** 2) * (verdicts**2).sum()
    for kind in KINDS:
        gan = sequences.fixed(kind, LOGITS, verdicts, r1_gamma=0.3)
        _, logs = gan.discriminator_game(tf.constant(real), gan.fakes(tf.constant(real)))
        assert float(logs["gradient_penalty"]) == pytest.approx(expected, rel=1e-5)
        both = sequences.fixed(kind, LOGITS, verdicts, r1_gamma=0.3, r2_gamma=0.3)
        _, logs = both.discriminator_game(tf.constant(real), both.fakes(tf.constant(real)))
        assert float(logs["gradient_penalty"]) > expected * 1.05


@pytest.mark.parametrize(
    ("kind", "precision"), [*itertools.product(KINDS, ["mixed_float16", "mixed_bfloat16"])]
)
def test_it_trains_in_half_precision_with_float32_losses(kind, precision):
    gan = sequences.gan(kind, precision=precision, eager=True, discriminator_steps=2)
    if precision == "mixed_float16":
        for optimizer in (gan.generator_optimizer, gan.discriminator_optimizer):
            optimizer.dynamic_scale.assign(64.0)
    before, losses = small.values(gan.trainable_variables), []
    for player in ("discriminator", "generator"):
        game = getattr(gan, f"{player}_game")
        setattr(gan, f"{player}_game", lambda *a, game=game: noted(game(*a), losses))
    logs = gan.fit(sequences.tokens(48), batch_size=8, verbose=0).history
    assert {keras.backend.standardize_dtype(loss.dtype) for loss in losses} == {"float32"}
    scales = {"d_loss_scale", "g_loss_scale"} if precision == "mixed_float16" else set()
    assert set(logs) == {*gan.tracked, *scales}
    assert all(np.isfinite(value).all() for value in small.values(gan))
    assert np.mean(small.moved(before, gan.trainable_variables)) > 0.8
    assert gan.generate(2, seed=0).shape == (2, 3)


def noted(result, losses):
    losses.append(result[0])
    return result


@pytest.mark.parametrize("kind", KINDS)
def test_it_comes_back_from_a_file_and_goes_on_as_if_nothing_had_been(kind, tmp_path):
    own = {**OWN[kind], **SHARED}
    gan = sequences.gan(kind, eager=True, **own)
    gan.fit(sequences.tokens(32), batch_size=8, verbose=0)
    gan.save(tmp_path / "x.keras")
    again = keras.models.load_model(tmp_path / "x.keras")
    assert type(again) is kind and {name: getattr(again, name) for name in own} == own
    for one in (gan, again):
        one.fit(sequences.tokens(16, seed=1), batch_size=8, verbose=0)
    for a, b in zip(small.values(gan), small.values(again), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(gan.generate(9, seed=1), again.generate(9, seed=1))


@pytest.mark.parametrize("kind", KINDS)
def test_config_has_every_argument(kind):
    config = sequences.gan(kind, **OWN[kind], **SHARED).get_config()
    makers = [kind.__init__, SequenceGAN.__init__, R1GAN.__init__, GAN.__init__]
    taken = {name for maker in makers for name in inspect.signature(maker).parameters}
    assert set(config) == taken - {"self", "options"}
    assert (OWN[kind] | SHARED).items() <= config.items()


@pytest.mark.parametrize("kind", KINDS)
def test_eager_steps_give_the_weights_of_compiled_ones(kind):
    ends = []
    for eager in (False, True):
        gan = sequences.gan(kind, eager=eager, optimizer=sgd)
        gan.fit(sequences.tokens(32), batch_size=8, verbose=0)
        ends.append(small.values(gan))
    for a, b in zip(*ends, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def sgd():
    return keras.optimizers.SGD(0.2)
