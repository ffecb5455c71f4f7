"""Scores samples of a zoo entry against its training images and writes them onto its card.

    python benchmarks/quality.py dcgan_mnist --data_dir=DIR
    python benchmarks/quality.py dcgan_mnist --data_dir=DIR --workdir=runs/dcgan_mnist

It scores the published weights, or those of a finished run, whose draft card then gets the scores.

- `nn_real`, `nn_fake`: the 1-nearest-neighbour two-sample test (Lopez-Paz & Oquab 2017,
  arXiv:1610.06545), on the first 64 principal components of the pixels of the real images: the
  share of real, and of generated, images whose nearest other image is of their own kind. 0.5 is
  perfect; `nn_real` far above it means realistic images are missing, `nn_fake` means that the
  generated ones look alike or unlike anything real.
- `repeats`: generated images with another one closer (root mean square, in grey levels) than the
  closest two of as many real images, `closest_real_pair`; `closest_pair` is the least distance.
  `copies` and `closest_copy`: the same to a training image.
- For labelled data an independent classifier: the share of images of which it is sure (p > 0.9),
  and the rarest and the most frequent class's share.
"""

import dataclasses
import sys

import numpy as np
from absl import app, flags
from judge import judge, probabilities
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

import ganzoo
from ganzoo import data as data_room
from ganzoo import registry, training

_DATA = flags.DEFINE_string("data", None, "Folder, zip or npz of the training images.")
_DATA_DIR = flags.DEFINE_string("data_dir", None, "Folder that is searched for the data set.")
_WORKDIR = flags.DEFINE_string("workdir", None, "A finished run, in place of published weights.")
_IMAGES = flags.DEFINE_integer("images", 10000, "Generated images; as many real ones.", 100)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the latents and of the choice of real images.")


def two_sample(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    """Returns leave-one-out accuracies of the 1-NN classifier; both (N, H, W, C) uint8."""
    components = min(64, len(real) - 1, real[0].size)
    pca = PCA(components, svd_solver="randomized", random_state=0).fit(_flat(real))
    points = np.concatenate([pca.transform(_flat(real)), pca.transform(_flat(fake))])
    _, nearest = NearestNeighbors(n_neighbors=2).fit(points).kneighbors(points)
    is_real = np.arange(len(points)) < len(real)
    # a point is its own first neighbour, unless another one lies on it
    other = np.where(nearest[:, 0] == np.arange(len(points)), nearest[:, 1], nearest[:, 0])
    right = is_real[other] == is_real
    return {"nn_real": float(right[is_real].mean()), "nn_fake": float(right[~is_real].mean())}


def doubles(real: np.ndarray, fake: np.ndarray, train: np.ndarray) -> dict[str, float]:
    """Returns how many generated images have a too close neighbour, generated or training image."""
    limit = _nearest(_flat(real)).min()
    pairs, copies = _nearest(_flat(fake)), _nearest(_flat(fake), _flat(train))
    return {
        "repeats": int((pairs < limit).sum()),
        "copies": int((copies < limit).sum()),
        "closest_pair": round(float(pairs.min()), 2),
        "closest_copy": round(float(copies.min()), 2),
        "closest_real_pair": round(float(limit), 2),
    }


def classes(real: np.ndarray, fake: np.ndarray, model) -> dict[str, float]:
    """Returns how sure the classifier is of the images, and how evenly they fill the classes."""
    sure = probabilities(model, fake)
    shares = np.bincount(sure.argmax(axis=1), minlength=sure.shape[1]) / len(fake)
    return {
        "sure": float((sure.max(axis=1) > 0.9).mean()),
        "sure_real": float((probabilities(model, real).max(axis=1) > 0.9).mean()),
        "rarest_class": float(shares.min()),
        "commonest_class": float(shares.max()),
    }


def _flat(images: np.ndarray) -> np.ndarray:
    return np.asarray(images, np.float32).reshape(len(images), -1)


def _nearest(points: np.ndarray, others: np.ndarray | None = None) -> np.ndarray:
    """Root mean square distance of each point to its nearest other point."""
    neighbours = NearestNeighbors(n_neighbors=1).fit(points if others is None else others)
    distance, _ = neighbours.kneighbors(None if others is None else points)
    return distance[:, 0] / np.sqrt(points.shape[1])


def _split(images: data_room.Images, config) -> tuple[data_room.Images, data_room.Images]:
    """Training and test images of the classifier; each fifth is held out where none are given."""
    options = {"image_size": config.data.image_size, "data_dir": _DATA_DIR.value}
    try:
        test = data_room.open_source(config.data.dataset, split="test", **options)
        return images, test
    except ValueError:
        held = np.arange(len(images)) % 5 == 0
        parts = [
            dataclasses.replace(
                images,
                images=images.images[rows],
                labels=images.labels[rows],
                fingerprint=images.fingerprint[:-1] + str(number),
            )
            for number, rows in enumerate((~held, held))
        ]
        return parts[0], parts[1]


def score(name: str) -> dict[str, float]:
    """Scores one entry; progress goes to the standard error."""
    config = registry.entry(name)
    images = training.open_images(config, data=_DATA.value, data_dir=_DATA_DIR.value)
    weights = f"{_WORKDIR.value}/final.safetensors" if _WORKDIR.value else "pretrained"
    count = min(_IMAGES.value, len(images))
    print(f"generating {count} images", file=sys.stderr)
    fake = ganzoo.load(name, weights=weights).generate(count, seed=_SEED.value)
    chosen = np.random.default_rng(_SEED.value).choice(len(images), count, replace=False)
    real = np.asarray(images.images[np.sort(chosen)])
    scores = {"images": count, "seed": _SEED.value, **two_sample(real, fake)}
    scores |= doubles(real, fake, images.images)
    if images.labels is not None:
        train, test = _split(images, config)
        model, accuracy = judge(train, test)
        scores |= {"classifier_accuracy": accuracy, **classes(test.images, fake, model)}
    return {key: round(one, 4) if isinstance(one, float) else one for key, one in scores.items()}


def main(arguments: list[str]) -> None:
    """Prints a table of scores and, for a run, writes them onto its draft card."""
    if len(arguments) != 2:
        raise app.UsageError("Expected one name: python benchmarks/quality.py dcgan_mnist")
    scores = score(arguments[1])
    width = max(map(len, scores))
    for key, value in scores.items():
        print(f"{key:{width}}  {value}")
    if _WORKDIR.value:
        training.record_metrics(_WORKDIR.value, scores)
        print(f"written onto {_WORKDIR.value}/card.json", file=sys.stderr)


if __name__ == "__main__":
    app.run(main)
