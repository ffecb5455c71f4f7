import importlib
import json
import math
import os
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

ROOT = Path(__file__).parents[1]
TINY = ["--shapes=8x8x1", "--width=4", "--batch_size=4"]


@pytest.fixture(scope="module")
def script():
    """Imports a module of benchmarks/ by name; afterwards they are gone."""
    folder = str(ROOT / "benchmarks")
    sys.path.insert(0, folder)
    yield importlib.import_module
    sys.path.remove(folder)
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(folder):
            del sys.modules[name]


@pytest.fixture(autouse=True)
def checkout(monkeypatch):
    """Processes that a benchmark starts import this checkout."""
    before = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(ROOT), before])))


def ran(script, name, arguments, tmp_path, capsys):
    path = tmp_path / "figures.json"
    script(name).main([*arguments, f"--json={path}"])
    return json.loads(path.read_text())["results"], capsys.readouterr().out


# -- multiply-adds -------------------------------------------------------------------------------


def closed_form(size, channels, width, latent_dim=100):
    """Forward multiply-adds (G, g1, D, d1) of the DCGAN networks, summed by hand.

    Stage k of the discriminator has (size / 2^k)^2 places of a 4x4 kernel from width 2^(k-2) to
    width 2^(k-1) channels: 2 size^2 width^2, whatever k is. The generator mirrors it.
    """
    doublings = {8: 1, 28: 2, 64: 4}[size]
    side = size // 2**doublings
    inner = 2 * (doublings - 1) * size**2 * width**2
    outer = 4 * size**2 * channels * width
    flat = side**2 * width * 2 ** (doublings - 1)
    return latent_dim * flat + inner + outer, latent_dim * flat, flat + inner + outer, outer


@pytest.mark.parametrize(("shape", "width"), [((28, 28, 1), 64), ((64, 64, 3), 64), ((8, 8, 3), 5)])
def test_multiply_adds_of_a_step_equal_the_closed_form(script, shape, width):
    from ganzoo.networks.dcgan import dcgan_discriminator, dcgan_generator

    generator = dcgan_generator(shape, latent_dim=100, width=width)
    discriminator = dcgan_discriminator(shape, width=width)
    g, g1, d, d1 = closed_form(shape[0], shape[-1], width)
    count = script("multiply_adds").step(generator, discriminator)
    assert count.all == 3 * g - g1 + 8 * d - 2 * d1


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("layer_class", [layers.Conv2D, layers.Conv2DTranspose])
def test_taps_without_padding_are_what_a_convolution_of_ones_sums(
    script, layer_class, stride, padding
):
    options = {"strides": stride, "padding": padding, "use_bias": False}
    layer = layer_class(3, (4, 3), kernel_initializer="ones", **options)
    images = keras.Input((9, 6, 2))
    network = keras.Model(images, layer(images))
    (count,) = script("multiply_adds").forward(network).values()
    assert count.inside == np.sum(network(np.ones((1, 9, 6, 2), np.float32)))
    assert count.inside <= count.all


def test_every_tap_counts_in_the_usual_number(script):
    images = keras.Input((8, 8, 2))
    network = keras.Model(images, layers.Conv2D(3, 4, strides=2, padding="same")(images))
    (count,) = script("multiply_adds").forward(network).values()
    assert count.all == 4 * 4 * math.prod((4, 4, 2, 3))


def test_a_layer_that_cannot_be_counted_is_refused(script):
    images = keras.Input((8, 8, 2))
    network = keras.Model(images, layers.SeparableConv2D(3, 4, name="separable")(images))
    with pytest.raises(ValueError, match="separable, SeparableConv2D"):
        script("multiply_adds").forward(network)


# -- the commands --------------------------------------------------------------------------------


def test_train_step_measures_ganzoo(script, tmp_path, capsys):
    quick = ["--peers=", "--rounds=2", "--seconds=0", "--warm_up=1"]
    quick += ["--matmul_size=32", "--products=2"]
    (result,), out = ran(script, "train_step", [*TINY, *quick], tmp_path, capsys)
    medians, count = result["medians"]["ganzoo"], result["about"]["ganzoo"]["multiply_adds"]
    g, g1, d, d1 = closed_form(8, 1, 4)
    assert count["all"] == 3 * g - g1 + 8 * d - 2 * d1
    assert len(result["rounds"]) == 2
    assert medians["images_a_second"] > 0
    assert medians["ratios"] == [1, 1]
    assert f"| ganzoo | {medians['images_a_second']:8.1f} |" in out


def test_medians_of_paired_rounds(script):
    def turn(speed, matmul):
        return {"images_a_second": speed, "matmul_multiply_adds_a_second": matmul, "steps": 1}

    rounds = [
        {"ganzoo": turn(10, 1000), "pytorch": turn(5, 900)},
        {"ganzoo": turn(12, 800), "pytorch": turn(12, 1200)},
        {"ganzoo": turn(30, 2000), "pytorch": turn(10, 1000)},
    ]
    medians = script("train_step").summary(rounds, {"all": 10, "inside": 8})
    assert medians["pytorch"]["ratios"] == [2, 1, 3]
    assert medians["ganzoo"]["images_a_second"] == 12
    assert medians["ganzoo"]["best_matmul"] == 1200
    # shares within the rounds: 10/1000, 12/1200, 30/2000 and 5/1000, 12/1200, 10/2000
    assert medians["ganzoo"]["share"] == pytest.approx(0.1)
    assert medians["pytorch"]["share_inside"] == pytest.approx(0.04)


def test_missing_pytorch_is_one_line_that_names_the_extra(script, tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    workers = script("workers")
    options = {"shape": [8, 8, 1], "width": 4, "hidden": 0, "batch_size": 4}
    options |= {"threads": 1, "warm_up": 1}
    with (
        pytest.raises(workers.Problem, match=r"pip install 'keras-ganzoo\[peers\]'"),
        workers.Worker("step_torch.py", options) as worker,
    ):
        worker.ready()


def test_fit_overhead_pairs_fit_with_the_bare_step(script, tmp_path, capsys):
    quick = ["--images=10", "--rounds=2", "--seconds=0", "--warm_up=1"]
    (result,), out = ran(script, "fit_overhead", [*TINY, *quick], tmp_path, capsys)
    seconds = result["seconds_a_step"]
    assert result["costs"] == [
        pytest.approx(fit / loop - 1)
        for fit, loop in zip(seconds["fit"], seconds["loop"], strict=True)
    ]
    assert "| 8x8x1 |" in out


def test_load_time_loads_in_fresh_processes(script, tmp_path, capsys):
    quick = ["--fresh", "--pattern=dcgan_digits", "--runs=1", "--warm_up=0"]
    results, out = ran(script, "load_time", quick, tmp_path, capsys)
    assert list(results["loads"]) == ["dcgan_digits"]
    assert results["loads"]["dcgan_digits"]["first"][0] > 0
    assert {"ganzoo list", "python -c 'import ganzoo'"} < set(results["commands"])
    assert "| dcgan_digits " in out


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc, as Linux has it")
def test_memory_is_read_at_both_steps(script, tmp_path, capsys):
    quick = ["--modes=callbacks", "--first=2", "--steps=4", "--every=2", "--images=8"]
    (result,), out = ran(script, "memory", [*TINY, *quick], tmp_path, capsys)
    first, last = result["readings"]
    assert (first["step"], last["step"]) == (2, 4)
    assert 0 < first["anonymous"] < first["resident"]
    assert result["growth"]["resident"] == last["resident"] / first["resident"] - 1
    assert "| 8x8x1, callbacks |" in out


@pytest.mark.parametrize("name", ["train_step", "fit_overhead", "load_time", "memory"])
def test_help_explains_and_a_mistyped_flag_is_named(script, capsys, name):
    module = script(name)
    with pytest.raises(SystemExit, match="0"):
        module.main(["--help"])
    assert f"python benchmarks/{name}.py" in capsys.readouterr().out
    with pytest.raises(script("workers").Problem, match="jsn"):
        module.main(["--jsn=x"])


@pytest.mark.parametrize(
    ("name", "flag", "expected"),
    [
        ("train_step", "--shapes=64x64", "HxWxC"),
        ("train_step", "--peers=jax", "pytorch"),
        ("memory", "--modes=all", "plain, callbacks"),
        ("memory", "--first=75", "multiple of --every"),
        ("load_time", "--pattern=no_such_entry", "no_such_entry"),
    ],
)
def test_a_wrong_value_says_what_was_expected(script, name, flag, expected):
    with pytest.raises(script("workers").Problem, match=expected):
        script(name).main([flag])


# -- the same work in PyTorch --------------------------------------------------------------------


def weights_of(keras_network):
    """The variables that train, in the order of the layers; those of the moving average too."""
    return [v for v in keras_network.weights if "moving" not in v.name and "seed" not in v.name]


def with_keras_weights(network, keras_network):
    """Copies the weights of a Keras network into the PyTorch one of the same layers."""
    torch = pytest.importorskip("torch")
    with torch.no_grad():
        parameters = network.parameters()
        for parameter, variable in zip(parameters, weights_of(keras_network), strict=True):
            array = variable.numpy()
            order = {1: (0,), 2: (1, 0), 4: (3, 2, 0, 1)}[array.ndim]
            parameter.copy_(torch.from_numpy(array.transpose(order).copy()))


@pytest.mark.slow
@pytest.mark.parametrize(("hidden", "as_example"), [(0, False), (0, True), (12, False)])
def test_pytorch_trains_as_ganzoo_does(script, monkeypatch, hidden, as_example):
    torch = pytest.importorskip("torch")
    import tensorflow as tf

    shape, batch_size = (16, 16, 3), 8
    options = {"shape": shape, "width": 8, "hidden": hidden, "batch_size": batch_size}
    gan = script("subject").dcgan(**options)
    peer = script("step_torch").PyTorchStep(**options, threads=2, warm_up=0, as_example=as_example)
    # plain gradient steps: Adam's epsilon stands elsewhere in the two, and small gradients show it
    gan.compile(*(keras.optimizers.SGD(0.1) for _ in range(2)))
    peer.optimizers = {n: torch.optim.SGD(n.parameters(), 0.1) for n in peer.optimizers}
    pairs = [
        (gan.generator, peer.generator),
        (gan.discriminator, peer.discriminator),
        (gan.generator_ema, peer.generator_ema),
    ]
    for ours, theirs in pairs:
        with_keras_weights(theirs, ours)

    rng = np.random.default_rng(0)
    real = rng.uniform(-1, 1, (batch_size, *shape)).astype(np.float32)
    peer.real.copy_(torch.from_numpy(real).permute(0, 3, 1, 2))
    before = [[v.numpy() for v in weights_of(ours)] for ours, _ in pairs]
    for _ in range(3):
        latents = rng.standard_normal((batch_size, 100), np.float32)
        monkeypatch.setattr(gan, "sample_latents", lambda count, z=latents: tf.constant(z))
        monkeypatch.setattr(peer, "latents", lambda z=latents: torch.from_numpy(z))
        gan.train_step(tf.constant(real))
        peer.step()

    for (ours, theirs), starts in zip(pairs, before, strict=True):
        parameters = theirs.parameters()
        for variable, parameter, start in zip(weights_of(ours), parameters, starts, strict=True):
            order = {1: (0,), 2: (1, 0), 4: (2, 3, 1, 0)}[parameter.ndim]
            found = parameter.detach().permute(order).numpy()
            moved = np.abs(variable.numpy() - start).max()
            assert moved > 0, variable.path
            assert np.abs(found - variable.numpy()).max() < 1e-7 + 1e-3 * moved, variable.path


@pytest.mark.slow
def test_pytorch_counts_the_same_multiply_adds(script):
    pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    options = {"shape": (28, 28, 1), "width": 16, "hidden": 24, "batch_size": 4}
    gan = script("subject").dcgan(**options)
    expected = script("multiply_adds").step(gan.generator, gan.discriminator).all
    d = sum(c.all for c in script("multiply_adds").forward(gan.discriminator).values())
    for as_example, more in ((False, 0), (True, d)):
        peer = script("step_torch").PyTorchStep(
            **options, threads=2, warm_up=1, as_example=as_example
        )
        with FlopCounterMode(display=False) as counter:
            peer.step()
        assert counter.get_total_flops() == 2 * 4 * (expected + more)
