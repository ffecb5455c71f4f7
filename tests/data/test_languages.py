"""Texts as tokens, and the languages whose rules are known."""

import calendar
import random

import numpy as np
import pytest
import tensorflow as tf

from ganzoo import data
from ganzoo.data import open_source, texts
from ganzoo.data.languages import LANGUAGES, language_of

ARITHMETIC, DATES = LANGUAGES["arithmetic"], LANGUAGES["dates"]


def test_arithmetic_is_all_sums_differences_and_products_of_two_digits():
    found = set(ARITHMETIC.texts)
    # 100 sums, 55 differences from 0 on, 100 products
    assert len(found) == len(ARITHMETIC.texts) == 255 and ARITHMETIC.length == 6
    assert {"7+5=12", "0-0=0", "9-3=6", "9*9=81"} <= found
    for text in found:
        left, _, right = text.partition("=")
        assert eval(left) == int(right) >= 0


def test_dates_are_all_days_of_two_centuries():
    years = range(1900, 2100)
    expected = [
        f"{year}-{month:02}-{day:02}"
        for year in years
        for month in range(1, 13)
        for day in range(1, calendar.monthrange(year, month)[1] + 1)
    ]
    assert list(DATES.texts) == expected and len(expected) == 73_049
    assert {"2000-02-29", "1904-02-29"} <= {*expected} and "1900-02-29" not in expected


@pytest.mark.parametrize("language", [ARITHMETIC, DATES], ids=lambda one: one.name)
def test_a_text_is_valid_exactly_if_it_is_one_of_the_language(language):
    known = set(language.texts)
    some = random.Random(0).sample(language.texts, 200)
    assert all(map(language.valid, some))
    characters, near = language.characters, set()
    for text in some:
        for place in range(len(text)):
            near |= {text[:place] + other + text[place + 1 :] for other in characters}
            near |= {text[:place] + text[place + 1 :], text[:place] + "0" + text[place:]}
        near |= {text + " ", text + "\n", " " + text, text[:4]}
    near |= {"", "=", "٣+٣=6", "１900-01-01", "7/5=1"}
    assert {text for text in near if language.valid(text)} == near & known
    assert near & known > {*some} and len(near - known) > 1000


def test_texts_become_tokens_and_come_back():
    found = texts.encode(["ab", "", "b b"], "ab ", length=3)
    np.testing.assert_array_equal(found, [[0, 1, 2], [2, 2, 2], [1, 2, 1]])
    assert found.dtype == np.int32
    assert texts.decode(found, "ab ") == ["ab", "", "b b"]
    assert texts.decode(found.astype("float32"), "ab ")[2] == "b b"
    np.testing.assert_array_equal(texts.encode("ba", "ab ", length=2), [[1, 0]])
    for language in (ARITHMETIC, DATES):
        assert tuple(language.decode(language.encode(language.texts))) == language.texts


@pytest.mark.parametrize(
    ("some", "message"),
    [
        (["abba"], "at most 3 characters. Received: 'abba', 4"),
        (["abc"], "Expected characters of 'ab '. Received: 'c' in 'abc'"),
        ([], "Expected texts. Received: none"),
    ],
)
def test_texts_that_do_not_fit_are_refused(some, message):
    with pytest.raises(ValueError, match=message):
        texts.encode(some, "ab ", length=3)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([[0, 3]], "Expected tokens from 0 to 2. Received: 0 to 3"),
        ([[-1, 0]], "from 0 to 2. Received: -1 to 0"),
        ([[0.5, 1]], r"whole numbers. Received: shape \(1, 2\), dtype float64"),
        ([[np.nan, 1]], "whole numbers"),
        ([0, 1], r"tokens \(N, T\)"),
        ([["a", "b"]], "whole numbers"),
        (np.zeros((0, 3), int), "whole numbers"),
    ],
)
def test_what_are_no_tokens_is_refused(tokens, message):
    with pytest.raises(ValueError, match=message):
        texts.decode(tokens, "ab ")


@pytest.mark.parametrize("name", LANGUAGES)
def test_the_splits_hold_every_text_once(name):
    language = LANGUAGES[name]
    train, test = (open_source(name, split=split) for split in ("train", "test"))
    assert train.images.dtype == np.int32 and train.images.shape[1:] == (language.length,)
    told = [language.decode(one.images) for one in (train, test)]
    assert sorted(told[0] + told[1]) == sorted(language.texts)
    assert len(told[1]) == round(len(language.texts) / 5)
    assert told[0] == language.split("train") and told[1] == language.split("test")
    again = open_source(name.capitalize())
    assert again.fingerprint == train.fingerprint != test.fingerprint


def test_texts_are_known_as_such():
    opened = open_source("arithmetic")
    assert opened.language is ARITHMETIC is language_of("Arithmetic")
    assert opened.noun == "texts" and repr(opened) == "<Texts arithmetic: 204 of 6>"
    assert open_source(opened) is opened
    assert open_source("ring").language is language_of("ring") is language_of(None) is None


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("dates", {"split": "tset"}, "dates has no split 'tset'; did you mean 'test'"),
        ("dates", {"image_size": 8}, "dates holds texts: leave image_size out. Received: image_s"),
        ("arithmetic", {"channels": 1}, "leave channels out"),
        (open_source("arithmetic"), {"crop": 5}, "leave crop out"),
        (open_source("arithmetic"), {"split": "test"}, "no split 'test'"),
    ],
)
def test_what_texts_do_not_have_is_refused(source, options, message):
    with pytest.raises(ValueError, match=message):
        open_source(source, **options)


def test_tokens_are_served_as_they_are():
    batches = list(data.load("arithmetic", batch_size=102, seed=3))
    order = np.random.default_rng((3, 0)).permutation(204)
    assert [batch.dtype for batch in batches] == [tf.int32] * 2
    found = np.concatenate(batches)
    np.testing.assert_array_equal(found, open_source("arithmetic").images[order])
    with pytest.raises(ValueError, match="cannot mirror"):
        data.load("arithmetic", flip=True)
