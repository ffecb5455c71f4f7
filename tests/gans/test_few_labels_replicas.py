"""The semi-supervised GAN on two logical CPUs; replicas_few_labels.py is what runs on them."""

import json
from pathlib import Path

from tests import small


def test_graph_steps_on_two_replicas_give_the_weights_of_eager_ones_on_one():
    script = "import runpy, sys; sys.argv.pop(0); runpy.run_path(sys.argv[0], run_name='__main__')"
    printed = small.run_script(script, Path(__file__).with_name("replicas_few_labels.py"))
    told = json.loads(printed.splitlines()[-1])
    assert told["moved"] > 1e-3
    assert set(told["apart"]) == {
        "generator_ema", "generator", "discriminator", "discriminator_ema",
    }  # fmt: skip
    assert max(told["apart"].values()) < 1e-5 and told["logs"] < 1e-4
    assert told["seeds"][0] == told["seeds"][1] and told["classified"]
