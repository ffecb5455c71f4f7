"""Validity, number of different valid texts, novelty: counted by hand."""

import pytest

from ganzoo.metrics import texts

KNOWN = ["aa", "ab"]
SAMPLES = ["aa", "aa", "ac", "ad", "ad", "b", "", "ba"]


def begins_with_a(text):
    return text.startswith("a")


def test_validity_counts_every_text_and_its_copies():
    assert texts.validity(SAMPLES, begins_with_a) == 5 / 8
    assert texts.validity(["x"], begins_with_a) == 0


def test_distinct_counts_valid_texts_once():
    assert texts.distinct(SAMPLES, begins_with_a) == 3
    assert texts.distinct(["ab"] * 50, begins_with_a) == 1


def test_novelty_is_of_the_valid_texts_alone():
    assert texts.novelty(SAMPLES, KNOWN, begins_with_a) == 3 / 5
    assert texts.novelty(KNOWN, KNOWN, begins_with_a) == 0
    assert texts.novelty(["b", "c"], KNOWN, begins_with_a) == 0


def test_no_texts_have_no_validity():
    with pytest.raises(ValueError, match="Expected texts. Received: none"):
        texts.validity([], begins_with_a)
