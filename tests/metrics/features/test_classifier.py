"""The published classifiers of small grey images."""

import os

import numpy as np
import pytest

from ganzoo import data, weights
from ganzoo.metrics import features
from ganzoo.metrics.features import classifier
from ganzoo.metrics.verification import verify


@pytest.fixture(scope="module", params=classifier.CLASSIFIERS)
def extractor(request):
    return features.extractor(request.param)


def test_features_and_logits_have_the_shapes_that_the_extractor_states(extractor):
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1)).astype(np.uint8)
    found, logits = extractor(images)
    assert found.shape == (3, extractor.dimension) and logits.shape == (3, extractor.classes)
    assert found.dtype == logits.dtype == np.float32 and found.min() >= 0
    assert extractor.hash == weights.card(extractor.name).sha256


def test_logits_are_linear_in_the_features(extractor):
    images = np.random.default_rng(1).integers(0, 256, (4, 28, 28, 1)).astype(np.uint8)
    found, logits = extractor(images)
    last = extractor.network.get_layer("logits")
    expected = found @ last.kernel.numpy() + last.bias.numpy()
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-4)


def test_an_image_scores_alike_in_any_batch(extractor):
    images = np.random.default_rng(2).integers(0, 256, (6, 28, 28, 1)).astype(np.uint8)
    together = extractor(images)[0]
    apart = np.concatenate([extractor(images[i : i + 1])[0] for i in range(6)])
    np.testing.assert_allclose(together, apart, rtol=1e-4, atol=1e-4)


def test_mnists_classifier_reads_digits_of_another_data_set():
    # scikit-learn's are of other writers, scanned and scaled by others
    digits = data.open_source("digits", image_size=20, channels=1)
    pixels = np.pad(digits.images, ((0, 0), (4, 4), (4, 4), (0, 0)))
    assert features.extractor("mnist_classifier").accuracy(pixels, digits.labels) > 0.9


@pytest.mark.parametrize(
    ("name", "least"), [("mnist_classifier", 0.993), ("fashion_mnist_classifier", 0.92)]
)
def test_the_card_states_an_accuracy_that_will_do(name, least):
    stated = weights.card(name).metrics["accuracy"]
    assert stated["value"] >= least and stated["images"] == 10000 and stated["split"] == "test"


@pytest.mark.slow
@pytest.mark.parametrize("name", classifier.CLASSIFIERS)
def test_the_accuracy_is_found_again_on_the_real_test_images(name):
    for folder in filter(None, os.environ.get("GANZOO_TEST_DATA", "").split(os.pathsep)):
        try:
            data.open_source(name.removesuffix("_classifier"), data_dir=folder, progress=False)
        except (ValueError, OSError):  # it is not there
            continue
        (check,) = verify(name, data_dir=folder, progress=False)
        break
    else:
        pytest.skip(f"needs the images of {name} in a folder of GANZOO_TEST_DATA")
    assert check.holds and check.found >= {"mnist_classifier": 0.993}.get(name, 0.92)
