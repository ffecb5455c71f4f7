"""Batch norms over all replicas, and commands on two of them (logical CPUs)."""

import re

import keras
import numpy as np
import pytest

from ganzoo import builders, registry
from ganzoo.gans.checks import batch_norms
from ganzoo.layers import ConditionalBatchNormalization
from ganzoo.networks import norms
from tests import small

REPLICAS = """
import contextlib, io, json, sys
import numpy as np
from ganzoo import builders, cli, metrics, registry, weights
from ganzoo.strategy import get_strategy
from tests import small
from tests.test_synchronized import CHANGES, Mean

def fitted(strategy, sync, labels, seed=0):
    changes = {**CHANGES, "training.sync_batch_norm": sync, "training.seed": seed}
    if labels:
        changes |= {"gan.class": "cgan", "gan.classes": 3}
        changes |= {"generator.conditioning": "batch_norm", "discriminator.conditioning": "concat"}
    gan = builders.build(registry.entry("dcgan_digits", changes), strategy=strategy)
    data = [small.images(80, size=8)] + [np.arange(80) % 3] * labels
    gan.fit(*data, batch_size=8, epochs=2, shuffle=False, verbose=0)
    return gan

def farthest(first, second):
    pairs = zip(small.values(first), small.values(second), strict=True)
    return float(max(np.abs(a - b).max() for a, b in pairs))

told = {}
for labels in (False, True):
    one, two = (fitted(name, True, labels) for name in ("cpu", "mirrored"))
    apart = fitted("mirrored", False, labels)
    told["labels" if labels else "plain"] = {
        "steps": two.steps_done,
        "synchronized": farthest(one.trainable_variables, two.trainable_variables),
        "statistics": farthest(one.generator_ema, two.generator_ema),
        "apart": farthest(one.trainable_variables, apart.trainable_variables),
    }
    if not labels:
        gan, mirrored = one, two

folder = sys.argv[1]
weights.write(f"{folder}/x.safetensors", weights.collect(gan, dtype="float32"), {})
given = [f"--weights={folder}/x.safetensors", "--set=training.sync_batch_norm=true"]
given += [f"--set={key}={json.dumps(value)}" for key, value in CHANGES.items()]
for name in ("cpu", "mirrored"):
    words = [f"--strategy={name}", f"--out={folder}/{name}.npz", "--num=40", *given]
    with contextlib.redirect_stdout(io.StringIO()):
        assert cli.main(["generate", "dcgan_digits", *words]) == 0
    gan = builders.build(registry.entry("dcgan_digits", CHANGES), strategy=name)
    weights.assign(gan, weights.load(f"{folder}/x.safetensors"))
    options = {"images": 24, "metrics": ["frechet_distance", "precision"], "extractor": Mean()}
    scores = metrics.evaluate(gan, small.images(60, size=8), cache=False, progress=False, **options)
    told[name] = scores.values_only
    words = [f"--strategy={name}", "--images=300", "--metrics=fcd", "--nofloor", "--json", *given]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        code = cli.main(["evaluate", "dcgan_digits", *words])
    told[f"{name} command"] = [code, printed.getvalue()]
images = [np.load(f"{folder}/{name}.npz")["images"].astype(int) for name in ("cpu", "mirrored")]
told["images"] = [list(images[0].shape), int(np.abs(images[0] - images[1]).max())]
print(json.dumps(told))
"""
CHANGES = {
    "gan.latent_dim": 6,
    "generator.width": 2,
    "discriminator.width": 2,
    "optimizers.generator": {"class": "sgd", "learning_rate": 0.2},
    "optimizers.discriminator": {"class": "sgd", "learning_rate": 0.2},
}


class Mean:
    """An extractor that computes nothing but means of rows."""

    name, hash, resize, dimension, classes, channels = "mean", "0" * 64, "none", 8, 0, (1,)

    def __call__(self, images):
        return np.asarray(images, np.float32).mean(axis=(2, 3)) / 255, None


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    return small.run_on_two_cpus(REPLICAS, tmp_path_factory.mktemp("x"))


@pytest.mark.parametrize("kind", ["plain", "labels"])
def test_synchronised_norms_on_two_replicas_give_the_weights_of_one(told, kind):
    found = told[kind]
    assert found["steps"] == 20
    assert found["synchronized"] < 1e-4 < 1e-3 < found["apart"]
    # each replica has the same moving statistics then, those of the whole batch
    assert found["statistics"] < 1e-4


def test_generate_and_evaluate_on_two_replicas_give_what_they_give_on_one(told):
    shape, farthest = told["images"]
    assert shape == [40, 8, 8, 1] and farthest <= 1
    assert told["mirrored"] == pytest.approx(told["cpu"], rel=1e-4)
    scores = []
    for name in ("cpu", "mirrored"):
        code, printed = told[f"{name} command"]
        assert code == 0 and '"fcd"' in printed
        scores.append([float(number) for number in re.findall(r"-?\d+\.\d+", printed)])
    assert scores[0] and scores[1] == pytest.approx(scores[0], rel=1e-3)


def test_the_option_reaches_every_batch_norm_and_files(tmp_path):
    config = registry.entry("dcgan_digits", {**CHANGES, "training.sync_batch_norm": True})
    gan = builders.build(config)
    gan.save(tmp_path / "x.keras")
    for one in (gan, keras.models.load_model(tmp_path / "x.keras")):
        for network in one.networks.values():
            found = batch_norms(network)
            assert found and all(layer.synchronized for layer in found)
    plain = builders.build(registry.entry("dcgan_digits", CHANGES))
    assert not any(layer.synchronized for layer in batch_norms(plain.generator))


def test_a_conditional_norm_is_copied_as_it_is():
    features, labels = keras.Input((3,)), keras.Input((), dtype="int32")
    layer = ConditionalBatchNormalization(2, name="norm")
    model = keras.Model([features, labels], layer([features, labels]))
    assert not layer.norm.synchronized
    norms.synchronize([model])
    copy = keras.models.clone_model(model).get_layer("norm")
    assert layer.norm.synchronized and copy.norm.synchronized
