"""Games that compare the images of a batch give the weights of one replica on two."""

from pathlib import Path

import pytest

from tests import small


@pytest.fixture(scope="module")
def told():
    return small.run_on_two_cpus(Path(__file__).with_name("replicas_games.py"))


# kernels of distances round more: 3e-5 apart on a processor without AVX-512, 0.17 by a wrong game
@pytest.mark.parametrize(("game", "apart"), [("ragan", 1e-5), ("gmmn", 1e-4)])
def test_two_replicas_give_the_weights_and_the_losses_of_one(told, game, apart):
    assert told[game]["weights"] < apart and told[game]["logs"] < 1e-5


def test_comparing_within_a_replicas_share_would_be_another_game(told):
    assert told["shares"]["weights"] > 1e-3
