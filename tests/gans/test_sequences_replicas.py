"""GANs of sequences on two logical CPUs; sequences_replicas.py is what runs on them."""

from pathlib import Path

import pytest

from tests import small


@pytest.fixture(scope="module")
def told():
    return small.run_on_two_cpus(Path(__file__).with_name("sequences_replicas.py"))


@pytest.mark.parametrize("kind", ["GumbelGAN", "ReinforceGAN"])
def test_two_replicas_give_the_weights_and_the_state_of_one(told, kind):
    assert told[kind]["way"] > 0.01  # they did move
    assert told[kind]["far"] < 1e-5


def test_replicas_stay_equal_and_finite_in_half_precision(told):
    assert told["float16"] == 0.0
