"""The distribution, built and installed away from the checkout, with the network off."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
SOURCES = [
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "MANIFEST.in",
    "README.md",
    "ganzoo",
    "pretrained",
    "pyproject.toml",
    "setup.py",
    "zoo_configs",
]

# Runs at the start of every Python in the new environment.
NO_NETWORK = """
import socket

def refuse(*args, **kwargs):
    raise OSError(f"The network is off. Received: {args[-1]}.")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
"""

LOAD_ALL = """
import json, sys
import ganzoo

found = {"file": ganzoo.__file__, "entries": ganzoo.list_models(), "images": {}}
assert "tensorflow" not in sys.modules
for name in ganzoo.list_models(pretrained=True):
    gan = ganzoo.load(name)
    images = gan.generate(2, seed=0)
    kind = "uint8" if len(gan.image_shape) == 3 else "float32"
    assert images.shape == (2, *gan.image_shape) and images.dtype == kind, images.shape
    grey_levels = 1 if kind == "uint8" else 127.5
    found["images"][name] = [float(grey_levels * image.std()) for image in images]
from ganzoo.metrics.features import classifier, extractor
found["classifiers"] = sorted(extractor(name).name for name in classifier.CLASSIFIERS)
print(json.dumps(found))
"""


def names(folder, suffix):
    return sorted(path.stem for path in folder.glob(f"*{suffix}"))


def run(*command, **options):
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build(kind, source, out):
    """Builds as `pip` and `python -m build` do, in the present environment."""
    out.mkdir(exist_ok=True)
    code = f"import sys; from setuptools.build_meta import *; print(build_{kind}(sys.argv[1]))"
    return out / run(sys.executable, "-c", code, out, cwd=source).splitlines()[-1]


def content(wheel):
    with zipfile.ZipFile(wheel) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of the checkout, as a clean clone has it."""
    target = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        if (CHECKOUT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "_zoo")
            shutil.copytree(CHECKOUT / name, target / name, ignore=ignored)
        elif name != "pretrained":
            shutil.copy(CHECKOUT / name, target / name)
    return target


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
    return build("wheel", source, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A fresh environment that holds the wheel and borrows its dependencies from this one."""
    home = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", home / "venv")
    scripts = home / "venv" / ("Scripts" if os.name == "nt" else "bin")
    pip = (scripts / "python", "-I", "-m", "pip", "--quiet", "--disable-pip-version-check")
    run(*pip, "install", "--no-index", "--no-deps", wheel)
    where = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    packages = Path(run(scripts / "python", "-I", "-c", where).strip())
    (packages / "no_network.py").write_text(NO_NETWORK)
    borrowed = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    (packages / "borrowed.pth").write_text("\n".join(["import no_network", *borrowed]))
    return home


@pytest.fixture(scope="module")
def offline(installed):
    """Runs a command of the new environment, away from the checkout."""
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("GANZOO", "PYTHON"))}
    environment = {**keep, "GANZOO_HOME": str(installed / "cache"), "HOME": str(installed)}
    unshare = ["unshare", "--user", "--map-root-user", "--net"]
    try:  # where the system allows it, there is no network for compiled code either
        subprocess.run([*unshare, "true"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        unshare = []

    def call(command, *arguments):
        command = installed / "venv" / ("Scripts" if os.name == "nt" else "bin") / command
        return run(*unshare, command, *arguments, cwd=installed, env=environment)

    return call


def test_wheel_holds_every_config_card_and_weights_file_unchanged(wheel, source):
    found = content(wheel)
    expected = {
        f"ganzoo/_zoo/{path.relative_to(source).as_posix()}": path.read_bytes()
        for pattern in ("zoo_configs/*.yaml", "pretrained/*.json", "pretrained/*.safetensors")
        for path in source.glob(pattern)
    }
    assert names(source / "zoo_configs", ".yaml")
    assert {name: data for name, data in found.items() if "/_zoo/" in name} == expected


def test_wheel_holds_the_package_and_its_licence_alone(wheel, source):
    found = content(wheel)
    modules = {path.relative_to(source).as_posix() for path in (source / "ganzoo").rglob("*.py")}
    assert {name for name in found if name.endswith(".py")} == modules
    others = {name.split("/")[0] for name in found} - {"ganzoo"}
    assert len(others) == 1 and others.pop().endswith(".dist-info")
    licences = [data for name, data in found.items() if name.endswith("/LICENSE")]
    assert licences == [(source / "LICENSE").read_bytes()]


def test_metadata_states_name_version_licence_and_python(wheel, source):
    metadata = next(data for name, data in content(wheel).items() if name.endswith("/METADATA"))
    metadata = Parser().parsestr(metadata.decode())
    assert metadata["Name"] == "keras-ganzoo"
    line = f'__version__ = "{metadata["Version"]}"'
    assert line in (source / "ganzoo/__init__.py").read_text().splitlines()
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    core = [line for line in metadata.get_all("Requires-Dist") if "extra ==" not in line]
    assert not [line for line in core if line.startswith(("pytest", "ruff", "torch", "matplotlib"))]


def test_building_leaves_the_package_folder_as_it_was(wheel, source):
    assert not (source / "ganzoo" / "_zoo").exists()


def test_config_removed_after_a_build_is_not_in_the_next_wheel(wheel, source, tmp_path):
    light = tmp_path / "source"  # weights make builds slow
    shutil.copytree(source, light, ignore=shutil.ignore_patterns("*.safetensors", "build"))
    extra = light / "zoo_configs" / "extra.yaml"
    extra.touch()
    assert "ganzoo/_zoo/zoo_configs/extra.yaml" in content(build("wheel", light, tmp_path))
    extra.unlink()
    expected = {name for name in content(wheel) if not name.endswith(".safetensors")}
    assert set(content(build("wheel", light, tmp_path))) == expected


def test_source_distribution_builds_the_same_wheel(wheel, source, tmp_path):
    with tarfile.open(build("sdist", source, tmp_path / "sdist")) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.glob("keras_ganzoo-*")
    assert content(build("wheel", unpacked, tmp_path / "wheel")) == content(wheel)


def test_editable_install_goes_on_reading_the_checkout(source, tmp_path):
    assert not [name for name in content(build("editable", source, tmp_path)) if "_zoo" in name]


def test_installed_wheel_loads_every_published_name_without_network(source, installed, offline):
    found = json.loads(offline("python", "-I", "-c", LOAD_ALL).splitlines()[-1])
    assert Path(found["file"]).is_relative_to(installed)
    assert found["entries"] == names(source / "zoo_configs", ".yaml")
    published = sorted([*found["images"], *found["classifiers"]])
    assert published == names(source / "pretrained", ".json")
    assert all(spread > 5 for pair in found["images"].values() for spread in pair)
    assert not (installed / "cache").exists()


def test_installed_command_lists_every_name_without_network(source, offline):
    listed = offline("ganzoo", "list")
    expected = names(source / "zoo_configs", ".yaml")
    assert [name for name in expected if name not in listed] == []


def test_network_of_the_installed_environment_is_off(offline):
    code = "import socket\ntry: socket.create_connection(('127.0.0.1', 9))\nexcept OSError as e: "
    assert "The network is off" in offline("python", "-I", "-c", code + "print(e)")
