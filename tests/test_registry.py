"""The registry: names listed, described, resolved and added."""

import html.parser
import json
import re

import pytest

import ganzoo
from ganzoo import entries, paths, registry
from ganzoo.config import ConfigError, load_config, to_dict
from ganzoo.model_info import ModelInfo

SHIPPED = {
    "dcgan_celeba": ("celeb_a", (64, 64, 3), {"width": 64}, True),
    "dcgan_cifar10": ("cifar10", (32, 32, 3), {"width": 64}, True),
    "dcgan_digits": ("digits", (8, 8, 1), {"width": 64, "smallest": 2}, False),
    "dcgan_fashion_mnist": ("fashion_mnist", (28, 28, 1), {"width": 64, "hidden": 256}, False),
    "dcgan_lsun": ("lsun/bedroom", (64, 64, 3), {"width": 64}, False),
    "dcgan_mnist": ("mnist", (28, 28, 1), {"width": 64, "hidden": 256}, False),
}


@pytest.fixture(autouse=True)
def no_own_entries(monkeypatch):
    monkeypatch.setattr(entries, "_own", {})


@pytest.fixture
def cards(monkeypatch, tmp_path):
    """An empty folder in place of the published weights, and another in place of the cache."""
    folder = tmp_path / "pretrained"
    folder.mkdir()
    monkeypatch.setattr(paths, "pretrained", lambda: folder)
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    return folder


def mine(**changes):
    return {**to_dict(registry.entry("dcgan_digits")), "name": "mine", **changes}


def test_every_file_of_the_zoo_is_an_entry():
    stems = {path.stem for path in paths.zoo_configs().iterdir()}
    assert set(SHIPPED) <= stems == set(ganzoo.list_models())


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_entries_are_the_recipes_of_the_paper(name):
    dataset, shape, options, flip = SHIPPED[name]
    config = registry.entry(name)
    assert config.paper == "https://arxiv.org/abs/1511.06434"
    assert (config.data.dataset, config.data.flip) == (dataset, flip)
    assert (config.data.batch_size, config.data.image_size) == (64, shape[0])
    for part in (config.generator, config.discriminator):
        assert part.options == {"image_shape": shape, **options}
    slower = {"discriminator": 0.5} if name == "dcgan_celeba" else {}  # its config says why
    for player, part in config.optimizers.items():
        assert part.name == "adam"
        rate = 2e-4 * slower.get(player, 1)
        assert part.options == {"learning_rate": rate, "beta_1": 0.5}
    assert config.gan.options == {"latent_dim": 32 if name == "dcgan_digits" else 100}


@pytest.mark.parametrize("name", ganzoo.list_models())
def test_shipped_entries_say_what_they_are(name):
    config = registry.entry(name)
    assert config.paper.startswith("https://")
    assert config.licence and config.summary


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("dcgan_[lm]*", ["dcgan_lsun", "dcgan_mnist"]),
        ("dcgan*mnist", ["dcgan_fashion_mnist", "dcgan_mnist"]),
        ("dcgan_digits", ["dcgan_digits"]),
        ("DCGAN*", []),
        ("", []),
    ],
)
def test_list_models_matches_shell_patterns(pattern, names):
    assert ganzoo.list_models(pattern) == names


def test_list_models_tells_entries_with_weights_from_those_without(cards, tmp_path):
    assert ganzoo.list_models(pretrained=True) == []
    (cards / "dcgan_mnist.json").write_text("{}")
    cached = tmp_path / "home" / "weights"
    cached.mkdir(parents=True)
    (cached / "dcgan_lsun.json").write_text("{}")
    assert ganzoo.list_models(pretrained=True) == ["dcgan_lsun", "dcgan_mnist"]
    assert ganzoo.list_models("dcgan*mnist", pretrained=False) == ["dcgan_fashion_mnist"]


def test_the_order_of_list_models_is_that_of_the_alphabet():
    ganzoo.register(mine(name="a"))
    ganzoo.register(mine(name="zz"))
    assert ganzoo.list_models() == sorted(ganzoo.list_models())
    assert {"a", "zz"} <= set(ganzoo.list_models())


@pytest.mark.parametrize("call", [registry.entry, registry.info])
def test_an_unknown_name_suggests_the_closest(call):
    with pytest.raises(ValueError, match="'dcgan_mnits'; did you mean 'dcgan_mnist'.*dcgan_celeba"):
        call("dcgan_mnits")


def test_a_name_is_no_path():
    for name in ("../zoo_configs/dcgan_mnist", "", ".", None):
        with pytest.raises(ValueError, match="Unknown zoo entry"):
            registry.entry(name)


def test_an_entry_takes_overrides():
    config = registry.entry("dcgan_mnist", {"generator": {"width": 8}, "training.seed": 1})
    assert (config.generator.options["width"], config.training.seed) == (8, 1)
    assert registry.entry("dcgan_mnist").training.seed == 0


# A user's own entries


def test_a_dict_becomes_an_entry_that_later_changes_do_not_reach():
    source = mine()
    assert ganzoo.register(source) == "mine"
    source["generator"]["width"] = 1
    assert registry.entry("mine").generator.options["width"] == 64
    assert "mine" in ganzoo.list_models("mi*")


def test_a_file_becomes_an_entry_from_any_working_directory(tmp_path, monkeypatch):
    (tmp_path / "own.yaml").write_text("base: dcgan_digits\nsummary: Mine\n")
    monkeypatch.chdir(tmp_path)
    assert ganzoo.register("own.yaml") == "own"
    monkeypatch.chdir("/")
    assert registry.entry("own").summary == "Mine"


def test_an_own_entry_can_be_a_base():
    ganzoo.register(mine(summary="Mine"))
    ganzoo.register({"name": "more", "base": "mine", "training": {"seed": 5}})
    config = registry.entry("more")
    assert (config.summary, config.training.seed) == ("Mine", 5)


def test_a_config_can_be_registered():
    config = load_config(mine())
    ganzoo.register(config)
    assert registry.entry("mine") == config


def test_a_shipped_name_is_replaced_only_on_request():
    with pytest.raises(ValueError, match="'dcgan_mnist' already: .*replace=True"):
        ganzoo.register(mine(name="dcgan_mnist"))
    assert registry.entry("dcgan_mnist").data.image_size == 28
    ganzoo.register(mine(name="dcgan_mnist"), replace=True)
    assert registry.entry("dcgan_mnist").data.image_size == 8


def test_registering_again_replaces_the_users_own():
    ganzoo.register(mine(summary="first"))
    ganzoo.register(mine(summary="second"))
    assert registry.entry("mine").summary == "second"


def test_a_wrong_config_is_refused_and_not_entered():
    with pytest.raises(ConfigError, match="config 'mine': trainin: unknown key"):
        ganzoo.register(mine(trainin={}))
    with pytest.raises(ConfigError, match="name: missing"):
        ganzoo.register({"summary": "x"})
    assert "mine" not in ganzoo.list_models()


def test_a_file_of_the_zoo_that_states_another_name_is_refused(monkeypatch, tmp_path):
    (tmp_path / "one.yaml").write_text(f"# JSON is YAML\n{json.dumps(mine(name='other'))}")
    monkeypatch.setattr(paths, "zoo_configs", lambda: tmp_path)
    with pytest.raises(ConfigError, match=r"one\.yaml: name: expected 'one'; got 'other'"):
        registry.entry("one")


# Info


def card(**changes):
    return {
        "bytes": 4_700_000, "steps": 18800, "licence": "CC BY-SA 3.0",
        "config_hash": registry.entry("dcgan_mnist").hash, "metrics": {"fid": 12.3456, "n": 10000},
        "data": {"source": "mnist", "images": 60000}, **changes,
    }  # fmt: skip


@pytest.mark.parametrize("name", ganzoo.list_models())
def test_info_fits_80_columns_and_says_how_to_train(name):
    text = str(ganzoo.info(name))
    *lines, load, train = text.splitlines()  # the last two, to copy, are never wrapped
    assert max(map(len, lines)) <= 80
    assert load.startswith("  load ") and train.startswith("  train ")
    assert text.startswith(f"{name}: ")
    assert f"ganzoo train {name} --workdir=runs/{name}" in text
    config = registry.entry(name)
    for part in (config.paper, config.generator.name, "learning_rate "):
        assert part in text


def test_info_aligns_its_values():
    rows = str(ganzoo.info("dcgan_mnist")).split("\n\n")[1].splitlines()
    begun = [re.match(r"  \S+( optimizer)? +", row) for row in rows]
    assert len({match.end() for match in begun if match}) == 1 < len(list(filter(None, begun)))


def test_info_wraps_long_values_under_themselves():
    ganzoo.register(mine(licence="word " * 40 + "https://example.org/" + "x" * 20))
    lines = str(ganzoo.info("mine")).splitlines()
    assert max(map(len, lines)) <= 80
    column = next(line for line in lines if line.startswith("  licence")).index("word")
    follow = [line for line in lines if line.strip().startswith("word")]
    assert follow and all(line.index("word") == column for line in follow)


def test_info_shows_the_published_weights(cards):
    (cards / "dcgan_mnist.json").write_text(json.dumps(card()))
    info = ganzoo.info("dcgan_mnist")
    assert info.pretrained and info.metrics["fid"] == 12.3456
    for part in ("4.7 MB, 18,800 steps, 60,000 images of mnist", "fid 12.35, n 10000"):
        assert part in str(info)
    assert 'ganzoo.load("dcgan_mnist")' in str(info)
    assert "another version" not in str(info)
    (cards / "dcgan_mnist.json").write_text(json.dumps(card(config_hash="0" * 64)))
    assert "another version of this config" in str(ganzoo.info("dcgan_mnist"))


def test_info_shows_a_metric_beside_that_of_real_images(cards):
    metrics = {"fcd": {"value": 3.14159, "floor": 0.25, "seed": 0}, "ms_ssim": {"value": 0.5}}
    (cards / "dcgan_mnist.json").write_text(json.dumps(card(metrics=metrics)))
    assert "fcd 3.142 (real images 0.25), ms_ssim 0.5" in str(ganzoo.info("dcgan_mnist"))


def test_info_says_that_there_are_no_weights(cards):
    info = ganzoo.info("dcgan_mnist")
    assert (info.pretrained, info.metrics, info.licence) == (False, {}, "MNIST, CC BY-SA 3.0")
    assert "none published" in str(info)
    assert 'ganzoo.load("dcgan_mnist", weights=None)' in str(info)


@pytest.mark.parametrize("content", ["", "[]", "{", "null"])
def test_a_broken_card_is_named(cards, content):
    (cards / "dcgan_mnist.json").write_text(content)
    with pytest.raises(ValueError, match=r"dcgan_mnist\.json: expected a"):
        ganzoo.info("dcgan_mnist")


def test_the_notebook_card_escapes_what_it_shows_and_links_the_paper():
    paper = "https://example.org/?a=1&b=\"><script>alert('x')</script>"
    config = load_config(mine(summary="<b>&</b>", paper=paper))
    text = ModelInfo(config)._repr_html_()
    tags = []
    reader = html.parser.HTMLParser()
    reader.handle_starttag = lambda tag, attributes: tags.append((tag, dict(attributes)))
    reader.feed(text)
    assert {tag for tag, _ in tags} == {"div", "h3", "p", "table", "tr", "th", "td", "a", "code"}
    assert [one["href"] for tag, one in tags if tag == "a"] == ["https://example.org/?a=1&b="]
    assert "&lt;b&gt;&amp;&lt;/b&gt;" in text
