"""Parts by name, and their options against their arguments."""

import pytest

from ganzoo.config import ConfigError, check_options, find_part


def network(latent_dim, image_shape, *, width=64, **rest):
    """Stands for a network function."""


class Base:
    def __init__(self, generator, *, latent_dim, seed=0):
        pass


class Child(Base):
    def __init__(self, generator, *, critic_steps=5, **kwargs):
        pass


@pytest.mark.parametrize(
    ("part", "options", "given", "message"),
    [
        (network, {"image_shape": 1}, ["latent_dim"], None),
        (network, {"image_shape": 1, "wdth": 2}, ["latent_dim"], "wdth: unknown key; .*'width'"),
        (network, {"image_shape": 1, "rest": 2}, ["latent_dim"], "rest: unknown key"),
        (network, {"width": 2}, ["latent_dim"], "image_shape: missing; network needs it"),
        (network, {"latent_dim": 2}, ["latent_dim"], "latent_dim: this is set by the zoo"),
        (Child, {"latent_dim": 2, "critic_steps": 1, "seed": 3}, ["generator"], None),
        (Child, {"critic_steps": 1}, ["generator"], "latent_dim: missing; Child needs it"),
        (Child, {"latent_dim": 2, "self": 1}, ["generator"], "self: unknown key"),
        (
            Child,
            {"latent_dim": 2, "critc_steps": 1},
            ["generator"],
            "critc_steps: unknown .*'critic_steps'",
        ),
        (Base, {"latent_dim": 2, "critic_steps": 1}, ["generator"], "critic_steps: unknown key"),
    ],
)
def test_options_are_checked_against_the_arguments(mine, part, options, given, message):
    call = {"config": mine, "section": "generator", "given": given}
    if message is None:
        check_options(part, options, **call)
    else:
        with pytest.raises(ConfigError, match=r"mine\.yaml, line 3: generator\." + message):
            check_options(part, options, **call)


def test_a_part_is_found_by_name_or_refused_with_its_place(mine):
    assert find_part({"adam": 3}, config=mine, section="optimizers.generator") == 3
    with pytest.raises(ConfigError, match=r"line 2: gan\.class: .*'dcgan'; did you mean 'dcgan2'"):
        find_part({"dcgan2": 3}, config=mine, section="gan")
    with pytest.raises(ConfigError, match=r"line 3: generator\.network: expected one of mlp"):
        find_part({"mlp": 3}, config=mine, section="generator")


def test_optimizer_options_are_those_of_keras(mine):
    keras = pytest.importorskip("keras")
    call = {"config": mine, "section": "optimizers.generator"}
    check_options(keras.optimizers.Adam, mine.optimizers["generator"].options, **call)
    with pytest.raises(ConfigError, match=r"line 6: optimizers\.generator\.beta1: .*'beta_1'"):
        check_options(keras.optimizers.Adam, {"beta1": 0.5}, **call)


def test_arguments_that_keras_takes_from_any_model_are_no_options(mine):
    keras = pytest.importorskip("keras")

    class Own(keras.Model):
        def __init__(self, *, size, **kwargs):
            super().__init__(**kwargs)

    check_options(Own, {"size": 1}, config=mine, section="gan")
    with pytest.raises(ConfigError, match=r"gan\.trainable: unknown key. Valid: size"):
        check_options(Own, {"size": 1, "trainable": False}, config=mine, section="gan")
