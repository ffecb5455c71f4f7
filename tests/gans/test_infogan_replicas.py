"""InfoGAN's codes are those of the global batch: two replicas give the weights of one."""

import json
from pathlib import Path

from tests import small


def test_two_replicas_give_the_weights_and_the_information_of_one():
    script = Path(__file__).with_name("replicas_infogan.py").read_text()
    told = json.loads(small.run_script(script).splitlines()[-1])
    assert told["replicas"] == 2 and told["trained"] > 1e-3
    assert told["weights"] < 1e-5 and told["logs"] < 1e-5
