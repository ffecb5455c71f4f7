import dataclasses

import numpy as np
import pytest

from ganzoo import paths, registry, weights
from ganzoo.weights import publishing


@pytest.fixture
def workdir(tmp_path, make_card):
    """What a finished run of `dcgan_digits` leaves; `workdir(**changes)` changes its card."""

    def make(**changes):
        folder = tmp_path / "run"
        folder.mkdir(exist_ok=True)
        path = folder / "final.safetensors"
        weights.write(path, {"generator/dense/kernel": np.ones((2, 2), "float16")})
        config = registry.entry("dcgan_digits")
        values = {
            "name": "dcgan_digits",
            "data": path.read_bytes(),
            "config_hash": config.hash,
            "steps": config.training.steps,
        }
        card = dataclasses.replace(make_card(**values), file="final.safetensors", **changes)
        card.write(folder / "card.json")
        return folder

    return make


def test_a_published_run_is_found_by_name(workdir):
    card = weights.publish(workdir())
    assert card.file == "dcgan_digits.safetensors"
    assert weights.cards() == {"dcgan_digits": card}
    assert weights.find("dcgan_digits") == paths.pretrained() / card.file
    assert weights.load("dcgan_digits")["generator/dense/kernel"].shape == (2, 2)
    listed = {path.name for path in paths.pretrained().iterdir()}
    assert listed == {"dcgan_digits.json", "dcgan_digits.safetensors"}


def test_publishing_goes_where_told(workdir, tmp_path):
    weights.publish(workdir(), tmp_path / "there")
    assert (tmp_path / "there" / "dcgan_digits.json").is_file()
    assert weights.cards() == {}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"config_hash": "1" * 64}, "trained with another config"),
        ({"steps": 7}, "has trained 7 steps, the zoo's 'dcgan_digits' says"),
        ({"metrics": {}}, "no metrics: evaluate"),
        ({"sha256": "1" * 64}, "the sha256 is"),
        ({"bytes": 3}, "its card says 3"),
        ({"name": "dcgan_digit"}, "dcgan_digits"),
    ],
)
def test_what_is_not_the_zoos_own_finished_run_is_refused(workdir, changes, reason):
    with pytest.raises(ValueError, match=reason):
        weights.publish(workdir(**changes))
    assert not paths.pretrained().exists()


def test_a_file_too_large_for_the_wheel_is_refused(workdir, monkeypatch):
    monkeypatch.setattr(publishing, "LARGEST", 50)
    with pytest.raises(ValueError, match="more than the 50 allowed"):
        weights.publish(workdir())
    assert not paths.pretrained().exists()


def test_weights_that_are_no_safetensors_are_refused(workdir, make_card):
    folder = workdir()
    (folder / "final.safetensors").write_bytes(b"hello, hello, hello")
    card = weights.read_card(folder / "card.json")
    changed = make_card(data=b"hello, hello, hello")
    dataclasses.replace(card, sha256=changed.sha256, bytes=19).write(folder / "card.json")
    with pytest.raises(ValueError, match="no safetensors file"):
        weights.publish(folder)


@pytest.mark.parametrize("name", ["final.safetensors", "card.json"])
def test_an_unfinished_run_is_named(workdir, name):
    folder = workdir()
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"has no {name}"):
        weights.publish(folder)


def test_a_mirror_serves_over_http_to_an_empty_cache_without_packaged_copies(
    package, tmp_path, serve, monkeypatch, home
):
    expected = {f"entry_{n}": package(f"entry_{n}", seed=n) for n in range(2)}
    written = weights.write_mirror(tmp_path / "mirror")
    assert written == tuple(card for card, _ in expected.values())
    monkeypatch.setattr(paths, "pretrained", lambda: tmp_path / "nothing")
    server = serve(tmp_path / "mirror")
    monkeypatch.setenv("GANZOO_MIRROR", server.url)
    for name, (card, values) in expected.items():
        np.testing.assert_array_equal(weights.load(name)["generator/dense/kernel"], values)
        assert weights.find(name) == home / card.versioned_file
        assert weights.card(name) == card


def test_a_mirror_keeps_older_versions_for_older_packages(package, tmp_path, monkeypatch):
    old, _ = package(seed=0)
    weights.write_mirror(tmp_path / "mirror")
    new, _ = package(seed=1)
    weights.write_mirror(tmp_path / "mirror", ["tiny"])
    names = {path.name for path in (tmp_path / "mirror").iterdir()}
    assert names == {"tiny.json", old.versioned_file, new.versioned_file}
    monkeypatch.setenv("GANZOO_MIRROR", str(tmp_path / "mirror"))
    assert weights.find(old).name == old.versioned_file


def test_a_mirror_of_an_unknown_name_raises_before_anything_is_written(package, tmp_path):
    package()
    with pytest.raises(ValueError, match="'tinny'; did you mean 'tiny'"):
        weights.write_mirror(tmp_path / "mirror", ["tiny", "tinny"])
    assert not (tmp_path / "mirror").exists()
