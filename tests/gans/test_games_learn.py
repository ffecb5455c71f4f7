"""Every game learns where a cloud of points is, in compiled steps."""

import keras
import numpy as np
import pytest

from ganzoo.gans import GANS
from tests import small

CENTRE = [1.2, -0.6]
GAMES = [
    ("minimax", {}),
    ("maximum_likelihood", {}),
    ("lsgan", {}),
    ("hinge", {}),
    ("ragan", {}),
    ("bgan", {}),
    ("f_gan", {"divergence": "kl"}),
    ("f_gan", {"divergence": "jensen_shannon", "non_saturating": True}),
]


def points():
    latents, shown = keras.Input((2,)), keras.Input((2,))
    moved = keras.layers.Dense(2, kernel_initializer="identity")(latents)
    hidden = keras.layers.Dense(24, activation="tanh")(shown)
    return keras.Model(latents, moved), keras.Model(shown, keras.layers.Dense(1)(hidden))


@pytest.mark.parametrize(("name", "options"), GAMES)
def test_a_game_learns_where_the_points_are(name, options):
    gan = small.gan(points, kind=GANS[name], ema_decay=0.9, **options)
    gan.compile(learning_rate=0.01)
    noise = np.random.default_rng(0).standard_normal((4096, 2))
    data = (CENTRE + noise).astype("float32")

    def distance():
        return float(np.abs(gan.generate(2000, seed=0).mean(0) - CENTRE).max())

    before = distance()
    history = gan.fit(data, batch_size=64, epochs=4, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    assert before > 1.1 and distance() < 0.4
