"""Optimizers, compiling again, freezing layers: what fine-tuning rests on."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.gans import DCGAN, model
from tests import small

PLAYERS = ("generator", "discriminator")


def fit(gan, count=8):
    gan.fit(small.images(count), batch_size=4, verbose=0)


def optimizers(gan):
    return gan.generator_optimizer, gan.discriminator_optimizer


def test_by_default_each_player_has_dcgans_adam():
    first, second = optimizers(small.gan())
    assert first is not second
    for one in (first, second):
        assert isinstance(one, keras.optimizers.Adam)
        assert (float(one.learning_rate), one.beta_1) == (pytest.approx(2e-4), 0.5)


def test_optimizers_are_built_for_their_own_players_variables():
    gan = small.gan()
    for player, optimizer in zip(PLAYERS, optimizers(gan), strict=True):
        # Adam: a counter, a rate, and two moments a variable
        shapes = [tuple(v.shape) for v in gan.player_variables(player)]
        slots = [tuple(v.shape) for v in optimizer.variables if v.shape != ()]
        assert sorted(slots) == sorted(shapes * 2)


def test_another_learning_rate_counts_for_both_and_keeps_the_rest():
    gan = small.gan()
    gan.compile(keras.optimizers.Adam(1e-3, beta_1=0.3), "rmsprop")
    gan.compile(learning_rate=5e-5)
    adam, rmsprop = optimizers(gan)
    assert isinstance(adam, keras.optimizers.Adam) and adam.beta_1 == 0.3
    assert isinstance(rmsprop, keras.optimizers.RMSprop)
    for one in (adam, rmsprop):
        assert float(one.learning_rate) == pytest.approx(5e-5)


def test_names_configs_and_instances_are_taken():
    gan = small.gan()
    mine = keras.optimizers.SGD(0.25)
    gan.compile(mine, {"class_name": "Adam", "config": {"learning_rate": 0.125}})
    first, second = optimizers(gan)
    assert first is mine
    assert isinstance(second, keras.optimizers.Adam) and float(second.learning_rate) == 0.125
    gan.compile(discriminator_optimizer="sgd")
    first, second = optimizers(gan)
    assert first is not mine and float(first.learning_rate) == 0.25
    assert isinstance(second, keras.optimizers.SGD)


def test_a_name_for_both_players_gives_each_its_own():
    gan = small.gan(eager=True)
    gan.compile("adam", "adam", run_eagerly=True)
    first, second = optimizers(gan)
    assert first is not second
    fit(gan)


def test_compiling_again_starts_with_fresh_moments():
    gan = small.gan(eager=True)
    fit(gan)
    assert int(gan.generator_optimizer.iterations) == 2
    gan.compile()
    for one in optimizers(gan):
        assert int(one.iterations) == 0
        assert not any(np.any(v.numpy()) for v in one.variables if v.shape != ())


def test_steps_after_compiling_again_use_the_new_optimizers():
    gan = small.gan(small.dense)  # a graph each time
    fit(gan)
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.5))
    before = [small.values(gan.player_variables(player)) for player in PLAYERS]
    fit(gan)
    assert not any(small.moved(before[0], gan.player_variables("generator")))
    assert all(small.moved(before[1], gan.player_variables("discriminator")))
    gan.compile(learning_rate=0.5)
    fit(gan)
    assert all(small.moved(before[0], gan.player_variables("generator")))
    assert gan.steps_done == 6  # goes on counting


def test_sgd_moves_by_exactly_the_learning_rate_times_the_gradient():
    # the rate that was set is the rate that acts: twice the rate, twice the way
    ways = []
    for rate in (0.125, 0.25):
        gan = small.gan(small.dense)
        gan.compile("sgd", "sgd", learning_rate=rate, run_eagerly=True)
        before = small.values(gan.player_variables("discriminator"))
        fit(gan, 4)
        after = small.values(gan.player_variables("discriminator"))
        ways.append([b - a for a, b in zip(before, after, strict=True)])
    for once, twice in zip(*ways, strict=True):
        np.testing.assert_allclose(2 * once, twice, rtol=1e-3, atol=1e-7)


def test_fit_without_compile_says_so():
    gan = DCGAN(*small.convolutional(), latent_dim=5)
    with pytest.raises(ValueError, match=r"call `compile\(\)`"):
        fit(gan)


def test_an_unknown_optimizer_raises():
    with pytest.raises(ValueError, match="adamm"):
        small.gan().compile("adamm")


@pytest.mark.parametrize("pays", [False, True])
def test_xla_is_used_where_it_pays(monkeypatch, pays):
    monkeypatch.setattr(model, "xla_pays", lambda strategy: pays)
    gan = small.gan()
    assert gan.jit_compile is pays
    gan.compile(jit_compile=not pays)
    assert gan.jit_compile is not pays


@pytest.mark.parametrize(("asked", "here", "there"), [(True, True, True), ("auto", False, True)])
def test_what_was_asked_of_xla_outlives_freezing_and_saving(
    tmp_path, monkeypatch, asked, here, there
):
    gan = small.gan()
    gan.compile(jit_compile=asked, steps_per_execution=2)
    gan.freeze_discriminator(layers=1)
    assert (gan.jit_compile, gan.steps_per_execution) == (here, 2)
    gan.save(tmp_path / "x.keras")
    monkeypatch.setattr(model, "xla_pays", lambda strategy: True)  # as on another machine
    again = keras.models.load_model(tmp_path / "x.keras")
    assert (again.jit_compile, again.steps_per_execution) == (there, 2)


class FixedLatents(DCGAN):
    """XLA has normal numbers of its own."""

    def sample_latents(self, count):
        return tf.reshape(tf.linspace(-2.0, 2.0, 4 * self.latent_dim), (4, self.latent_dim))


def test_a_step_compiled_by_xla_gives_the_same_weights():
    ends = []
    for jit in (False, True):
        gan = small.gan(small.dense, kind=FixedLatents)
        gan.compile("sgd", "sgd", jit_compile=jit)
        fit(gan)
        ends.append(small.values(gan))
    for a, b in zip(*ends, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def weighted(gan):
    return [layer for layer in gan.discriminator.layers if layer.weights]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_frozen_layers_stay_statistics_included_and_the_others_move(count):
    gan = small.gan()
    gan.compile(learning_rate=0.01, run_eagerly=True)
    fit(gan)
    gan.freeze_discriminator(layers=count)
    assert gan.run_eagerly  # the other choices of compile stay
    layers = weighted(gan)
    assert [layer.name for layer in layers] == ["down1", "down2", "down2_norm", "logits"]
    before = [small.values(layer.weights) for layer in layers]
    fit(gan)
    for position, layer in enumerate(layers):
        stays = position < count
        assert all(m is not stays for m in small.moved(before[position], layer.weights)), layer.name
    for one in optimizers(gan):
        assert float(one.learning_rate) == pytest.approx(0.01)


def test_freezing_0_layers_unfreezes_all():
    gan = small.gan(eager=True)
    gan.freeze_discriminator(layers=3)
    gan.freeze_discriminator(layers=0)
    before = small.values(gan.discriminator)
    fit(gan)
    assert all(small.moved(before, gan.discriminator))


def test_a_frozen_discriminator_still_leads_the_generator():
    gan = small.gan(eager=True)
    gan.freeze_discriminator(layers=3)
    before = small.values(gan.generator)
    fit(gan)
    assert all(small.moved(before, gan.generator))


@pytest.mark.parametrize("count", [-1, 4, 99])
def test_freezing_all_layers_or_less_than_none_raises(count):
    with pytest.raises(ValueError, match=f"0 <= layers < 4, .*Received: layers={count}"):
        small.gan().freeze_discriminator(layers=count)
