"""Updates that are not finite: skipped, counted, told of, and the end of a run after too many."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from ganzoo import callbacks
from ganzoo.gans import DCGAN, GANS, GMMN, HingeGAN
from ganzoo.layers import SpectralNormalization
from tests import small
from tests.gans import every_class

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
SKIPPED = "ignore:Step .* skipped:RuntimeWarning"


class Planted(layers.Layer):
    """Passes inputs on, times a number that a test sets: NaN plants a fault."""

    def build(self, input_shape):
        options = {"shape": (), "initializer": "ones", "trainable": False}
        self.factor = self.add_weight(name="factor", **options)

    def call(self, inputs):
        return inputs * keras.ops.cast(self.factor, inputs.dtype)


def networks():
    """With states of every kind behind the planted layer of the discriminator."""
    latents = keras.Input((4,))
    x = layers.BatchNormalization()(layers.Dense(6)(latents))
    x = layers.Dense(2, dtype="float32")(layers.LeakyReLU()(x))
    generator = keras.Model(latents, x, name="generator")
    points = keras.Input((2,))
    x = Planted(name="planted")(points)
    x = SpectralNormalization(layers.Dense(6, name="spectral"))(x)
    x = layers.LeakyReLU()(layers.BatchNormalization()(x))
    return generator, keras.Model(points, layers.Dense(1, name="logits")(x), name="discriminator")


def plant(gan, value):
    gan.discriminator.get_layer("planted").factor.assign(value)


class PlantAt(keras.callbacks.Callback):
    """Plants NaN in steps, counted from 1."""

    def __init__(self, *steps):
        super().__init__()
        self.steps = steps

    def on_train_batch_begin(self, batch, logs=None):
        plant(self.model, np.nan if self.model.steps_done + 1 in self.steps else 1.0)


def players_of(gan, *players):
    """All that an update of the players may change, but for a loss scale; by default of both."""
    found = {
        "generator": [gan.generator, gan.generator_ema, gan.generator_optimizer],
        "discriminator": [gan.discriminator, gan.discriminator_optimizer],
    }
    owners = [owner for player in players or found for owner in found[player]]
    variables = [v for o in owners for v in getattr(o, "weights", None) or o.variables]
    return [v for v in variables if v.name not in ("dynamic_scale", "step_counter", "factor")]


def made(kind=DCGAN, *, scale=64.0, **options):
    gan = small.gan(networks, kind=kind, ema_decay=0.5, **options)
    for optimizer in (gan.generator_optimizer, gan.discriminator_optimizer):
        if hasattr(optimizer, "dynamic_scale"):
            optimizer.dynamic_scale.assign(scale)
    return gan


def step(gan, seed=0):
    return gan.train_step(tf.constant(small.points(8 * gan.discriminator_steps, seed=seed)))


def fit(gan, *watchers, steps=4, epochs=1):
    data = small.points(4 * steps)
    options = {"batch_size": 4, "epochs": epochs, "callbacks": list(watchers), "verbose": 0}
    return gan.fit(data, **options).history


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("graph", [False, True])
def test_a_step_with_nan_leaves_both_players_as_they_were_and_the_next_goes_on(precision, graph):
    gan = made(precision=precision)
    run = tf.function(lambda: step(gan), autograph=False) if graph else lambda: step(gan)
    run()
    before, seed = small.values(players_of(gan)), gan.seed_generator.state.numpy()
    plant(gan, np.nan)
    run()
    assert not any(small.moved(before, players_of(gan)))
    assert all(row == (1, 1, 0) for row in gan.faults.values())
    assert gan.steps_done == 2 and (gan.seed_generator.state.numpy() != seed).any()
    if precision == "mixed_float16":  # no smaller scale would have helped
        assert float(gan.discriminator_optimizer.dynamic_scale) == 64.0
    plant(gan, 1.0)
    run()
    assert all(row == (1, 0, 0) for row in gan.faults.values())
    moves = small.moved(before, players_of(gan))
    assert sum(moves) > 0.8 * len(moves)  # a rate stays, in half precision a gradient may vanish
    assert all(np.isfinite(value).all() for value in small.values(players_of(gan)))


class NaNLoss(HingeGAN):
    """The discriminator's loss is NaN and its gradients are not."""

    def discriminator_loss(self, real_logits, fake_logits):
        return super().discriminator_loss(real_logits, fake_logits) + np.nan


@tf.custom_gradient
def with_infinite_gradient(loss):
    return tf.identity(loss), lambda upstream: upstream * np.inf


class InfiniteGradient(HingeGAN):
    """The generator's gradients are infinite, and its loss is not."""

    def generator_loss(self, fake_logits):
        return with_infinite_gradient(super().generator_loss(fake_logits))


@pytest.mark.parametrize(
    "kind, player, other",
    [
        (NaNLoss, "discriminator", "generator"),
        (InfiniteGradient, "generator", "discriminator"),
    ],
)
def test_a_loss_alone_and_gradients_alone_skip_the_update_of_their_player_alone(
    kind, player, other
):
    gan = made(kind)
    before = {one: small.values(players_of(gan, one)) for one in (player, other)}
    step(gan)
    assert not any(small.moved(before[player], players_of(gan, player)))
    assert any(small.moved(before[other], players_of(gan, other)))
    assert gan.faults[player] == (1, 1, 0) and gan.faults[other] == (0, 0, 0)


def test_each_of_k_updates_is_skipped_by_itself():
    gan = made(HingeGAN, discriminator_steps=3)
    batch = small.points(24)
    batch[8:16] = np.nan  # the second update's
    gan.train_step(tf.constant(batch))
    assert gan.faults["discriminator"] == (1, 0, 0) and gan.faults["generator"] == (0, 0, 0)
    assert int(gan.discriminator_optimizer.iterations) == 2
    assert all(np.isfinite(value).all() for value in small.values(gan))


# those with steps, states or an `after_update` of their own
OWN = {"consensus", "experience_replay", "gmmn", "reinforce", "sgan", "unrolled", "wgan"}


@pytest.mark.parametrize(
    "name", [n if n in OWN else pytest.param(n, marks=pytest.mark.slow) for n in sorted(GANS)]
)
def test_a_skipped_step_of_any_class_changes_nothing_that_learns(name):
    gan, data = every_class.made(name, eager=True)
    games = {game: getattr(gan, game) for game in ("discriminator_game", "generator_game")}

    def poisoned(game):
        def play(*args):
            loss, logs = game(*args)
            return loss * np.nan, logs

        return play

    for label, game in games.items():
        setattr(gan, label, poisoned(game))
    own = [v for v in gan.weights if not v.path.endswith(("steps_done", "steps_kept"))]
    own = [v for v in own if "mean_" not in v.name or "moving" in v.name]  # of the weights' past
    own += [*gan.generator_optimizer.variables, *gan.discriminator_optimizer.variables]
    before = small.values(own)
    gan.train_step(data)
    still = [v.path for v, has in zip(own, small.moved(before, own), strict=True) if has]
    assert not still
    trained = [player for player, row in gan.faults.items() if row.skipped]
    assert trained == (["generator"] if isinstance(gan, GMMN) else ["generator", "discriminator"])
    for label, game in games.items():
        setattr(gan, label, game)
    gan.train_step(data)
    assert all(row.in_a_row == 0 for row in gan.faults.values())
    assert any(small.moved(before, own))
    assert all(np.isfinite(value).all() for value in small.values(own))


def test_every_class_of_the_registry_is_among_them():
    assert set(every_class.MAKERS) == set(GANS)


class Unguarded(DCGAN):
    """Takes every step, as if nothing could go wrong."""

    def apply_gradients(self, player, gradients, *, loss, before=()):
        optimizer = getattr(self, f"{player}_optimizer")
        optimizer.apply(gradients, self.player_variables(player))
        self.after_update(player)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_run_without_faults_has_the_bits_of_one_without_a_guard(precision):
    ends = []
    for kind in (DCGAN, Unguarded):
        gan = made(kind, precision=precision)
        history = fit(gan, steps=5)
        ends.append((gan, history))
    (guarded, logs), (bare, bare_logs) = ends
    for name, values in logs.items():  # a graph that also looks at a loss may round it otherwise
        np.testing.assert_allclose(values, bare_logs[name], rtol=1e-6)
    assert guarded.faults["generator"] == (0, 0, 0)
    pairs = zip(small.values(players_of(guarded)), small.values(players_of(bare)), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)


def test_logs_count_skipped_updates_from_the_first_on_and_average_the_other_steps():
    gan, twin = made(), made()
    with pytest.warns(RuntimeWarning, match="Step 6: the generator's loss .* skipped") as told:
        history = fit(gan, PlantAt(6, 7), epochs=3)
    assert len([one for one in told if one.category is RuntimeWarning]) == 1
    assert history["skipped"] == [4, 4]  # of the second epoch and of the third
    assert len(history["d_loss"]) == 3 and np.isfinite(history["d_loss"]).all()
    healthy = fit(twin, epochs=1)
    assert set(healthy) == set(gan.tracked)
    assert history["d_loss"][0] == healthy["d_loss"][0]


def test_a_mean_leaves_out_what_is_not_finite_and_is_nan_without_anything():
    from ganzoo.gans.guard import Mean

    mean = Mean()
    assert np.isnan(mean.result())
    for value in (np.nan, 1.0, -np.inf, 4.0, np.inf):
        mean.update_state(value)
    assert float(mean.result()) == 2.5


@pytest.mark.filterwarnings(SKIPPED)
def test_too_many_in_a_row_stop_fit_and_the_error_names_step_player_and_checkpoint(tmp_path):
    gan = made(max_skipped=3)
    saved = [tmp_path / "step_2.keras"]
    message = "Step 8: the generator's loss or .* 3 times in a row.* checkpoint is .*step_2.keras"

    class Save(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if gan.steps_done == 7:  # amid the row: what it holds may be the cause
                saved.insert(0, tmp_path / "step_7.keras")

    watchers = [callbacks.StopOnNaN(lambda: saved), Save(), PlantAt(2, 3, 6, 7, 8)]
    with pytest.raises(FloatingPointError, match=message):
        fit(gan, *watchers, steps=10)
    assert gan.faults["discriminator"] == (5, 3, 0)
    assert all(np.isfinite(value).all() for value in small.values(players_of(gan)))
    plant(gan, 1.0)
    callbacks.check_finite(gan)  # what is left may be saved


@pytest.mark.filterwarnings(SKIPPED)
def test_as_many_that_are_not_in_a_row_do_not_stop_fit():
    gan = made(max_skipped=3)
    history = fit(gan, PlantAt(2, 3, 5, 6, 8, 9), steps=10)
    assert gan.steps_done == 10 and history["skipped"] == [12]


@pytest.mark.filterwarnings(SKIPPED)
def test_counts_are_saved_and_a_row_goes_on_after_a_resume(tmp_path):
    gan = made(max_skipped=3)
    fit(gan, PlantAt(3, 4), steps=4)
    gan.save(tmp_path / "x.keras")
    custom = {"Planted": Planted}
    again = keras.models.load_model(tmp_path / "x.keras", custom_objects=custom)
    assert again.faults == gan.faults == {p: (2, 2, 0) for p in ("generator", "discriminator")}
    assert again.max_skipped == 3
    with pytest.raises(FloatingPointError, match="Step 5: "):
        fit(again, PlantAt(5), steps=4)


def test_an_epoch_of_nothing_else_does_not_stop_a_run_before_its_time():
    gan = made(max_skipped=6)
    with pytest.warns(RuntimeWarning, match="skipped"):
        history = fit(gan, callbacks.StopOnNaN(), PlantAt(1, 2, 3, 4), epochs=2)
    assert np.isnan(history["d_loss"][0]) and np.isfinite(history["d_loss"][1])


def test_a_log_that_is_not_finite_without_a_skipped_update_stops_a_run():
    class Odd(DCGAN):
        def discriminator_logs(self, *args):
            return {**super().discriminator_logs(*args), "d_real": tf.constant(np.nan)}

    gan = made(Odd)
    with pytest.raises(FloatingPointError, match="d_real is nan at step 4: the run has diverged"):
        fit(gan)


@pytest.mark.parametrize("value", [0, -1, 2.5, True])
def test_max_skipped_is_a_whole_number(value):
    with pytest.raises(ValueError, match="Expected max_skipped, a whole number >= 1"):
        made(max_skipped=value)
