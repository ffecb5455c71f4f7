import importlib
import json
import math
import os
import sys
from pathlib import Path
from types import SimpleNamespace

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


@pytest.mark.parametrize("name", ["wgan", "lsgan"])
def test_earlier_updates_of_the_discriminator_count_too(script, name):
    gan = script("subject").made(gan=name, shape=(8, 8, 1), width=4, batch_size=4)
    g, g1, d, d1 = closed_form(8, 1, 4)
    earlier = {"wgan": 4, "lsgan": 0}[name] * (g + 6 * d - 2 * d1)
    assert script("multiply_adds").of_gan(gan).all == 3 * g - g1 + 8 * d - 2 * d1 + earlier


@pytest.mark.parametrize("name", ["wgan_gp", "infogan", "pacgan", "hinge", "gmmn"])
def test_a_step_that_is_not_counted_has_no_count(script, name):
    gan = script("subject").made(gan=name, shape=(8, 8, 1), width=4, batch_size=4)
    assert script("multiply_adds").of_gan(gan) is None


# -- the commands --------------------------------------------------------------------------------


def test_train_step_measures_ganzoo(script, tmp_path, capsys):
    quick = ["--gans=wgan,dcgan", "--peers=", "--rounds=2", "--seconds=0", "--warm_up=1"]
    quick += ["--alone_rounds=1", "--alone_seconds=0", "--matmul_size=32", "--products=2"]
    figures, table = tmp_path / "figures.json", tmp_path / "table.md"
    script("train_step").main([*TINY, *quick, f"--json={figures}", f"--out={table}"])
    dcgan, wgan = json.loads(figures.read_text())["results"]
    assert (dcgan["gan"], wgan["gan"]) == ("dcgan", "wgan")
    assert (len(dcgan["rounds"]), len(wgan["rounds"])) == (2, 1)
    assert (dcgan["about"]["ganzoo"]["images"], wgan["about"]["ganzoo"]["images"]) == (4, 20)
    g, g1, d, d1 = closed_form(8, 1, 4)
    assert dcgan["about"]["ganzoo"]["multiply_adds"]["all"] == 3 * g - g1 + 8 * d - 2 * d1
    own = wgan["medians"]["ganzoo"]
    assert own["images_a_second"] == pytest.approx(20 * 1000 / own["ms"])
    times = own["ms"] / dcgan["medians"]["ganzoo"]["ms"]
    row = next(line for line in table.read_text().splitlines() if line.startswith("| wgan"))
    assert [cell.strip() for cell in row.split("|")][4] == f"{times:.2f}"
    out = capsys.readouterr().out
    assert out == table.read_text()
    line = "python benchmarks/train_step.py --shapes=8x8x1 --width=4 --batch_size=4 --gans=wgan,dcg"
    assert line in out and str(tmp_path) not in out


def test_fit_overhead_pairs_fit_with_the_bare_step(script, tmp_path, capsys):
    quick = ["--images=10", "--rounds=2", "--seconds=0", "--warm_up=1"]
    (result,), out = ran(script, "fit_overhead", [*TINY, *quick], tmp_path, capsys)
    seconds = result["seconds_a_step"]
    assert result["costs"] == [
        pytest.approx(fit / loop - 1)
        for fit, loop in zip(seconds["fit"], seconds["loop"], strict=True)
    ]
    assert "| 8x8x1 |" in out


def test_bare_steps_are_taken_off_the_time_of_fit(script, monkeypatch):
    clock = [0.0]

    def pass_by(seconds):
        clock[0] += seconds

    def fit(data, *, steps_per_epoch, epochs, verbose, callbacks):
        pass_by(5)
        for batch in range(steps_per_epoch):
            pass_by(2)
            callbacks[0].on_train_batch_end(batch, {})

    timer = SimpleNamespace(perf_counter=lambda: clock[0])
    monkeypatch.setattr(script("workers"), "time", timer)
    paired = script("fit_overhead").paired
    found = paired(SimpleNamespace(fit=fit), None, lambda: pass_by(10), 3)
    assert found == {"loop": 3 * 10, "fit": 5 + 3 * 2}


def test_who_goes_first_alternates(script):
    went, turns = [], script("turns")
    calls = {name: lambda name=name: went.append(name) or len(went) for name in "ab"}
    found = turns.take(turns.alternating(calls), 3, title="", shown=str)
    assert "".join(went) == "abbaab"
    assert found == {"a": [1, 4, 5], "b": [2, 3, 6]}


def test_generation_pairs_generate_with_the_bare_generator(script, tmp_path, capsys):
    quick = ["--images=40", "--rounds=2", "--seconds=0"]
    (result,), out = ran(script, "generation", [*TINY, *quick], tmp_path, capsys)
    seconds = result["seconds_an_image"]
    assert result["costs"] == [
        pytest.approx(generate / bare - 1)
        for generate, bare in zip(seconds["generate"], seconds["bare"], strict=True)
    ]
    assert "| 8x8x1 |" in out


def test_images_that_differ_are_no_comparison(script, monkeypatch):
    module = script("generation")
    monkeypatch.setattr(module, "bare", lambda gan, latents: lambda: [[0]])
    options = {"width": 4, "hidden": 0, "batch_size": 4, "images": 3, "rounds": 1, "seconds": 0}
    with pytest.raises(script("workers").Problem, match="differ in their images"):
        module.measure((8, 8, 1), SimpleNamespace(**options))


@pytest.mark.parametrize(
    ("name", "key", "goal", "rest"),
    [
        ("generation", "seconds_an_image", 0.05, {"threads": 1, "images": 1}),
        ("fit_overhead", "seconds_a_step", 0.03, {}),
    ],
)
def test_a_cost_above_its_goal_says_no(script, name, key, goal, rest):
    module = script(name)
    names = {"generation": ("generate", "bare"), "fit_overhead": ("fit", "loop")}[name]
    options = SimpleNamespace(width=4, hidden=0, batch_size=4, rounds=3, **rest)
    for cost, expected in ((goal - 1e-3, "yes"), (goal + 1e-3, "NO")):
        result = {"shape": (8, 8, 1), "steps": 1, key: dict.fromkeys(names, [1.0])}
        lines = module.report([result | {"costs": [0.0, cost, 1.0]}], options)
        assert expected in lines[-1].splitlines()[-1].split()


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


@pytest.mark.parametrize(
    "name", ["train_step", "generation", "fit_overhead", "load_time", "memory"]
)
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
        ("train_step", "--gans=wgan_pg", "did you mean 'wgan_gp'"),
        ("train_step", "--gans=", "got none"),
        ("memory", "--modes=all", "plain, callbacks"),
        ("memory", "--first=75", "multiple of --every"),
        ("load_time", "--pattern=no_such_entry", "no_such_entry"),
    ],
)
def test_a_wrong_value_says_what_was_expected(script, name, flag, expected):
    with pytest.raises(script("workers").Problem, match=expected):
        script(name).main([flag])
