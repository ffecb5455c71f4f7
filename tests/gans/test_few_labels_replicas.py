"""The semi-supervised GAN on two logical CPUs; replicas_few_labels.py is what runs on them."""

from pathlib import Path

from tests import small


def test_graph_steps_on_two_replicas_give_the_weights_of_eager_ones_on_one():
    told = small.run_on_two_cpus(Path(__file__).with_name("replicas_few_labels.py"))
    assert told["moved"] > 1e-3
    assert set(told["apart"]) == {
        "generator_ema", "generator", "discriminator", "discriminator_ema",
    }  # fmt: skip
    assert max(told["apart"].values()) < 1e-5 and told["logs"] < 1e-4
    assert told["seeds"][0] == told["seeds"][1] and told["classified"]
