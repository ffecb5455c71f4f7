"""The process that trains InfoGANs, or reads trained ones, and measures what their codes do."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from run_worker import Runner
from workers import serve

IMAGES = 10_000


class CodesRunner(Runner):
    """Measures the codes of each GAN beside its scores.

    Args:
        threads: Threads of TensorFlow's.
        data_dir: Folder searched for data first.
        done: What is trained already, by `key` of its config: `weights`, a file or an entry's name,
            and the `seconds` that it took.
    """

    def __init__(self, threads: int, data_dir: str | None, done: Mapping[str, Mapping[str, Any]]):
        super().__init__(threads, data_dir)
        self.done = done

    def run(self, entry: str, overrides: dict[str, Any], seed: int) -> dict[str, Any]:
        from ganzoo import registry

        found = super().run(entry, overrides, seed)
        before = self.done.get(key(registry.entry(entry, {**overrides, "training.seed": seed})))
        return {**found, "seconds": float(before["seconds"])} if before else found

    def train(self, gan: Any, config: Any) -> None:
        from ganzoo import weights

        if before := self.done.get(key(config)):
            weights.assign(gan, weights.load(before["weights"]))
        else:
            super().train(gan, config)

    def measured(self, gan: Any, evaluator: Any) -> dict[str, Any]:
        return measured(gan, evaluator.extractor)


def key(config: Any) -> str:
    """Returns what tells one run from another: all that its weights depend on."""
    return f"{config.hash} {config.training.steps}"


def measured(gan: Any, extractor: Any, *, count: int = IMAGES, seed: int = 0) -> dict[str, Any]:
    """Returns what the codes of an InfoGAN do to generated images.

    Args:
        gan: Its first code is categorical.
        extractor: A classifier of the images.
        count: Images to generate.
        seed: Of codes and noise.

    Returns:
        `agreement` of the first code with the classes and the `matching` behind it;
        `information` of each code in nats; `correlations` of each continuous code with the shapes
        measured, and `within`, their means over the values of the first code.
    """
    from ganzoo.labels import is_interval
    from ganzoo.metrics import codes, extraction

    generator = np.random.default_rng(seed)
    drawn = {
        name: generator.uniform(*values, count)
        if is_interval(values)
        else generator.integers(len(values), size=count)
        for name, values in gan.codes.items()
    }
    images = gan.generate(seed=seed, codes=drawn)
    logits = extraction.extract(images, extractor, progress=False).logits
    first = drawn[next(iter(drawn))]
    continuous = {name: values for name, values in drawn.items() if values.dtype.kind == "f"}
    each = [
        codes.correlations(
            {n: v[first == one] for n, v in continuous.items()}, images[first == one]
        )
        for one in np.unique(first)
    ]
    return {
        "agreement": codes.agreement(first, logits.argmax(axis=1)),
        "matching": codes.matching(first, logits.argmax(axis=1)),
        "information": gan.information(images, drawn),
        "correlations": codes.correlations(continuous, images),
        "within": {
            name: {shape: float(np.mean([one[name][shape] for one in each])) for shape in shapes}
            for name, shapes in each[0].items()
        },
    }


if __name__ == "__main__":
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    serve(CodesRunner)
