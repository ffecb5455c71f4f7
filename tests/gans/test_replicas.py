"""Two replicas, on two logical CPUs, do what one does; replicas.py is what runs on them."""

from pathlib import Path

import numpy as np
import pytest

from tests import small


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    script = Path(__file__).with_name("replicas.py")
    return small.run_on_two_cpus(script, tmp_path_factory.mktemp("replicas"))


def test_five_steps_of_sgd_on_two_replicas_give_the_weights_of_one(told):
    compare = told["compare"]
    assert compare["replicas"] == 2 and compare["steps_done"] == [5, 5]
    assert compare["trained"] > 0.01  # they did move
    assert compare["weights"] < 1e-5
    assert compare["average"] < 1e-5


def test_a_missing_division_by_the_replica_count_would_be_seen(told):
    assert told["compare"]["summed"] > 1e-3


def test_latents_that_repeat_on_each_replica_would_be_seen(told):
    assert told["compare"]["same_latents"] > 1e-4
    assert told["compare"]["seeds"][0] == told["compare"]["seeds"][1]


def test_a_data_set_gives_the_same_weights_too(told):
    assert told["compare"]["data_set"] < 1e-5


def test_logs_are_those_of_one_replica(told):
    one, two = told["compare"]["logs"]
    assert set(one) == {"d_loss", "g_loss", "d_real", "d_fake"}
    for name, values in one.items():
        np.testing.assert_allclose(two[name], values, rtol=1e-4)


def test_images_are_those_of_one_replica(told):
    assert told["compare"]["images"] <= 1


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_networks_with_batch_norm_train_in_half_precision_and_replicas_stay_equal(told, precision):
    found = told["precisions"][precision]
    assert found["finite"] and found["copies"] == 0.0
    assert found["shape"] == [3, 16, 16, 1]


def test_an_overflow_on_one_replica_skips_the_step_on_all(told):
    expected = {"finite": True, "same": True, "moved": False, "scale": 0.5, "faults": [0, 0, 1]}
    assert told["overflow"] == expected


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_nan_on_one_replica_skips_the_update_on_all_and_the_next_goes_on(told, precision):
    same = {"finite": True, "same": True, "scale": 1.0}
    broken, whole = told["not_a_number"][precision]
    assert broken == {**same, "moved": False, "faults": [1, 1, 0]}
    assert whole == {**same, "moved": True, "faults": [1, 0, 0]}


def test_micro_batches_on_two_replicas_give_the_weights_of_whole_batches_on_one(told):
    assert max(told["accumulated"]) < 1e-5


def test_a_batch_that_replicas_cannot_share_raises(told):
    messages = told["refusals"]["messages"]
    assert ["2 replicas can share evenly" in text for text in messages] == [True, True]
    assert ["Received: 3." in messages[0], "Received: 9." in messages[1]] == [True, True]


def test_a_distributed_data_set_is_taken(told):
    assert told["refusals"]["distributed"] == 5


def test_a_resumed_run_on_two_replicas_equals_the_uninterrupted_one(told):
    assert told["run"] == {"steps_done": [8, 8], "resumed": 0.0, "replicas": 2}


def test_a_mirrored_gan_comes_back_from_its_file(told):
    assert told["saved"]["again"] < 1e-6


def test_asking_twice_for_mirrored_gives_one_strategy(told):
    assert told["compare"]["same_strategy"]
