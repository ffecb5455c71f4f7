"""A small config, as text, as a file, as a dict and loaded."""

import pytest
import yaml

from ganzoo.config import load_config

TEXT = """\
summary: Points
gan: {class: dcgan, latent_dim: 8}
generator: {network: dcgan_generator, image_shape: [8, 8, 1], width: 4}
discriminator: {network: dcgan_discriminator, image_shape: [8, 8, 1], width: 4}
optimizers:
  generator: {class: adam, learning_rate: 2.0e-4, beta_1: 0.5}
  discriminator: {class: adam, learning_rate: 2.0e-4}
data:
  dataset: digits
  image_size: 8
training:
  steps: 10
"""


@pytest.fixture
def file(tmp_path):
    """Writes a config, by default `mine.yaml`, and returns its path."""

    def write(text, name="mine"):
        path = tmp_path / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def mine(file):
    return load_config(file(TEXT))


@pytest.fixture
def text():
    return TEXT


@pytest.fixture
def data():
    """Returns the config as a dict, with the sections that are given replaced."""

    def make(**changes):
        return {"name": "mine", **yaml.safe_load(TEXT), **changes}

    return make
