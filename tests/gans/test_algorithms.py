"""What each GAN with an algorithm or a state of its own must do, beside the claims of its paper."""

import functools
import inspect

import keras
import numpy as np
import pytest

from ganzoo.gans.base import GAN
from tests import small
from tests.gans import algorithms, points

KINDS = list(algorithms.OPTIONS)


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("kind", KINDS)
def test_it_trains_in_half_precision_with_float32_losses(kind, precision):
    gan = algorithms.made(kind, precision=precision, eager=True)
    before, losses = small.values(gan.trainable_variables), []
    for player in ("discriminator", "generator"):
        game = getattr(gan, f"{player}_game")
        noted = functools.partial(note, game, losses)
        setattr(gan, f"{player}_game", noted)
    gan.fit(points.points(24), batch_size=8, verbose=0)
    assert {keras.backend.standardize_dtype(loss.dtype) for loss in losses} == {"float32"}
    assert all(np.isfinite(value).all() for value in small.values(gan))
    assert all(small.moved(before, gan.trainable_variables))


def note(game, losses, *args):
    loss, logs = game(*args)
    losses.append(loss)
    return loss, logs


@pytest.mark.parametrize("kind", KINDS)
def test_it_comes_back_from_a_file_and_goes_on_as_if_nothing_had_been(kind, tmp_path):
    gan = algorithms.made(kind, eager=True)
    gan.fit(points.points(32), batch_size=8, verbose=0)
    gan.save(tmp_path / "x.keras")
    again = keras.models.load_model(tmp_path / "x.keras")
    assert type(again) is kind
    own = algorithms.OPTIONS[kind]
    assert {name: getattr(again, name) for name in own} == own
    for one in (gan, again):
        one.fit(points.points(16, seed=1), batch_size=8, verbose=0)
    for a, b in zip(small.values(gan), small.values(again), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", KINDS)
def test_eager_steps_give_the_weights_of_compiled_ones(kind):
    ends = []
    for eager in (False, True):
        gan = algorithms.made(kind, eager=eager, optimizer=functools.partial(sgd, 0.2))
        gan.fit(points.points(16), batch_size=8, verbose=0)
        ends.append(small.values(gan))
    for a, b in zip(*ends, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def sgd(rate):
    return keras.optimizers.SGD(rate)


@pytest.mark.parametrize("kind", KINDS)
def test_config_has_every_argument(kind):
    config = algorithms.made(kind).get_config()
    makers = [kind.__init__, GAN.__init__]
    taken = {name for maker in makers for name in inspect.signature(maker).parameters}
    assert set(config) == taken - {"self", "options"}
    assert algorithms.OPTIONS[kind].items() <= config.items()
