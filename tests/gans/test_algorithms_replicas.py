"""Two replicas, on two logical CPUs; algorithms_replicas.py is what runs on them."""

from pathlib import Path

import pytest

from tests import small
from tests.gans import algorithms


@pytest.fixture(scope="module")
def told():
    return small.run_on_two_cpus(Path(__file__).with_name("algorithms_replicas.py"))


@pytest.mark.parametrize("kind", [kind.__name__ for kind in algorithms.OPTIONS])
def test_two_replicas_give_the_weights_and_the_state_of_one(told, kind):
    assert told[kind]["way"] > 0.02  # they did move
    assert told[kind]["far"] < 1e-5


@pytest.mark.parametrize("kind", ["UnrolledGAN", "ReplayGAN"])
def test_replicas_stay_equal_and_finite_in_half_precision(told, kind):
    assert told["float16"][kind] == 0.0
