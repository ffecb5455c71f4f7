import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganzoo import builders, cli, demo, paths, training, weights

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def zoo(tmp_path, monkeypatch):
    """A zoo of the demo's entries, 4 channels wide, and of no published weights."""
    for folder in ("zoo_configs", "pretrained"):
        (tmp_path / folder).mkdir()
        monkeypatch.setattr(paths, folder, lambda folder=folder: tmp_path / folder)
    bases = ("dcgan_fashion_mnist",)
    for name in (*demo.SHOWN.values(), *bases):
        config = (ROOT / "zoo_configs" / f"{name}.yaml").read_text()
        config = re.sub(r"steps: \d+", "steps: 2", re.sub(r"width: \d+", "width: 4", config))
        config = config.replace("[64, 64, 3]", "[16, 16, 3]").replace("size: 64,", "size: 16,", 1)
        (tmp_path / "zoo_configs" / f"{name}.yaml").write_text(config)
    monkeypatch.chdir(tmp_path)


def publish(name):
    """Trains an entry of the zoo on noise, for 2 steps, and publishes it."""
    from ganzoo import registry

    shape = registry.entry(name).generator.options["image_shape"]
    noise = np.random.default_rng(0).integers(0, 256, (64, *shape)).astype(np.uint8)
    training.train(registry.entry(name), workdir=name, data=noise, progress=False)
    weights.add_metrics(f"{name}/card.json", {"looks": 0.0})
    weights.publish(name)


@pytest.mark.filterwarnings("default")
def test_demo_without_published_weights_names_the_command_that_trains(zoo, capsys):
    assert cli.main(["demo"]) == 1
    err = capsys.readouterr().err
    assert "needs published weights" in err and "ganzoo train dcgan_mnist" in err
    assert len(err.splitlines()) == 1
    assert not Path("ganzoo-demo").exists()


def test_demo_leaves_out_what_has_no_weights_and_draws_the_rest(zoo, monkeypatch):
    publish("dcgan_mnist")
    before = builders.load("dcgan_mnist").generate(64, seed=0)
    lines = []
    demo.run("out", epochs=1, say=lines.append)
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "digits.png",
        "digits_walk.gif",
        "fine_tuned.png",
    ]
    assert lines[0].startswith("faces: left out. 'dcgan_celeba' has no published weights.")
    for name in ("digits.png", "digits_walk.gif", "fine_tuned.png"):
        assert any(f"out/{name}" in line and re.search(r"\(\d+ s\)", line) for line in lines)
    with Image.open("out/digits.png") as picture:
        from ganzoo import visualize

        grid = visualize.grid(before, scale=2)[..., 0]
        np.testing.assert_array_equal(np.asarray(picture), grid)
        with Image.open("out/fine_tuned.png") as panels:
            height, width = grid.shape
            pixels = np.asarray(panels)
    left, middle = pixels[-height:, :width], pixels[-height:, width + 16 : 2 * width + 16]
    np.testing.assert_array_equal(left, grid)  # the same latents
    assert not np.array_equal(left, middle)


def test_demo_without_digits_shows_faces_alone(zoo):
    publish("dcgan_celeba")
    lines = []
    demo.run("out", say=lines.append)
    assert sorted(path.name for path in Path("out").iterdir()) == ["faces.png", "faces_walk.gif"]
    assert any(line.startswith("fine-tuning: left out") for line in lines)
