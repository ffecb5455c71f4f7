"""The speed of training steps: what is measured, and done alike in PyTorch."""

import functools
import os
from pathlib import Path

import keras
import numpy as np
import pytest

from ganzoo.gans import GANS

ROOT = Path(__file__).parents[1]
SMALL = {"shape": (16, 16, 3), "width": 8, "hidden": 0, "batch_size": 8}


@pytest.fixture(autouse=True)
def checkout(monkeypatch):
    """Processes that a benchmark starts import this checkout."""
    before = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(ROOT), before])))


# -- what is measured ----------------------------------------------------------------------------


def test_every_gan_of_the_registry_is_measured(script):
    subject = script("subject")
    assert set(subject.needs((28, 28, 1))) < set(GANS)
    for name in GANS:  # one that fails here needs something: see `needs`
        assert type(subject.made(gan=name, shape=(8, 8, 1), width=2, batch_size=4)) is GANS[name]
    with pytest.raises(ValueError, match="did you mean 'dcgan'"):
        subject.config(gan="dcgam", shape=(28, 28, 1), width=64, batch_size=64)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(GANS))
def test_every_gan_takes_the_steps_that_are_measured(script, name):
    subject = script("subject")
    gan = subject.made(gan=name, shape=(8, 8, 1), width=4, batch_size=4)
    step = subject.compiled_step(gan, 4)
    for _ in range(2):
        step()
    assert gan.steps_done == 2
    assert all(one.skipped == 0 for one in gan.faults.values())


def test_those_with_a_twin_come_first_and_dcgan_alone_at_other_shapes(script):
    module = script("train_step")
    every = module.chosen(["all"])
    assert every[:4] == ["dcgan", "wgan_gp", "hinge", "infogan"]
    assert sorted(every) == list(GANS)
    assert module.chosen(["wgan", "cgan", "infogan"]) == ["infogan", "cgan", "wgan"]
    small, large = (28, 28, 1), (64, 64, 3)
    assert module.planned(["dcgan", "wgan"], [small, large]) == [
        (small, "dcgan"),
        (small, "wgan"),
        (large, "dcgan"),
    ]
    assert module.planned(["wgan"], [small, large]) == [(small, "wgan")]


def rounds_of(*speeds):
    """Rounds of (images a second, matmul rate) of ganzoo and of PyTorch, 4 images a step."""
    names = ("ganzoo", "pytorch")
    keys = ("images_a_second", "matmul_multiply_adds_a_second", "ms", "steps")
    return [
        {
            name: dict(zip(keys, (speed, rate, 4000 / speed, 1), strict=True))
            for name, (speed, rate) in zip(names, pairs, strict=True)
        }
        for pairs in speeds
    ]


def test_medians_of_paired_rounds(script):
    rounds = rounds_of(((10, 1000), (5, 900)), ((12, 800), (12, 1200)), ((30, 2000), (10, 1000)))
    summary = script("train_step").summary
    medians = summary(rounds, {"all": 10, "inside": 8}, 4)
    assert medians["pytorch"]["ratios"] == pytest.approx([2, 1, 3])
    assert medians["ganzoo"]["images_a_second"] == 12
    assert medians["ganzoo"]["ms"] == pytest.approx(4000 / 12)
    assert medians["ganzoo"]["best_matmul"] == 1200
    # shares within the rounds: 10/1000, 12/1200, 30/2000 and 5/1000, 12/1200, 10/2000
    assert medians["ganzoo"]["share"] == pytest.approx(0.1)
    assert medians["pytorch"]["share_inside"] == pytest.approx(0.04)
    # a step of five updates takes in as many images, and its count is for one of them
    assert summary(rounds, {"all": 10, "inside": 8}, 2)["ganzoo"]["share"] == pytest.approx(0.05)
    assert "share" not in summary(rounds, None, 4)["ganzoo"]


@pytest.mark.parametrize(
    ("speed", "rate", "slower", "share"), [(10, 999, "yes", "yes"), (9, 1001, "NO", "NO")]
)
def test_goals_missed_are_told(script, speed, rate, slower, share):
    module = script("train_step")
    rounds = rounds_of(((speed, rate), (9.5, 500)))
    counts = {"all": 70, "inside": 60}
    about = {"shape": (64, 64, 3), "multiply_adds": counts, "version": "a version"}
    result = {"gan": "dcgan", "shape": (64, 64, 3), "about": {"ganzoo": about, "pytorch": about}}
    result |= {"rounds": rounds, "medians": module.summary(rounds, counts, 4)}
    options = module.command.parse("", module.define, [])
    lines = module.report([result], options, "a command")
    assert lines[-2].endswith(f"twin: {slower}")
    assert lines[-1].endswith(f"0.7 of the matmul rate: {share}")


def test_sequences_are_not_said_to_be_so_many_steps_of_images(script):
    medians = {"ganzoo": {"ms": 6.0, "images_a_second": 2.0}}
    for shape, expected in (([8, 8, 1], "2.00"), ([10], "")):
        result = {"gan": "a", "shape": (8, 8, 1), "medians": medians}
        result["about"] = {"ganzoo": {"shape": shape}}
        assert script("train_step")._row(result, [], 3.0)[3] == expected


@pytest.mark.parametrize("what", ["weights", "images"])
def test_contestants_that_differ_are_refused(script, what):
    same = {"weights": {"generator": 3, "discriminator": 2}, "images": 4}
    check = script("train_step").check_same
    check({"ganzoo": same, "pytorch": same})
    other = {"weights": {"generator": 3, "discriminator": 1}, "images": 5}[what]
    with pytest.raises(script("workers").Problem, match="differ in their"):
        check({"ganzoo": same, "pytorch": same | {what: other}})


@pytest.mark.parametrize("twin", ["step_torch.py", "step_torch_twins.py"])
def test_missing_pytorch_is_one_line_that_names_the_extra(script, tmp_path, monkeypatch, twin):
    (tmp_path / "torch.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    workers = script("workers")
    options = {"shape": [8, 8, 1], "width": 4, "hidden": 0, "batch_size": 4}
    options |= {"threads": 1, "warm_up": 1} | ({"gan": "hinge"} if "twins" in twin else {})
    with (
        pytest.raises(workers.Problem, match=r"pip install 'keras-ganzoo\[peers\]'"),
        workers.Worker(twin, options) as worker,
    ):
        worker.ready()


# -- the same work in PyTorch --------------------------------------------------------------------


def weights_of(keras_network):
    """The variables that train, in the order of the layers; those of the moving average too."""
    other = ("moving", "seed", "u")
    return [v for v in keras_network.weights if not v.name.startswith(other)]


def parameters_of(network):
    """The same of a PyTorch network; a weight before its bias, also where it is normalised."""
    found = []
    for module in network.modules():
        own = dict(module.named_parameters(recurse=False))
        if kept := getattr(module, "parametrizations", None):
            own = {"weight": kept.weight.original, **own}
        if not type(module).__name__.startswith(("Parametrization", "ParametrizedLinearW")):
            found += [own[name] for name in ("weight", "bias") if own.get(name) is not None]
    return found


ORDERS = {1: (0,), 2: (1, 0), 4: (3, 2, 0, 1)}  # of Keras's axes in PyTorch


def with_keras_weights(network, keras_network):
    """Copies the weights of a Keras network into the PyTorch one of the same layers."""
    torch = pytest.importorskip("torch")
    with torch.no_grad():
        pairs = zip(parameters_of(network), weights_of(keras_network), strict=True)
        for parameter, variable in pairs:
            array = variable.numpy()
            parameter.copy_(torch.from_numpy(array.transpose(ORDERS[array.ndim]).copy()))


def stream(make, convert):
    """Returns a function that makes and converts an array of random numbers at each call."""
    rng = np.random.default_rng(1)
    return lambda *args, **options: convert(make(rng).astype(np.float32))


def both_from_the_same_weights(gan, peer, *, rate):
    """Gives both plain gradient steps and the same weights; returns the pairs of networks.

    Adam's epsilon stands elsewhere in the two, and small gradients show it.
    """
    import torch

    gan.compile(*(keras.optimizers.SGD(rate) for _ in range(2)))
    peer.optimizers = {n: torch.optim.SGD(n.parameters(), rate) for n in peer.optimizers}
    names = ("generator", "discriminator", "generator_ema")
    pairs = [(getattr(gan, name), getattr(peer, name)) for name in names]
    for ours, theirs in pairs:
        with_keras_weights(theirs, ours)
    return pairs


def same_course(gan, peer, pairs, monkeypatch, *, latents, steps=3):
    """Trains both on the same images and latents and compares all weights."""
    import tensorflow as tf
    import torch

    rng = np.random.default_rng(0)
    real = rng.uniform(-1, 1, (len(peer.real), *gan.image_shape)).astype(np.float32)
    peer.real.copy_(torch.from_numpy(real).permute(0, 3, 1, 2))
    monkeypatch.setattr(gan, "sample_latents", stream(latents, tf.constant))
    monkeypatch.setattr(peer, "latents", stream(latents, torch.from_numpy))
    before = [[v.numpy() for v in weights_of(ours)] for ours, _ in pairs]
    for _ in range(steps):
        logs = gan.train_step(tf.constant(real))
        peer.step()
    if not peer.as_example:
        ours = {name: float(value) for name, value in logs.items()}
        g_loss = ours.pop("g_loss")
        order = ("d_loss", "d_real", "d_fake")
        ours = [*(ours.pop(name) for name in order), *ours.values(), g_loss]
        np.testing.assert_allclose(peer.sums.numpy() / steps, ours, rtol=1e-3, atol=1e-5)
    for (ours, theirs), starts in zip(pairs, before, strict=True):
        found = [p.detach() for p in parameters_of(theirs)]
        for variable, parameter, start in zip(weights_of(ours), found, starts, strict=True):
            order = np.argsort(ORDERS[parameter.ndim]).tolist()
            moved = np.abs(variable.numpy() - start).max()
            assert moved > 0 or variable.path.endswith("logits/bias"), variable.path
            apart = np.abs(parameter.permute(order).numpy() - variable.numpy()).max()
            assert apart < 1e-7 + 1e-3 * moved, variable.path


@pytest.mark.slow
@pytest.mark.parametrize(("hidden", "as_example"), [(0, False), (0, True), (12, False)])
def test_pytorch_trains_as_ganzoo_does(script, monkeypatch, hidden, as_example):
    pytest.importorskip("torch")
    options = SMALL | {"hidden": hidden}
    gan = script("subject").made(**options)
    peer = script("step_torch").PyTorchStep(**options, threads=2, warm_up=0, as_example=as_example)
    pairs = both_from_the_same_weights(gan, peer, rate=0.1)
    latents = functools.partial(np.random.Generator.standard_normal, size=(8, 100))
    same_course(gan, peer, pairs, monkeypatch, latents=latents)


@pytest.mark.slow
@pytest.mark.parametrize("hidden", [0, 12])
def test_pytorch_trains_wgan_gp_as_ganzoo_does(script, monkeypatch, hidden):
    torch = pytest.importorskip("torch")
    import tensorflow as tf

    options = SMALL | {"hidden": hidden, "gan": "wgan_gp"}
    gan = script("subject").made(**options)
    peer = script("step_torch_twins").make(**options, threads=2, warm_up=0)
    pairs = both_from_the_same_weights(gan, peer, rate=0.01)
    shares = functools.partial(np.random.Generator.random, size=8)
    monkeypatch.setattr(gan, "draw", stream(shares, tf.constant))
    monkeypatch.setattr(peer, "shares", stream(shares, torch.from_numpy))
    latents = functools.partial(np.random.Generator.standard_normal, size=(8, 100))
    same_course(gan, peer, pairs, monkeypatch, latents=latents, steps=2)


@pytest.mark.slow
@pytest.mark.parametrize(("hidden", "bias"), [(0, 1.0), (12, -1.0)])
def test_pytorch_trains_sngan_as_ganzoo_does(script, monkeypatch, hidden, bias):
    pytest.importorskip("torch")
    options = SMALL | {"hidden": hidden, "gan": "hinge"}
    gan = script("subject").made(**options)
    peer = script("step_torch_twins").make(**options, threads=2, warm_up=0)
    # some logits lie beyond the margin of real images, of generated ones
    gan.discriminator.get_layer("logits").layer.bias.assign([bias])
    # they begin their iterations at other ends, and agree on where those lead
    wrapped = [layer for layer in gan.discriminator.layers if hasattr(layer, "power_iterations")]
    kept = [m.parametrizations.weight[0] for m in peer.discriminator.modules() if is_normed(m)]
    assert len(wrapped) == len(kept) == 3 + bool(hidden)
    for layer, parametrization in zip(wrapped, kept, strict=True):
        assert layer.power_iterations == parametrization.n_power_iterations == 1
        layer.power_iterations = parametrization.n_power_iterations = 300
    pairs = both_from_the_same_weights(gan, peer, rate=0.02)
    latents = functools.partial(np.random.Generator.standard_normal, size=(8, 100))
    same_course(gan, peer, pairs, monkeypatch, latents=latents)


def is_normed(module):
    """Whether a PyTorch module's weight is normalised, the module itself and not its parts."""
    return bool(getattr(module, "parametrizations", None))


@pytest.mark.slow
@pytest.mark.parametrize("hidden", [0, 12])
def test_pytorch_trains_infogan_as_ganzoo_does(script, monkeypatch, hidden):
    pytest.importorskip("torch")
    options = SMALL | {"hidden": hidden, "gan": "infogan"}
    gan = script("subject").made(**options)
    peer = script("step_torch_twins").make(**options, threads=2, warm_up=0)
    pairs = both_from_the_same_weights(gan, peer, rate=0.1)

    def latents(rng):
        kinds = np.eye(10)[rng.integers(0, 10, 8)]
        return np.concatenate([rng.normal(size=(8, 62)), kinds, rng.uniform(-1, 1, (8, 2))], 1)

    same_course(gan, peer, pairs, monkeypatch, latents=latents)


@pytest.mark.slow
def test_infogans_twin_draws_codes_of_the_same_kinds(script):
    torch = pytest.importorskip("torch")
    options = SMALL | {"batch_size": 500, "gan": "infogan"}
    peer = script("step_torch_twins").make(**options, threads=2, warm_up=0)
    kinds, uniform = peer.latents()[:, -12:].split([10, 2], 1)
    assert torch.equal(kinds.sum(1), torch.ones(500)) and kinds.sum(0).min() > 20
    assert -1 <= uniform.min() < -0.9 and 0.9 < uniform.max() <= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dcgan", "hinge", "infogan"])
def test_pytorch_counts_the_same_multiply_adds(script, name):
    pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    options = {"shape": (28, 28, 1), "width": 16, "hidden": 24, "batch_size": 4}
    gan = script("subject").made(**options)
    expected = script("multiply_adds").step(gan.generator, gan.discriminator).all
    d = sum(c.all for c in script("multiply_adds").forward(gan.discriminator).values())
    # Q's head, and power iteration
    most = {"dcgan": 0, "hinge": 0.01 * d, "infogan": 0.2 * d}[name]
    for as_example in (False, True) if name == "dcgan" else (False,):
        if name == "dcgan":
            make = functools.partial(script("step_torch").PyTorchStep, as_example=as_example)
        else:
            make = functools.partial(script("step_torch_twins").make, gan=name)
        peer = make(**options, threads=2, warm_up=1)
        with FlopCounterMode(display=False) as counter:
            peer.step()
        found = counter.get_total_flops() / 2 / 4 - as_example * d
        assert expected <= found <= expected + most
