"""Bases under configs, overrides over them."""

import dataclasses
import json

import numpy as np
import pytest

from ganzoo.config import ConfigError, load_config, to_dict

# Bases


def test_a_base_gives_all_that_is_not_stated(file, mine):
    child = load_config(file("base: mine\ndata: {batch_size: 7}\n", "child"))
    data_config = dataclasses.replace(mine.data, batch_size=7)
    assert child == dataclasses.replace(mine, name="child", data=data_config)


def test_bases_chain_and_the_message_names_the_file_that_is_wrong(file, mine):
    file("base: mine\ntraining:\n  seed: -1\n", "child")
    path = file("base: child\nsummary: grandchild\n", "grandchild")
    with pytest.raises(ConfigError, match=r"child\.yaml, line 3: training\.seed: expected a whole"):
        load_config(path)
    assert load_config(path, ["training.seed=3"]).training.seed == 3


def test_a_part_of_another_class_keeps_no_option_of_its_base(file, mine):
    text = "base: mine\noptimizers: {generator: {class: rmsprop, learning_rate: 5e-5}}\n"
    child = load_config(file(text, "child"))
    assert child.optimizers["generator"].options == {"learning_rate": 5e-5}
    assert child.optimizers["discriminator"] == mine.optimizers["discriminator"]


def test_a_zoo_entry_can_be_a_base(file):
    child = load_config({"name": "mine", "base": "dcgan_mnist", "data": {"dataset": "folder"}})
    assert child.data.dataset == "folder"
    assert child.data.image_size == 28


@pytest.mark.parametrize(
    "bases", [{"a": "a"}, {"a": "b", "b": "a"}, {"a": "b", "b": "c", "c": "b"}]
)
def test_bases_in_a_circle_are_refused(bases, file):
    for name, base in bases.items():
        file(f"name: {name}{name}\nbase: {base}\n", name)
    with pytest.raises(ConfigError, match=r"yaml, line 2: base: a circle: .* -> "):
        load_config(file("base: a\n", "top").with_name("a.yaml"))


def test_an_unknown_base_suggests_the_nearest_entry(file):
    with pytest.raises(ConfigError, match="line 1: base: .*'dcgan_mnst'.*mean 'dcgan_mnist'"):
        load_config(file("base: dcgan_mnst\n"))


# Overrides


@pytest.mark.parametrize(
    "overrides",
    [
        ["generator.width=16", "training.seed=1", "generator.image_shape=[8, 8, 1]"],
        ["generator={width: 16}", "training.seed=7", "training.seed=1"],
        {"generator": {"width": 16}, "training.seed": 1},
        {"generator.width": 16, "training": {"seed": 1}},
    ],
)
def test_overrides_of_all_forms_give_the_same_config(mine, overrides):
    changed = load_config(mine, overrides)
    assert changed.generator.options == {**mine.generator.options, "width": 16}
    assert changed.training == dataclasses.replace(mine.training, seed=1)
    assert changed.discriminator == mine.discriminator


def test_overrides_replace_lists_and_nulls(mine):
    shape = {f"{player}.image_shape": (4, 4, 3) for player in ("generator", "discriminator")}
    changed = load_config(mine, {**shape, "data.image_size": 4, "data.channels": 3})
    assert changed.generator.options["image_shape"] == (4, 4, 3)
    assert changed.data.channels == 3
    assert load_config(changed, ["data.channels=null"]).data.channels is None
    assert load_config(mine, ["evaluation.metrics=[fid, kid]"]).evaluation.metrics == ("fid", "kid")


def test_numpy_numbers_are_taken_as_numbers(mine):
    overrides = {"generator.width": np.int64(5), "training.ema_decay": np.float64(0.5)}
    changed = load_config(mine, overrides)
    assert json.dumps(to_dict(changed))
    assert (changed.generator.options["width"], changed.training.ema_decay) == (5, 0.5)


def test_the_order_of_overrides_of_a_class_and_its_options_does_not_matter(mine):
    pair = ["optimizers.generator.class=rmsprop", "optimizers.generator.learning_rate=5e-5"]
    assert load_config(mine, pair) == load_config(mine, pair[::-1])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.stpes=1", "--set: training.stpes: unknown key; did you mean 'steps'?"),
        ("steps=1", "--set: steps: unknown key; did you mean 'training.steps'?"),
        ("width=1", "--set: width: unknown key; did you mean 'generator.width'?"),
        ("trainin.steps=1", "--set: trainin: unknown key; did you mean 'training'?"),
        ("training.steps", "expected KEY=VALUE"),
        ("training.steps=", "--set: training.steps: expected a value, null for none"),
        (".steps=1", "expected a key such as training.steps; got '.steps'"),
        ("=1", "expected a key such as training.steps; got ''"),
        ("training.steps=[1", "--set: training.steps, line 1: not YAML"),
        ("training.steps=ten", "--set: training.steps: expected a whole number >= 1; got 'ten'"),
        ("training=3", "--set: training: expected a mapping of keys to values; got 3"),
        ("generator.image_shape.0=3", "--set: generator.image_shape: a list has no keys"),
        ("gan.x=!!python/name:os.system", "--set: gan.x, line 1: the YAML tag"),
        ("name=x", "--set: name: only a config itself can state this"),
        ("base=x", "--set: base: only a config itself can state this"),
        ("gan.class=Wgan", "--set: gan.class: expected a name of lower-case letters"),
        ("optimizers.generator.learning_rate=0", "expected a number > 0; got 0"),
        ("data.image_size=16", "does not agree with data.image_size, 16 (--set); change both"),
        ("data.channels=3", "does not agree with data.channels, 3 (--set); change both"),
        ("discriminator.image_shape=[8,8,3]", "--set: discriminator.image_shape: [8, 8, 3] is not"),
    ],
)
def test_a_wrong_override_is_refused_and_says_so(mine, override, message):
    with pytest.raises(ConfigError) as caught:
        load_config(mine, [override])
    assert message in str(caught.value)


def test_a_python_override_that_is_no_plain_data_is_refused(mine):
    for value in (object(), float("nan"), {1: 2}, {"a": {1, 2}}, b"x"):
        with pytest.raises(ConfigError, match="override: gan.x: expected"):
            load_config(mine, {"gan.x": value})
