"""benchmarks/inpainting.py on digits; the faces take longer."""

import json

import numpy as np
import pytest

from ganzoo import visualize


@pytest.fixture
def script(script):
    return script("inpainting")


def test_baselines_know_nothing_but_the_known_pixels(script):
    given = np.random.default_rng(0).integers(0, 256, (2, 6, 6, 3)).astype(np.uint8)
    masks = np.ones((2, 6, 6), bool)
    masks[:, 2:4, 2:5] = False
    filled = script.fillings(given, masks)
    other = script.fillings(np.where(masks[..., None], given, 0).astype(np.uint8), masks)
    for name, images in filled.items():
        np.testing.assert_array_equal(images[masks], given[masks])
        np.testing.assert_array_equal(images, other[name])
    mean = np.rint([given[i][masks[i]].mean(axis=0) for i in range(2)])
    np.testing.assert_array_equal(filled["mean colour of the known pixels"][:, 2, 3], mean)


def test_the_table_has_every_way_to_fill_and_refuses_faces_it_has_seen(
    script, tmp_path, monkeypatch, capsys
):
    arguments = ["--entry=dcgan_digits", "--faces=3", "--steps=2", "--restarts=1"]
    arguments += ["--masks=center,random", f"--results={tmp_path}", f"--json={tmp_path / 'a.json'}"]
    script.main([*arguments, "--split=train"])
    text = (tmp_path / "inpainting.md").read_text()
    assert text.count("\n| ") == 2 + 2 + 2 * 2 + 1 and "of the training set" in text
    figures = json.loads((tmp_path / "a.json").read_text())["results"]
    assert {
        len(one["hole"]) for mask in ("center", "random") for one in figures[mask].values()
    } == {3}
    mean = np.mean(figures["center"]["smooth surface"]["hole"])
    assert f"{mean:.2f} ± " in text
    assert (tmp_path / "inpainting.png").is_file()
    folder = tmp_path / "digits" / "test"
    from ganzoo import data

    visualize.save(data.open_source("digits").images[0], folder / "a.png", scale=1)
    visualize.save(data.open_source("digits").images[1], folder.parent / "train" / "b.png", scale=1)
    script.main([*arguments, f"--data={folder.parent}", "--faces=1", "--masks=half"])
    assert "1 faces held out (split test)" in (tmp_path / "inpainting.md").read_text()
    with pytest.raises(script.Problem, match="there are 1"):
        script.main([*arguments, f"--data={folder.parent}"])
