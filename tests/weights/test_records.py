import json
import pickle

import pytest

from ganzoo import weights
from ganzoo.weights import Card, records


def test_a_card_comes_back_equal_and_its_text_is_canonical(tmp_path, make_card):
    card = make_card(mirrors=("https://example.org/w", "hf://owner/repo"), licence="CC0-1.0")
    card.write(tmp_path / "tiny.json")
    text = (tmp_path / "tiny.json").read_text()
    assert weights.read_card(tmp_path / "tiny.json") == card
    assert list(json.loads(text)) == sorted(json.loads(text))
    assert card.to_json() == text


def test_an_unknown_key_is_refused_with_the_nearest(make_card):
    record = json.loads(make_card().to_json()) | {"licens": "MIT"}
    with pytest.raises(ValueError, match="x.json: Unknown key 'licens'; did you mean 'licence'"):
        Card.from_json(json.dumps(record), source="x.json")


@pytest.mark.parametrize("key", ["name", "sha256", "config_hash", "data", "seed"])
def test_a_missing_key_is_named(make_card, key):
    record = json.loads(make_card().to_json())
    del record[key]
    with pytest.raises(ValueError, match=f"x.json lacks {key}"):
        Card.from_json(json.dumps(record), source="x.json")


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("name", "../evil", "letters, digits"),
        ("name", "a/b", "letters, digits"),
        ("name", "", "letters, digits"),
        ("name", ".hidden", "letters, digits"),
        ("name", "tiny\n", "letters, digits"),
        ("file", "../../etc/passwd", "plain NAME.safetensors"),
        ("file", "/tmp/x.safetensors", "plain NAME.safetensors"),
        ("file", "x.pickle", "plain NAME.safetensors"),
        ("sha256", "ABC", "64 lowercase hex"),
        ("config_hash", "0" * 63, "64 lowercase hex"),
        ("bytes", -1, "bytes must be 0 or more"),
        ("bytes", "12", "bytes must be of type int"),
        ("bytes", True, "bytes must be of type int"),
        ("seed", 1.5, "seed must be of type int"),
        ("steps", -5, "steps must be 0 or more. Received: -5"),
        ("data", [], "data must be of type dict"),
        ("data", {"source": "x"}, "data lacks images, image_size, fingerprint"),
        ("metrics", 3, "metrics must be of type dict"),
        ("metrics", {"fid": float("nan")}, "metrics is no JSON"),
        ("mirrors", "https://x", "mirrors must be of type tuple"),
        ("mirrors", ["ftp://x"], "https, http or hf URL"),
        ("mirrors", [3], "https, http or hf URL"),
        ("licence", None, "licence must be of type str"),
    ],
)
def test_a_wrong_value_is_named(make_card, key, value, reason):
    record = json.loads(make_card().to_json()) | {key: value}
    with pytest.raises(ValueError, match=f"x.json: .*{reason}"):
        Card.from_json(json.dumps(record), source="x.json")


@pytest.mark.parametrize("text", [b"", b"[1]", b"\xff\xfe", b"{", b"[" * 200_000])
def test_what_is_no_json_object_is_refused(text):
    with pytest.raises(ValueError, match="x.json is no"):
        Card.from_json(text, source="x.json")


def test_published_cards_are_listed_by_name(package):
    package("b_entry")
    package("a_entry")
    assert list(weights.cards()) == ["a_entry", "b_entry"]
    assert weights.card("a_entry").name == "a_entry"


def test_no_folder_of_weights_means_no_cards():
    assert weights.cards() == {}


def test_an_entry_without_weights_names_the_command_and_the_nearest_entry(package):
    package("dcgan_celeba")
    package("wgan_mnist")
    with pytest.raises(weights.NotPublished) as caught:
        weights.card("dcgan_lsun")
    message = str(caught.value)
    assert "'dcgan_lsun' has no published weights" in message
    assert "`ganzoo train dcgan_lsun --workdir=runs/dcgan_lsun`" in message
    assert "'dcgan_celeba'" in message
    assert isinstance(caught.value, ValueError) and isinstance(caught.value, LookupError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == message


def test_a_misspelt_entry_is_told_the_nearest_and_not_how_to_train_it(package):
    package("dcgan_celeba")
    with pytest.raises(weights.NotPublished) as caught:
        weights.card("dcgan_mnits")
    message = str(caught.value)
    assert "'dcgan_mnits'; did you mean 'dcgan_mnist'?" in message and "train" not in message


def test_a_packaged_card_under_another_name_is_refused(package, tmp_path):
    package("tiny")
    (tmp_path / "pretrained" / "tiny.json").rename(tmp_path / "pretrained" / "other.json")
    with pytest.raises(ValueError, match=r"other.json is the card of 'tiny'"):
        weights.cards()


def test_a_broken_card_in_the_cache_is_left_out_with_a_warning(package, home):
    package("tiny")
    home.mkdir(parents=True)
    (home / "other.json").write_text("{}")
    with pytest.warns(UserWarning, match="broken card.*other.json lacks name"):
        assert list(weights.cards()) == ["tiny"]


def test_versions_of_an_entry_have_different_names_on_a_mirror(make_card):
    one, two = make_card(data=b"1"), make_card(data=b"2")
    assert one.versioned_file != two.versioned_file
    assert one.versioned_file == f"tiny-{one.sha256[:8]}.safetensors"
    records.check_name(one.versioned_file)
