import json

import numpy as np
import pytest

from ganzoo import weights
from tests.commands.words import one_line

pytestmark = pytest.mark.filterwarnings("default")  # few images are warned of


def test_evaluate_prints_a_table(cli_run):
    code, out, _ = cli_run("evaluate", "dcgan_digits", "--metrics=fcd,recall", "--images=200")
    assert code == 0
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line}
    assert rows["metric"] == ["value", "real", "data"]
    assert 0 < float(rows["fcd"][1]) < float(rows["fcd"][0]) and len(rows["recall"]) == 2
    assert "features: mnist_classifier" in out and "200 images, seed 0" in out


def test_evaluate_prints_json(cli_run):
    words = ("--metrics=ms_ssim", "--images=50", "--seed=3", "--json", "--nofloor")
    code, out, _ = cli_run("evaluate", "dcgan_digits", *words)
    told = json.loads(out)
    assert code == 0 and told["scores"]["ms_ssim"]["seed"] == 3
    assert "floor" not in told["scores"]["ms_ssim"] and told["data"]["name"] == "digits"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["dcgan_digit"], "did you mean 'dcgan_digits'?"),
        (["dcgan_digits", "--metrics=recal"], "Unknown metric 'recal'; did you mean 'recall'?"),
        (["dcgan_digits", "--extractor=inceptoin"], "did you mean 'inception'?"),
        (["dcgan_digits", "--metrics=fid"], "fid is the name of a score on the 2015 Inception"),
        (["dcgan_cifar10"], "no published weights. Train them"),
        (["dcgan_digits", "--images=1"], "images"),
        (["dcgan_digits", "--record", "--nofloor"], "leave --nofloor out"),
        (["dcgan_digits", "--record", "--weights=a.safetensors"], "--record goes with"),
        (["dcgan_digits", "--workdir=a", "--weights=b"], "leave --weights and --set out"),
        (["dcgan_digits", "--workdir=nowhere"], "no weights file"),
        (["dcgan_digits", "--data=nowhere/"], "nowhere"),
    ],
)
def test_evaluate_refuses_in_one_line(cli_run, words, told):
    code, _, err = cli_run("evaluate", *words)
    assert code in (1, 2) and told in one_line(err)


def test_scores_of_a_run_go_onto_its_draft_card(cli_run, tiny_zoo):
    assert cli_run("train", "tiny", "--workdir=run")[0] == 0
    code, out, _ = cli_run("evaluate", "tiny", "--workdir=run", "--metrics=ms_ssim", "--record")
    assert code == 0 and "written onto run/card.json" in out
    (metric,) = weights.read_card("run/card.json").metrics.items()
    assert metric[0] == "ms_ssim" and {"value", "floor", "tolerance", "seed"} <= set(metric[1])
    assert cli_run("publish", "--workdir=run")[0] == 0
    code, out, _ = cli_run("verify", "tiny")
    assert code == 0 and "ms_ssim" in out and "ok" in out


def test_a_card_of_other_images_is_not_written(cli_run, workdir):
    before = (workdir / "card.json").read_text()
    np.savez("other.npz", images=np.random.default_rng(0).integers(0, 256, (90, 8, 8, 1), "uint8"))
    words = ("--metrics=ms_ssim", "--images=20", "--record", "--data=other.npz")
    code, _, err = cli_run("evaluate", "dcgan_digits", f"--workdir={workdir}", *words)
    assert code == 1 and "a model of other images" in one_line(err)
    assert (workdir / "card.json").read_text() == before
    code, _, err = cli_run("evaluate", "dcgan_mnist", f"--workdir={workdir}")
    assert code == 1 and "holds a run of 'dcgan_digits'" in one_line(err)


def test_verify_needs_a_name_or_all(cli_run):
    for words, told in (([], "give a NAME, or --all"), (["--all", "--data=x"], "one data set")):
        code, _, err = cli_run("verify", *words)
        assert code == 2 and told in one_line(err)
    code, _, err = cli_run("verify", "dcgan_mnits")
    assert code == 1 and "dcgan_mnist" in one_line(err)


def test_verify_fails_where_a_card_lies(cli_run, tiny_zoo):
    assert cli_run("train", "tiny", "--workdir=run")[0] == 0
    assert cli_run("evaluate", "tiny", "--workdir=run", "--metrics=ms_ssim", "--record")[0] == 0
    card = weights.read_card("run/card.json").metrics["ms_ssim"]
    weights.add_metrics("run/card.json", {"ms_ssim": {**card, "value": card["value"] - 0.3}})
    assert cli_run("publish", "--workdir=run")[0] == 0
    code, _, err = cli_run("verify", "tiny")
    assert code == 1 and "on the card" in one_line(err) and "found again" in err
    code, out, err = cli_run("verify", "--all")
    assert code == 1 and "did not verify: tiny" in one_line(err) and "found again" in out
