"""Every command on an entry that makes texts."""

import json

import pytest
import yaml

import ganzoo
from ganzoo import cli, paths, registry, weights
from ganzoo.config import to_dict
from ganzoo.data.languages import LANGUAGES
from ganzoo.gans import GumbelGAN
from ganzoo.metrics import evaluate
from tests import small
from tests.commands.words import one_line
from tests.gans import sequences

NARROW = {"generator.width": 8, "discriminator.width": 8, "data.batch_size": 16}
STEPS = {"training.steps": 4, "training.sample_every": 2, "training.log_every": 2}


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """A zoo of one entry, `sums`, and a finished run of it with its scores."""
    root = tmp_path_factory.mktemp("zoo")
    for folder in ("zoo_configs", "pretrained"):
        (root / folder).mkdir()
    changes = {**NARROW, **STEPS, "evaluation.images": 200, "evaluation.every": 2}
    config = to_dict(registry.entry("reinforce_arithmetic", changes)) | {"name": "sums"}
    (root / "zoo_configs" / "sums.yaml").write_text(yaml.safe_dump(config))
    with pytest.MonkeyPatch.context() as patch:
        for folder in ("zoo_configs", "pretrained"):
            patch.setattr(paths, folder, lambda folder=folder: root / folder)
        assert cli.main(["train", "sums", f"--workdir={root / 'run'}"]) == 0
        assert cli.main(["evaluate", "sums", f"--workdir={root / 'run'}", "--record"]) == 0
        assert cli.main(["publish", f"--workdir={root / 'run'}"]) == 0
        yield root


def test_a_run_writes_its_texts_and_scores_them(zoo):
    samples = sorted((zoo / "run" / "samples").iterdir())
    assert [path.name for path in samples] == ["step_00000002.txt", "step_00000004.txt"]
    lines = samples[1].read_text().splitlines()
    assert len(lines) == 64 and max(map(len, lines)) <= 6
    run = json.loads((zoo / "run" / "run.json").read_text())
    assert run["data"]["source"] == "arithmetic" and run["data"]["image_size"] is None


def test_scores_are_on_the_card_with_those_of_real_texts_and_verify(zoo, cli_run):
    metrics = weights.card("sums").metrics
    assert set(metrics) == {"validity", "distinct", "novelty"}
    assert metrics["validity"]["floor"] == 1 == metrics["novelty"]["floor"]
    assert metrics["distinct"]["floor"] == 51  # the split `test`
    texts = ganzoo.load("sums").generate_text(200, seed=0)
    valid = [text for text in texts if LANGUAGES["arithmetic"].valid(text)]
    assert metrics["validity"]["value"] == len(valid) / 200
    assert metrics["distinct"]["value"] == len({*valid})
    code, out, _ = cli_run("verify", "sums")
    assert code == 0 and out.count(" ok") == 6


def test_info_and_train_speak_of_texts(zoo, cli_run):
    assert "204 texts of arithmetic" in cli_run("info", "sums")[1]
    code, out, _ = cli_run("train", "sums", f"--workdir={zoo / 'run'}")
    assert code == 0 and "204 of 6 from arithmetic" in out


def test_generate_writes_a_line_a_text(zoo, cli_run, tmp_path):
    code, out, _ = cli_run("generate", "sums", "--num=9", "--seed=3", "--out=a.txt")
    assert code == 0 and "9 texts of sums, seed 3" in out
    with open("a.txt") as file:
        lines = file.read().splitlines()
    assert lines == ganzoo.load("sums").generate_text(9, seed=3)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--out=a.png"], "sums makes texts: --format=txt. Received: --out=a.png"),
        (["--format=txt", "--interpolate"], "makes texts: --format=txt. Received: --interpolate"),
    ],
)
def test_generate_refuses_pictures_of_texts(zoo, cli_run, words, message):
    code, _, err = cli_run("generate", "sums", *words)
    assert code == 2 and message in one_line(err)


def test_texts_are_scored_as_texts_alone(zoo, cli_run):
    code, _, err = cli_run("evaluate", "sums", "--metrics=fid")
    assert code == 1 and "of texts validity, distinct, novelty" in one_line(err)
    code, _, err = cli_run("evaluate", "sums", "--metrics=modes")
    assert code == 1 and "modes is counted where the modes are known" in one_line(err)
    gan = small.gan(own, kind=GumbelGAN, name="own", characters=LANGUAGES["arithmetic"].characters)
    found = evaluate(gan, "arithmetic", images=50).values_only
    assert set(found) == {"validity", "distinct", "novelty"}
    with pytest.raises(ValueError, match="counted where the rules are known: .* <Points ring"):
        evaluate(gan, "ring", metrics=["validity"])


def own():
    return sequences.networks(length=6, vocabulary=15)
