"""Penalties on two replicas, on two logical CPUs; replicas_penalties.py is what runs on them."""

from pathlib import Path

import pytest

from tests import small
from tests.gans.penalty_kinds import KINDS


@pytest.fixture(scope="module")
def told():
    return small.run_on_two_cpus(Path(__file__).with_name("replicas_penalties.py"))


@pytest.mark.parametrize("name", KINDS)
def test_graph_steps_on_two_replicas_give_the_weights_of_eager_ones_on_one(told, name):
    assert told[name]["moved"] > 1e-3
    assert told[name]["apart"] < 1e-5


def test_a_lazy_penalty_of_networks_with_batch_norm_works_on_two_replicas_in_float16(told):
    assert told["in float16"] == {"finite": True, "steps": 2}
