"""Optimizers and schedules from a config."""

import keras
import numpy as np
import pytest

from ganzoo import builders, registry
from ganzoo.config import ConfigError
from tests import small

COSINE = {"class": "cosine_decay", "initial_learning_rate": 0.01, "decay_steps": 8}


def built(rate, player="generator"):
    small_digits = {"generator.width": 2, "discriminator.width": 2}
    changes = {**small_digits, f"optimizers.{player}.learning_rate": rate}
    return builders.build(registry.entry("dcgan_digits", changes))


def test_a_schedule_decays_over_the_players_own_updates():
    gan = built(COSINE)
    gan.fit(small.images(16, size=8), batch_size=4, verbose=0)
    expected = 0.01 * 0.5 * (1 + np.cos(np.pi * 4 / 8))
    assert float(gan.generator_optimizer.learning_rate) == pytest.approx(expected, rel=1e-5)
    assert float(gan.discriminator_optimizer.learning_rate) == pytest.approx(2e-4)


def test_a_schedule_survives_saving(tmp_path):
    gan = built(COSINE)
    gan.fit(small.images(12, size=8), batch_size=4, verbose=0)
    gan.save(tmp_path / "x.keras")
    again = keras.models.load_model(tmp_path / "x.keras")
    rates = [float(one.generator_optimizer.learning_rate) for one in (gan, again)]
    assert rates[0] == rates[1] < 0.01


def test_compile_can_replace_a_schedule_by_a_rate():
    gan = built(COSINE)
    gan.compile(learning_rate=0.5)
    assert float(gan.generator_optimizer.learning_rate) == 0.5
    gan.fit(small.images(4, size=8), batch_size=4, verbose=0)
    assert float(gan.generator_optimizer.learning_rate) == 0.5


def test_compile_anew_starts_the_schedule_again():
    gan = built(COSINE)
    gan.fit(small.images(16, size=8), batch_size=4, verbose=0)
    gan.compile()
    assert float(gan.generator_optimizer.learning_rate) == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        ({"class": "cosine_decai", "decay_steps": 8}, "cosine_decay"),
        ({**COSINE, "decay_stepps": 1}, "decay_steps"),
        ({"class": "cosine_decay", "decay_steps": 8}, "initial_learning_rate: missing"),
        ({"decay_steps": 8}, "a schedule's class"),
        (0, "a number > 0"),
        ("fast", "a number > 0"),
    ],
)
def test_what_is_no_rate_is_refused_with_its_key(rate, message):
    with pytest.raises(ConfigError, match=message) as raised:
        built(rate)
    assert "optimizers.generator.learning_rate" in str(raised.value)
