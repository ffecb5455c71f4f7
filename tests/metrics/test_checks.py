import numpy as np
import pytest

from ganzoo.metrics import checks
from ganzoo.metrics.copies import copies
from ganzoo.metrics.frechet import frechet_distance, moments
from ganzoo.metrics.inception_score import inception_score
from ganzoo.metrics.kernel import kernel_distance
from ganzoo.metrics.ms_ssim import diversity, ms_ssim
from ganzoo.metrics.neighbours import density_coverage, nearest, prdc, precision_recall


def good(count=12, dimension=4, dtype=np.float32):
    return np.random.default_rng(0).standard_normal((count, dimension)).astype(dtype)


def having(value):
    features = good()
    features[7, 2] = value
    return features


BAD = {
    "NaN": (having(np.nan), "NaN or infinite values in 1 of 4 features, in 1 of 12 images"),
    "infinity": (having(-np.inf), "NaN or infinite values in 1 of 4 features, in 1 of 12 images"),
    "constant": (np.tile(good(1), (12, 1)), "the same 4 numbers for each of 12 images"),
    "one image": (good(1), "Received: 1"),
    "empty": (good(0), "empty"),
    "no features": (good(12, 0), "empty"),
    "images": (np.zeros((12, 4, 4, 1), np.float32), r"\(12, 4, 4, 1\)"),
    "numbers in a row": (np.zeros(12), r"\(12,\)"),
    "another extractor": (good(12, 5), r"5 and 4|4 and 5"),
}
PAIRED = {
    "frechet_distance": (frechet_distance, ("first", "second")),
    "kernel_distance": (
        lambda real, fake: kernel_distance(real, fake, subset_size=5),
        ("real", "fake"),
    ),
    "precision_recall": (precision_recall, ("real", "fake")),
    "density_coverage": (density_coverage, ("real", "fake")),
    "prdc": (prdc, ("real", "fake")),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("metric", PAIRED)
@pytest.mark.parametrize("place", [0, 1])
def test_wrong_features_are_an_error_that_names_the_argument(metric, bad, place):
    function, names = PAIRED[metric]
    array, message = BAD[bad]
    pair = [good(), good()]
    pair[place] = array
    with pytest.raises(ValueError, match=rf"(?s){names[place]}\b.*{message}"):
        function(*pair)


@pytest.mark.parametrize("bad", [name for name in BAD if name != "another extractor"])
def test_moments_refuse_wrong_features(bad):
    array, message = BAD[bad]
    with pytest.raises(ValueError, match=message):
        moments(array)


@pytest.mark.parametrize("bad", ["NaN", "infinity", "empty", "images"])
@pytest.mark.parametrize("function", [inception_score, nearest])
def test_wrong_logits_and_points_are_refused(function, bad):
    array, message = BAD[bad]
    with pytest.raises(ValueError, match=message):
        function(array)


@pytest.mark.parametrize("array", [good().astype(complex), good().astype(str), good() > 0])
def test_what_is_no_number_is_a_type_error(array):
    with pytest.raises(TypeError, match="real numbers"):
        checks.features("real", array)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("float16", "float32"), ("float32", "float32"), ("float64", "float64"), ("int64", "float64")],
)
def test_features_keep_their_precision(given, kept):
    assert checks.features("real", good().astype(given)).dtype == kept


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_features_are_not_copied(dtype):
    array = good(dtype=dtype)
    assert checks.features("real", array) is array


def test_one_constant_feature_of_many_is_fine():
    features = good()
    features[:, 1] = 0  # a unit that never fires
    checks.features("real", features)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((4, 8, 8, 1), np.float32),
        np.full((4, 8, 8, 1), 300, np.int64),
        np.full((4, 8, 8, 1), -7.0),
    ],
)
@pytest.mark.parametrize("function", [diversity, lambda x: ms_ssim(x, x), lambda x: copies(x, x)])
def test_images_of_another_type_are_refused(function, images):
    with pytest.raises(TypeError, match=f"uint8.*Received: dtype {images.dtype}"):
        function(images)


@pytest.mark.parametrize("shape", [(0, 8, 8, 1), (4, 0, 8, 1), (4, 8, 8, 0), (8, 8, 1)])
@pytest.mark.parametrize("function", [diversity, lambda x: ms_ssim(x, x)])
def test_no_images_are_refused(function, shape):
    with pytest.raises(ValueError, match="expected (some )?images"):
        function(np.zeros(shape, np.uint8))


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: precision_recall(good(), good(), k=0), "k"),
        (lambda: density_coverage(good(), good(), k=0), "k"),
        (lambda: nearest(good(), k=0), "k"),
        (lambda: kernel_distance(good(), good(), subsets=0), "subsets"),
        (lambda: kernel_distance(good(), good(), subset_size=1), "subset_size"),
        (lambda: inception_score(good(), splits=0), "splits"),
    ],
)
def test_options_too_small_are_refused(call, name):
    with pytest.raises(ValueError, match=f"^{name}: expected a whole number"):
        call()


@pytest.mark.parametrize("k", [3.0, "3", True, None])
def test_options_that_are_no_whole_numbers_are_type_errors(k):
    with pytest.raises(TypeError, match="^k: expected a whole number"):
        precision_recall(good(), good(), k=k)


@pytest.mark.parametrize("function", [precision_recall, density_coverage])
def test_k_needs_more_images_than_itself(function):
    function(good(8), good(8), k=7)
    with pytest.raises(ValueError, match="fake: expected at least 8 images. Received: 7"):
        function(good(8), good(7), k=7)


def test_a_subset_larger_than_the_set_is_refused():
    with pytest.raises(ValueError, match="fake: expected at least 9 .* Received: 8"):
        kernel_distance(good(), good(8), subset_size=9)


def test_the_inception_score_needs_an_image_a_split_and_two_classes():
    with pytest.raises(ValueError, match="logits: expected at least 10 images. Received: 9"):
        inception_score(good(9))
    with pytest.raises(ValueError, match="2 classes"):
        inception_score(good(12, 1))
