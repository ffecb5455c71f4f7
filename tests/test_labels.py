"""What a class of GAN knows of labels is told alike by class, config, card, list and info."""

import re

import pytest

import ganzoo
from ganzoo import labels, registry, weights
from ganzoo.commands import command
from ganzoo.gans import GANS
from ganzoo.model_info import ModelInfo


@pytest.mark.parametrize("name", list(GANS))
def test_what_is_known_without_importing_a_class_is_what_the_class_says(name, monkeypatch):
    kind = GANS[name].kind_of_labels
    assert kind in labels.KINDS
    monkeypatch.delitem(labels.sys.modules, "ganzoo.gans")
    assert labels.kind_of(name) == kind


def test_a_user_s_own_class_is_asked_itself(monkeypatch):
    class Own:
        kind_of_labels = "conditional"

    monkeypatch.setitem(GANS._parts, "own", Own)
    assert labels.kind_of("own") == "conditional"


@pytest.mark.parametrize("name", ganzoo.list_models())
def test_an_entry_says_what_it_knows_of_labels(name):
    config = registry.entry(name)
    info = ModelInfo(config)
    assert info.kind_of_labels == labels.kind_of(config.gan.name)
    assert re.search(rf"^  labels +{info.kind_of_labels}: ", str(info), re.MULTILINE)
    assert config.data.labels == (info.kind_of_labels != "unconditional")


@pytest.mark.parametrize("name", ganzoo.list_models(pretrained=True))
def test_a_published_card_says_what_it_knows_of_labels(name):
    assert weights.card(name).kind_of_labels == registry.info(name).kind_of_labels


def test_the_table_of_entries_tells_which_can_be_asked(capsys, monkeypatch):
    shown = [command("list").parse([word]) for word in ("cgan_mnist", "sgan_mnist", "dcgan_mnist")]
    for options in shown:
        command("list").run(options)
    rows = [line for line in capsys.readouterr().out.splitlines() if "mnist" in line]
    assert [row.split()[4] for row in rows] == ["conditional", "in", "-"]


def test_codes_are_categorical_unless_they_are_an_interval():
    class Gan:
        conditions = ("codes",)

    def of(**codes):
        gan = Gan()
        gan.codes = codes
        return labels.categorical_code(gan), labels.classes_of(gan)

    assert of(digit=range(10), tilt=(-1.0, 1.0)) == (("digit", range(10)), 10)
    assert of(size=("small", "large")) == (("size", ("small", "large")), 2)
    assert of(tilt=(-1.0, 1.0)) == (None, 0)
