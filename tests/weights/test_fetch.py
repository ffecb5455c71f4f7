"""Finding and downloading, against real servers on loopback that misbehave."""

import numpy as np
import pytest
import requests

from ganzoo import weights
from ganzoo.weights import download


def weights_in(folder):
    """Every file of the cache but locks and cards."""
    listed = folder.iterdir() if folder.is_dir() else ()
    return sorted(p.name for p in listed if not p.name.endswith((".lock", ".json")))


# --- on disk --------------------------------------------------------------------------------------


def test_a_packaged_entry_is_found_without_network_or_cache(package, home, monkeypatch):
    card, values = package()
    monkeypatch.setenv("GANZOO_OFFLINE", "1")
    assert weights.find("tiny").name == "tiny.safetensors"
    assert weights.find(card) == weights.find("tiny")
    np.testing.assert_array_equal(weights.load("tiny")["generator/dense/kernel"], values)
    assert not home.exists()


def test_a_path_is_taken_as_it_is(package, tmp_path, monkeypatch):
    package()
    path = tmp_path / "pretrained" / "tiny.safetensors"
    monkeypatch.chdir(path.parent)
    for target in (path, str(path), "tiny.safetensors", "./tiny.safetensors"):
        assert weights.find(target).samefile(path)
    with pytest.raises(FileNotFoundError, match="no weights file nowhere.safetensors"):
        weights.find("nowhere.safetensors")


@pytest.mark.parametrize("target", ["ftp://x/y", "s3://x", "https://", "hf://owner/repo"])
def test_another_scheme_or_a_url_without_a_file_is_refused(target):
    with pytest.raises((ValueError, weights.DownloadError), match="Expected|Cannot download"):
        weights.find(target)


@pytest.mark.parametrize("target", ["..", "a b", "", ".hidden", "x" * 101])
def test_what_cannot_be_a_name_is_refused(target):
    with pytest.raises(ValueError, match="entry's name"):
        weights.find(target)


def test_a_damaged_packaged_copy_warns_and_a_mirror_replaces_it(package, mirror, home, monkeypatch):
    folder, card, values = mirror
    package()
    assert weights.card("tiny") == card
    path = weights.find("tiny")
    path.write_bytes(path.read_bytes()[:-1])
    monkeypatch.setenv("GANZOO_MIRROR", str(folder))
    with pytest.warns(UserWarning, match=f"{path} is damaged"):
        assert weights.find("tiny") == home / card.versioned_file
    assert weights_in(home) == [card.versioned_file]


def test_an_entry_without_weights_names_the_command_and_the_nearest(
    package, mirror, serve, monkeypatch
):
    package("dcgan_celeba")
    monkeypatch.setenv("GANZOO_MIRROR", serve(mirror[0]).url)
    with pytest.raises(weights.NotPublished, match="ganzoo train dcgan_lsun.*'dcgan_celeba'"):
        weights.find("dcgan_lsun")


# --- mirrors --------------------------------------------------------------------------------------


def test_a_mirror_gives_an_entry_that_the_package_lacks_once_for_all(
    mirror, serve, home, monkeypatch
):
    folder, card, values = mirror
    server = serve(folder)
    monkeypatch.setenv("GANZOO_MIRROR", server.url)
    np.testing.assert_array_equal(weights.load("tiny")["generator/dense/kernel"], values)
    assert server.requests == ["tiny.json", card.versioned_file]
    assert server.ranges == [None, None]
    monkeypatch.setenv("GANZOO_OFFLINE", "1")
    assert weights.find("tiny") == home / card.versioned_file
    assert weights.card("tiny") == card
    assert len(server.requests) == 2


def test_a_folder_on_disk_is_a_mirror_with_the_network_off_too(mirror, home, monkeypatch):
    folder, card, _ = mirror
    monkeypatch.setenv("GANZOO_MIRROR", str(folder))
    monkeypatch.setenv("GANZOO_OFFLINE", "1")
    assert weights.find("tiny") == home / card.versioned_file


def test_mirrors_are_asked_in_order_those_of_the_environment_first(
    mirror, make_card, serve, tmp_path, monkeypatch
):
    folder, card, _ = mirror
    (tmp_path / "empty").mkdir()
    one, two, three = serve(tmp_path / "empty"), serve(tmp_path / "empty"), serve(folder)
    data = (folder / card.versioned_file).read_bytes()
    monkeypatch.setenv("GANZOO_MIRROR", f" {one.url}/, {two.url}\n")
    weights.find(make_card(data=data, mirrors=(three.url,)))
    assert one.requests == two.requests == three.requests == [card.versioned_file]


def test_a_hub_url_goes_to_the_hub(mirror, serve, home, monkeypatch):
    folder, card, _ = mirror
    server = serve(folder)
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    hub = folder / "owner" / "zoo" / "resolve" / "main"
    hub.mkdir(parents=True)
    for path in folder.glob("tiny*"):
        path.rename(hub / path.name)
    monkeypatch.setenv("GANZOO_MIRROR", "hf://owner/zoo")
    assert weights.find("tiny") == home / card.versioned_file
    assert server.requests[-1] == f"owner/zoo/resolve/main/{card.versioned_file}"


def test_the_addresses_of_the_hub():
    public = "https://huggingface.co/o/r/resolve"
    assert download.address("hf://o/r/a/b.safetensors") == f"{public}/main/a/b.safetensors"
    assert download.address("hf://o/r@v1/b.safetensors") == f"{public}/v1/b.safetensors"


PASSING = ["truncate", "stall", "hang_up", "500", "503"]
LASTING = ["truncate_unsaid", "corrupt", "lengthen", "malform", "404", "403", "loop"]


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_is_tried_again_from_the_start(
    mirror, serve, home, monkeypatch, faults, hasty, fault
):
    folder, card, values = mirror
    server = serve(folder)
    server.faults[card.versioned_file] = [faults[fault], faults[fault]]
    monkeypatch.setenv("GANZOO_MIRROR", server.url)
    np.testing.assert_array_equal(weights.load("tiny")["generator/dense/kernel"], values)
    assert server.requests.count(card.versioned_file) == 3
    assert server.ranges == [None] * 4
    assert weights_in(home) == [card.versioned_file]


@pytest.mark.parametrize("fault", PASSING + LASTING)
def test_where_one_mirror_fails_the_next_one_serves(
    mirror, serve, home, monkeypatch, faults, hasty, fault
):
    folder, card, values = mirror
    bad, good = serve(folder), serve(folder)
    bad.always[card.versioned_file] = faults[fault]
    monkeypatch.setenv("GANZOO_MIRROR", f"{bad.url},{good.url}")
    np.testing.assert_array_equal(weights.load("tiny")["generator/dense/kernel"], values)
    assert good.requests == [card.versioned_file]
    assert weights_in(home) == [card.versioned_file]


REASONS = {
    "truncate": "IncompleteRead.*, 3 times",
    "truncate_unsaid": "the sha256 is",
    "corrupt": "the sha256 is",
    "lengthen": "more than the [0-9,]+ bytes expected",
    "malform": "malformed answer",
    "stall": "timed out, 3 times",
    "hang_up": "3 times",
    "404": "404 Not Found",
    "403": "403 Forbidden",
    "500": "500 Internal Server Error, 3 times",
    "503": "503 Service Unavailable, 3 times",
    "loop": "redirects",
}


@pytest.mark.parametrize("fault", PASSING + LASTING)
def test_where_every_mirror_fails_one_error_lists_each_and_the_cache_stays_clean(
    mirror, serve, home, monkeypatch, faults, hasty, fault, tmp_path
):
    folder, card, _ = mirror
    (tmp_path / "empty").mkdir()
    bad, empty = serve(folder), serve(tmp_path / "empty")
    bad.always[card.versioned_file] = faults[fault]
    monkeypatch.setenv("GANZOO_MIRROR", f"{bad.url} {empty.url} {tmp_path / 'empty'}")
    with pytest.raises(weights.DownloadError, match=REASONS[fault]) as caught:
        weights.find("tiny")
    message = str(caught.value)
    assert "\n" not in message
    assert f"{bad.url}/{card.versioned_file}: " in message
    assert f"{empty.url}/{card.versioned_file}: 404 Not Found" in message
    assert f"{tmp_path / 'empty'}/{card.versioned_file}: there is no such file" in message
    tries = bad.requests.count(card.versioned_file)
    assert tries == 3 if fault in PASSING else tries == 1 or fault == "loop"
    assert weights_in(home) == []


def test_nobody_listening_is_one_clear_error(mirror, monkeypatch, make_card):
    monkeypatch.setenv("GANZOO_MIRROR", "http://127.0.0.1:9")
    with pytest.raises(weights.DownloadError, match="Cannot tell.*Connection refused, 3 times"):
        weights.find("tiny")


def test_a_redirect_is_followed_to_another_server(mirror, serve, home, monkeypatch, faults):
    folder, card, values = mirror
    front, back = serve(folder), serve(folder)
    front.always[card.versioned_file] = faults["redirect"](f"{back.url}/{card.versioned_file}")
    monkeypatch.setenv("GANZOO_MIRROR", front.url)
    np.testing.assert_array_equal(weights.load("tiny")["generator/dense/kernel"], values)
    assert back.requests == [card.versioned_file]


@pytest.mark.parametrize(
    ("start", "target", "refused"),
    [
        ("https://a/x", "http://b/x", True),
        ("https://a/x", "https://b/x", False),
        ("https://a/x", "/y", False),
        ("http://a/x", "http://b/x", False),
    ],
)
def test_a_redirect_from_https_to_http_is_refused(start, target, refused):
    answer = requests.Response()
    answer.url, answer.status_code, answer.headers["Location"] = start, 302, target
    if refused:
        with pytest.raises(weights.DownloadError, match="from https to http://b/x"):
            download._refuse_downgrade(answer)
    else:
        download._refuse_downgrade(answer)


def test_passwords_and_tokens_stay_out_of_messages():
    assert download.shown("https://me:secret@host:8/a/b?token=x#y") == "https://host:8/a/b"


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b'{"name": "../../evil"}', "lacks"),
        (b"<html>", "no JSON"),
        (b"x" * (2**20 + 1), "more than the 1,048,576 bytes"),
    ],
)
def test_a_bad_card_on_a_mirror_is_one_clear_error(
    mirror, serve, home, monkeypatch, record, reason
):
    folder, _, _ = mirror
    (folder / "tiny.json").write_bytes(record)
    monkeypatch.setenv("GANZOO_MIRROR", serve(folder).url)
    with pytest.raises(weights.DownloadError, match=f"Cannot tell.*tiny.json.*{reason}"):
        weights.find("tiny")
    assert not home.exists()


def test_names_on_a_mirror_cannot_leave_the_cache(mirror, serve, home, monkeypatch):
    folder, card, _ = mirror
    text = card.to_json()
    monkeypatch.setenv("GANZOO_MIRROR", serve(folder).url)
    for evil in (
        text.replace('"tiny.safetensors"', '"../../evil.safetensors"'),
        text.replace('"tiny"', '"../../evil"'),
        text.replace('"tiny"', '"other"'),
    ):
        (folder / "tiny.json").write_text(evil)
        with pytest.raises(weights.DownloadError, match="plain NAME|letters, digits|'other'"):
            weights.find("tiny")
    assert not home.exists()
