"""Networks of sequences: shapes, types, options, and what each position can see."""

import keras
import numpy as np
import pytest

from ganzoo.networks.sequences import BODIES, sequence_discriminator, sequence_generator
from ganzoo.strategy import precision_scope

SHAPE, VOCABULARY, LATENT_DIM = (3,), 4, 5
SIZES = {"vocabulary": VOCABULARY, "width": 6}


def generator(**options):
    return sequence_generator(SHAPE, latent_dim=LATENT_DIM, **{**SIZES, **options})


def discriminator(**options):
    return sequence_discriminator(SHAPE, **{**SIZES, **options})


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_latents_become_float32_logits_of_tokens_and_sequences_a_verdict(body, precision):
    with precision_scope(precision):
        made, judge = generator(body=body), discriminator(body=body)
    assert (made.input_shape, made.output_shape) == ((None, 5), (None, 3, 4))
    assert (judge.input_shape, judge.output_shape) == ((None, 3, 4), (None, 1))
    logits = made(normal(2, 5))
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    assert judge(normal(2, 3, 4)).shape == (2, 1)


@pytest.mark.parametrize("body", BODIES)
def test_depth_and_width_are_the_hidden_layers(body):
    for network in (generator(body=body, depth=3, width=7), discriminator(body=body, depth=3)):
        hidden = [one for one in network.layers if one.name in ("hidden1", "hidden2", "hidden3")]
        assert len(hidden) == 3
        assert {one.units for one in hidden} == {7 if network.name.endswith("generator") else 6}


@pytest.mark.parametrize("body", BODIES)
def test_every_position_counts_and_has_logits_of_its_own(body):
    keras.utils.set_random_seed(0)
    one = np.repeat(np.array(generator(body=body)(normal(1, 5))), 1, axis=0)[0]
    assert len(np.unique(one.round(6), axis=0)) == 3
    judge, sequence = discriminator(body=body), normal(1, 3, 4)
    for position in range(3):
        other = sequence.copy()
        other[:, position] += 1
        assert abs(float(judge(sequence)[0, 0]) - float(judge(other)[0, 0])) > 1e-6


@pytest.mark.parametrize(
    ("network", "layer"),
    [
        (generator(norm="batch"), "hidden2_norm"),
        (generator(norm="layer"), "hidden1_norm"),
        (discriminator(norm="layer"), "hidden2_norm"),
        (discriminator(head="minibatch_discrimination", kernels=3), "minibatch_discrimination"),
        (discriminator(head="minibatch_stddev"), "minibatch_stddev"),
    ],
)
def test_norms_and_heads_are_there(network, layer):
    assert layer in [one.name for one in network.layers]


@pytest.mark.parametrize("norm", ["spectral", "weight"])
def test_norms_of_kernels_wrap_the_logits_too(norm):
    wrapped = [one for one in discriminator(norm=norm).layers if hasattr(one, "layer")]
    assert len(wrapped) == 3
    assert len(generator(norm="batch").weights) == 2 * (1 + 4) + 2  # no bias before a norm


@pytest.mark.parametrize("body", BODIES)
def test_they_are_cloned_and_come_back_from_a_file(body, tmp_path):
    for number, network in enumerate((generator(body=body), discriminator(body=body))):
        x = normal(2, *network.input_shape[1:])
        copy = keras.models.clone_model(network)
        copy.set_weights(network.get_weights())
        network.save(tmp_path / f"{number}.keras")
        for other in (copy, keras.models.load_model(tmp_path / f"{number}.keras")):
            np.testing.assert_allclose(network(x), other(x), atol=1e-6)


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (generator, {"vocabulary": 1}, "Expected vocabulary >= 2. Received: vocabulary=1"),
        (discriminator, {"depth": 0}, "Expected depth >= 1. Received: depth=0"),
        (generator, {"body": "gro"}, "Unknown body 'gro'; did you mean 'gru'"),
        (generator, {"norm": "spectral"}, "Unknown norm 'spectral'"),
        (generator, {"norm": "batch", "body": "gru"}, "Unknown norm 'batch'"),
        (discriminator, {"norm": "batch"}, "Unknown norm 'batch'"),
        (discriminator, {"head": "plane"}, "Unknown head 'plane'; did you mean 'plain'"),
    ],
)
def test_wrong_options_are_refused(make, options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


def test_shapes_of_no_sequences_are_refused():
    for shape in ((3, 4), (0,), ()):
        with pytest.raises(ValueError, match=r"Expected shape \(T,\) of a sequence of tokens"):
            sequence_discriminator(shape, vocabulary=4)
