"""What is wrong is refused, with its place, its key and what was expected."""

import random

import pytest

from ganzoo.config import ConfigError, load_config


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "  steps: 10",
            "  stpes: 10",
            "line 12: training.stpes: unknown key; did you mean 'steps'?",
        ),
        ("summary", "sumary", "line 1: sumary: unknown key; did you mean 'summary'?"),
        ("  image_size: 8\n", "", "line 8: data.image_size: missing"),
        ("summary: Points\n", "", "mine.yaml: summary: missing"),
        ("class: dcgan, ", "", "line 2: gan.class: missing"),
        (
            ", learning_rate: 2.0e-4}",
            "}",
            "line 7: optimizers.discriminator.learning_rate: missing",
        ),
        ("  discriminator:", "  discrimnator:", "line 7: optimizers.discrimnator: unknown key"),
        ("steps: 10", "steps: 0", "line 12: training.steps: expected a whole number >= 1; got 0"),
        ("steps: 10", "steps: true", "expected a whole number >= 1; got True"),
        ("steps: 10", "steps: 1e3", "expected a whole number >= 1; got 1000.0"),
        ("steps: 10", "steps: 1_000", "expected a whole number >= 1; got '1_000'"),
        ("steps: 10", "steps: null", "expected a whole number >= 1; got None"),
        (
            "steps: 10",
            "steps: 10\n  seed: -1",
            "line 13: training.seed: expected a whole number >= 0",
        ),
        ("steps: 10", "steps: 10\n  ema_decay: 1.0", "expected a number >= 0 and < 1; got 1.0"),
        ("steps: 10", "steps: 10\n  ema_decay: true", "expected a number >= 0 and < 1; got True"),
        ("steps: 10", "steps: 10\n  ema_decay: .nan", "expected a finite number; got '.nan'"),
        ("steps: 10", "steps: 10\n  ema_decay: 1e999", "expected a finite number; got '1e999'"),
        ("steps: 10", f"steps: {2**63}", "an integer of 64 bits; got '9223372036854775808'"),
        ("steps: 10", f"steps: 10\n  ema_decay: -{'9' * 400}", f"of 64 bits; got '-{'9' * 39}'"),
        ("steps: 10", "steps: 10\n  precision: float16", "float32, mixed_float16, mixed_bfloat16"),
        ("steps: 10", "steps: 10\n  checkpoint_every: 0", "training.checkpoint_every: expected"),
        ("steps: 10", "steps: 10\n  steps: 11", "line 13: training.steps: given twice, first at"),
        ("steps: 10", "steps: 10\n  1: 2", "line 13: training: expected a key that is text"),
        ("steps: 10", "steps: 10\ntraining: {}", "line 13: training: given twice"),
        ("image_size: 8", "image_size: 3", "expected a whole number >= 4, or null; got 3"),
        ("image_size: 8", "image_size: 16", "line 3: generator.image_shape: [8, 8, 1] does not"),
        ("image_size: 8", "image_size: 8\n  batch_size: 0", "data.batch_size: expected"),
        ("image_size: 8", "image_size: 8\n  flip: yes", "expected true or false; got 'yes'"),
        ("image_size: 8", "image_size: 8\n  flip: 1", "expected true or false; got 1"),
        ("image_size: 8", "image_size: 8\n  channels: 2", "expected one of 1, 3, or null; got 2"),
        ("image_size: 8", "image_size: 8\n  channels: true", "expected one of 1, 3, or null"),
        ("dataset: digits", "dataset: 2024", "line 9: data.dataset: expected text; got 2024"),
        ("dataset: digits", "dataset: ' '", "data.dataset: expected text"),
        ("[8, 8, 1], width: 4}\nd", "[8, 8], width: 4}\nd", "expected a list of 3; got [8, 8]"),
        (
            "[8, 8, 1], width: 4}\nd",
            "8, width: 4}\nd",
            "generator.image_shape: expected a list of 3",
        ),
        ("[8, 8, 1], width: 4}\no", "[8, 8, 3], width: 4}\no", "is not the generator's, [8, 8, 1]"),
        ("steps: 10", "steps: 10\nevaluation: {metrics: fid}", "expected a list; got 'fid'"),
        ("steps: 10", "steps: 10\nevaluation: {metrics: [fdi]}", "; did you mean 'fid'?"),
        ("steps: 10", "steps: 10\nevaluation: {extractor: incepton}", "did you mean 'inception'?"),
        ("steps: 10", "steps: 10\nevaluation: [fid]", "evaluation: expected a mapping"),
        ("steps: 10", "steps: 10\nname: Mine!", "name: expected a name of lower-case letters"),
        (
            "latent_dim: 8",
            "latent_dim: !!python/object/apply:os.getcwd []",
            "line 2: gan.latent_dim",
        ),
        ("latent_dim: 8", "latent_dim: !secret x", "the YAML tag !secret is not allowed"),
        ("latent_dim: 8", "latent_dim: !!set {a}", "the YAML tag !!set is not allowed"),
        ("latent_dim: 8", "latent_dim: !!int x", "expected !!int; got 'x'"),
        ("latent_dim: 8", "latent_dim: &a [*a]", "too many or too deeply nested values"),
        ("latent_dim: 8", r'latent_dim: "\ud800"', "line 2: gan.latent_dim: expected !!str"),
        ("latent_dim: 8", r'latent_dim: "\UFFFFFFFF"', "mine.yaml: not YAML"),
        ("latent_dim: 8", "latent_dim: " + "9" * 5000, "gan.latent_dim: expected !!int"),
        ("latent_dim: 8}", "latent_dim: 8", "line 3: not YAML"),
    ],
)
def test_a_wrong_file_is_refused_with_place_and_key(file, old, new, message, text):
    assert text.count(old) == 1
    path = file(text.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"# nothing\n", "the file is empty"),
        (b"- a\n", "expected a mapping of keys to values; got a list"),
        (b"text", "expected a mapping of keys to values; got a str"),
        (b"\x89PNG\r\n\x1a\n\x00", "expected UTF-8 text"),
        (b"a: \x00", "not YAML"),
        (b"a: 1\n---\nb: 2\n", "line 2: not YAML"),
        (b"[" * 20000, "too deeply nested"),
        (b"a: &a [x, x]\nb: &b [*a, *a]\n" + b"c: [" + b"*b, " * 5000 + b"]\n", "too many"),
    ],
)
def test_what_is_no_config_file_is_refused(tmp_path, content, message):
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)


def test_a_missing_file_a_folder_and_another_type_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="there is no such config file"):
        load_config(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)
    with pytest.raises(TypeError, match="Expected a path or a mapping. Received: 3"):
        load_config(3)
    with pytest.raises(ConfigError, match="config 'without a name': name: missing"):
        load_config({})


def test_a_damaged_config_raises_nothing_but_config_errors(file, text):
    """Deletes, doubles and replaces random spans: the outcome is a config or a ConfigError."""
    draw = random.Random(0)
    refused = 0
    for _ in range(300):
        start = draw.randrange(len(text))
        stop = start + draw.randrange(6)
        middle = draw.choice(["", text[start:stop] * 2, draw.choice("{}[]:,&*!|>'\"%@`#-\t\n~é0")])
        path = file(text[:start] + middle + text[stop:])
        try:
            load_config(path)
        except ConfigError as error:
            assert str(error).startswith(str(path))
            refused += 1
    assert 100 < refused < 300
