"""`verify`: a card's numbers are found again, and a wrong one is not."""

import dataclasses

import numpy as np
import pytest

from ganzoo import paths, weights
from ganzoo.metrics import verification
from ganzoo.metrics.scores import Evaluation, Score
from ganzoo.metrics.verification import CardMismatch, Check, to_card, tolerance, verify

NAME = "dcgan_digits"


@pytest.fixture(scope="module")
def checks():
    return verify(NAME, progress=False)


@pytest.fixture
def altered(monkeypatch):
    """Changes one field of one metric on the card, as the code reads it."""
    card = weights.card(NAME)

    def alter(metric, **changes):
        metrics = {**card.metrics, metric: {**card.metrics[metric], **changes}}
        wrong = dataclasses.replace(card, metrics=metrics)
        monkeypatch.setattr(weights, "card", lambda name: wrong if name == NAME else cards[name])

    cards = weights.cards()
    return alter


def test_the_digits_card_verifies_on_what_ships(checks):
    metrics = weights.card(NAME).metrics
    floors = [f"{name}, real" for name, stated in metrics.items() if "floor" in stated]
    assert {check.metric for check in checks} == {*metrics, *floors}
    assert all(check.holds for check in checks)
    assert {"fcd", "precision", "recall", "density", "coverage", "ms_ssim"} <= set(metrics)


def test_a_changed_number_fails_with_both_figures(altered):
    stated = weights.card(NAME).metrics["fcd"]
    altered("fcd", value=stated["value"] + 2 * stated["tolerance"] + 0.1)
    with pytest.raises(CardMismatch, match=r"fcd is [\d.]+ on the card, [\d.]+ found again"):
        verify(NAME, progress=False)


def test_a_changed_floor_fails(altered):
    stated = weights.card(NAME).metrics["recall"]
    altered("recall", floor=stated["floor"] - 1.1 * stated["tolerance"])
    with pytest.raises(CardMismatch, match=r"recall, real is [\d.]+ on the card"):
        verify(NAME, progress=False)


def test_a_deviation_is_checked_where_a_card_has_one():
    score = Score("inception_score", 2.0, std=0.1)
    stated = to_card(Evaluation("a", "b", "f", [score]))["inception_score"]
    (check,) = verification._more_checks("inception_score", stated, score)
    assert check == Check("inception_score, std", 0.1, 0.1, stated["tolerance"]) and check.holds
    for std, holds in ((0.1 + 0.9 * check.tolerance, True), (0.1 + 1.1 * check.tolerance, False)):
        found = dataclasses.replace(score, std=std)
        (check,) = verification._more_checks("inception_score", stated, found)
        assert check.holds == holds


def test_a_deviation_of_subsets_that_were_all_the_same_is_found_again_as_none():
    stated = {"value": 0.01, "std": 1.2e-16, "tolerance": 0.005}
    (check,) = verification._more_checks("kid", stated, Score("kid", 0.01))
    assert check.found == 0 and check.holds
    (check,) = verification._more_checks("kid", {**stated, "std": 0.1}, Score("kid", 0.01))
    assert not check.holds


def test_another_seed_than_the_cards_gives_other_numbers(altered, checks):
    altered("ms_ssim", seed=5, tolerance=1.0)
    found = {check.metric: check.found for check in verify(NAME, progress=False)}
    before = {check.metric: check.found for check in checks}
    assert found["ms_ssim"] != before["ms_ssim"]
    assert {k: v for k, v in found.items() if "ms_ssim" not in k} == pytest.approx(
        {k: v for k, v in before.items() if "ms_ssim" not in k}
    )


def test_features_of_another_extractor_fail(altered):
    altered("recall", extractor_hash="0" * 64)
    with pytest.raises(CardMismatch, match="recall was measured with extractor 000000000000"):
        verify(NAME, progress=False)


def test_other_images_than_the_cards_are_refused():
    noise = np.random.default_rng(0).integers(0, 256, (1900, 8, 8, 1)).astype(np.uint8)
    with pytest.raises(ValueError, match="was measured on other images: digits .* Received: array"):
        verify(NAME, data=noise, progress=False)


def test_an_entry_without_weights_is_refused():
    with pytest.raises(ValueError, match="no published weights"):
        verify("dcgan_cifar10")


def test_a_score_and_its_tolerance_go_onto_the_card():
    score = Score("fcd", 4.0, floor=0.2, extractor="x", extractor_hash="a" * 64, resize="clean")
    card = to_card(Evaluation("a", "b", "f", [score]))
    assert card["fcd"]["value"] == 4.0 and card["fcd"]["floor"] == 0.2
    assert "metric" not in card["fcd"] and "std" not in card["fcd"]
    assert card["fcd"]["tolerance"] == tolerance(score) == 0.08
    assert tolerance(Score("precision", 0.1)) == 0.005


def test_a_check_holds_within_its_tolerance_alone():
    assert Check("fcd", 1.0, 1.05, 0.06).holds and not Check("fcd", 1.0, 1.05, 0.04).holds
    assert not Check("fcd", 1.0, float("nan"), 0.04).holds
    assert "DIFFERS" in str(Check("fcd", 1.0, 2.0, 0.5))


def test_every_published_card_has_metrics_that_verify_can_find_again():
    assert set(verification.published()) == {
        path.stem for path in paths.pretrained().glob("*.json")
    }
    for name in verification.published():
        for metric, stated in weights.card(name).metrics.items():
            assert {"value", "tolerance", "images", "split"} <= set(stated), (name, metric)
