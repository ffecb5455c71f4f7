"""InfoGAN's codes are those of the global batch: two replicas give the weights of one."""

from pathlib import Path

from tests import small


def test_two_replicas_give_the_weights_and_the_information_of_one():
    told = small.run_on_two_cpus(Path(__file__).with_name("replicas_infogan.py"))
    assert told["replicas"] == 2 and told["trained"] > 1e-3
    assert told["weights"] < 1e-5 and told["logs"] < 1e-5
