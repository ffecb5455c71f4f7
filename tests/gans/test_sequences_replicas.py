"""GANs of sequences on two logical CPUs; sequences_replicas.py is what runs on them."""

import json
from pathlib import Path

import pytest

from tests import small


@pytest.fixture(scope="module")
def told():
    script = "import runpy, sys; sys.argv.pop(0); runpy.run_path(sys.argv[0], run_name='__main__')"
    printed = small.run_script(script, Path(__file__).with_name("sequences_replicas.py"))
    return json.loads(printed.splitlines()[-1])


@pytest.mark.parametrize("kind", ["GumbelGAN", "ReinforceGAN"])
def test_two_replicas_give_the_weights_and_the_state_of_one(told, kind):
    assert told[kind]["way"] > 0.01  # they did move
    assert told[kind]["far"] < 1e-5


def test_replicas_stay_equal_and_finite_in_half_precision(told):
    assert told["float16"] == 0.0
