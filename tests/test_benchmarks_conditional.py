"""The table of conditional GANs: from published weights to what stands in it."""

import json

import numpy as np
import pytest

import ganzoo
from ganzoo import builders, registry, weights


@pytest.fixture
def benchmark(script):
    return script("conditional")


def test_its_entries_are_conditional_and_classified_by_their_own_data(benchmark):
    for name in benchmark.ROWS:
        config = registry.entry(name)
        assert registry.info(name).kind_of_labels == "conditional"
        assert config.evaluation.extractor == f"{config.data.dataset}_classifier"
    assert set(benchmark.METRICS) <= set(ganzoo.metrics.names.METRICS)


def score(value, floor, classes=("a", "b")):
    of = dict.fromkeys(classes, value) | {classes[-1]: value + 0.04}
    real = dict.fromkeys(classes, floor)
    return {"value": value, "floor": floor, "by_class": of, "floor_by_class": real}


def test_a_row_shows_real_images_beside_and_the_class_furthest_above(benchmark):
    scores = {
        "fcd": {"value": 3.456, "floor": 1.04},
        "label_accuracy": score(0.9712, 0.99),
        "intra_fcd": score(9.5, 2.25),
        "intra_ms_ssim": score(0.31, 0.30),
    }
    record = {"images": 10000, "machine": "a machine", "scores": scores}
    text = "\n".join(benchmark.report({"cgan_mnist": record}))
    row = next(line for line in text.splitlines() if line.startswith("| cgan_mnist"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == ["cgan_mnist", "97.1 (99.0)", "97", "3.46 (1.04)", "9.50 (2.25)",
                     "0.310 (0.300)", "+0.050 (b)"]  # fmt: skip
    assert "1 of 4 entries published; a machine" in text
    of_b = next(line for line in text.splitlines() if line.startswith("| b"))
    assert [cell.strip() for cell in of_b.strip("|").split("|")][1:] == [
        "101.1 (99.0)",
        "9.54 (2.25)",
        "0.350 (0.300)",
    ]


def test_no_weights_make_an_empty_table(benchmark, monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "cards", dict)
    benchmark.main([f"--results={tmp_path}"])
    assert "0 of 4 entries published" in (tmp_path / "conditional.md").read_text()


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_run_is_recorded_and_not_done_again(benchmark, monkeypatch, tmp_path):
    labels = np.arange(400) % 10
    pixels = np.random.default_rng(0).integers(0, 256, (400, 28, 28, 1)).astype(np.uint8)
    np.savez(tmp_path / "mnist.npz", x_train=pixels, y_train=labels, x_test=pixels, y_test=labels)
    card = weights.cards()["dcgan_mnist"]
    monkeypatch.setattr(weights, "cards", lambda: {"cgan_mnist": card})
    loaded = []

    def load(name):
        loaded.append(name)
        return builders.load(name, weights=None, generator={"width": 2})

    monkeypatch.setattr(ganzoo, "load", load)
    words = [f"--results={tmp_path / 'r'}", f"--data_dir={tmp_path}", "--images=100"]
    for _ in range(2):
        benchmark.main(words)
    assert loaded == ["cgan_mnist"]
    record = json.loads((tmp_path / "r" / "conditional.json").read_text())["cgan_mnist"]
    assert set(record["scores"]) == set(benchmark.METRICS)
    assert (tmp_path / "r" / "conditional_cgan_mnist.png").is_file()
