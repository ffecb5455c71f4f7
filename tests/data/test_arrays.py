import gzip

import numpy as np
import pytest
from PIL import Image

from ganzoo.data import Images, open_source
from ganzoo.data.arrays import as_uint8

RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 256, (5, 6, 6, 3), dtype=np.uint8)


def test_uint8_arrays_are_taken_as_they_are():
    opened = open_source(BYTES)
    assert isinstance(opened, Images)
    assert np.shares_memory(opened.images, BYTES)
    assert opened.labels is None
    assert opened.class_names == opened.skipped == ()


def test_images_without_a_channel_axis_gain_one():
    np.testing.assert_array_equal(open_source(BYTES[..., 0]).images, BYTES[..., :1])


@pytest.mark.parametrize(
    "scaled",
    [
        BYTES / 127.5 - 1,
        (BYTES / 127.5 - 1).astype(np.float32),
        BYTES / 255,
        (BYTES / 255).astype(np.float32),
        BYTES.astype(np.float32),
        BYTES.astype(np.int64),
        BYTES + 0.3 * (BYTES < 255),
    ],
)
def test_every_range_comes_back_to_the_same_bytes(scaled):
    np.testing.assert_array_equal(open_source(scaled).images, BYTES)


def test_booleans_become_black_and_white():
    bits = BYTES[..., 0] > 99
    np.testing.assert_array_equal(open_source(bits).images[..., 0], bits * 255)


def test_small_integers_are_bytes_and_no_fractions():
    ones = np.ones((2, 6, 6), np.int32)
    assert (as_uint8(ones) == 1).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(bad):
    images = BYTES / 255
    images[3, 2, 1, 0] = bad
    with pytest.raises(ValueError, match="not finite"):
        open_source(images)


@pytest.mark.parametrize("low, high", [(-3, 3), (-1, 255), (0, 256), (-1.5, 0.5), (0, 65535)])
def test_unknown_ranges_are_refused_with_what_came(low, high):
    images = np.linspace(low, high, 96).reshape(2, 4, 4, 3)
    with pytest.raises(ValueError, match=r"\[0, 255\].*Received: values from"):
        open_source(images)


@pytest.mark.parametrize("shape", [(4, 4), (2, 4, 4, 2), (2, 3, 4, 4, 3), (9, 8, 3), (2, 0, 4, 3)])
def test_shapes_that_are_no_images_are_refused(shape):
    with pytest.raises(ValueError, match=r"\(N, H, W\).*Received: shape"):
        open_source(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("kind", ["U1", "complex64", "M8[s]"])
def test_text_complex_numbers_and_dates_are_no_images(tmp_path, kind):
    np.savez(tmp_path / "some.npz", np.zeros((2, 6, 6), kind))
    with pytest.raises(ValueError, match="some: images must be real numbers. Received: dtype"):
        open_source(tmp_path / "some.npz")


def test_no_images_at_all_are_refused():
    with pytest.raises(ValueError, match="no images"):
        open_source(np.zeros((0, 8, 8, 3), np.uint8))


def test_labels_come_along():
    opened = open_source((BYTES, [2, 0, 1, 1, 0]))
    np.testing.assert_array_equal(opened.labels, [2, 0, 1, 1, 0])
    assert opened.class_names == ("0", "1", "2")
    column = open_source((BYTES, np.array([[2], [0], [1], [1], [0]], np.uint8)))
    np.testing.assert_array_equal(column.labels, opened.labels)


@pytest.mark.parametrize("labels", [[0, 1], np.zeros((5, 10), int), [0.5] * 5, ["a"] * 5])
def test_labels_that_do_not_fit_are_refused(labels):
    with pytest.raises(ValueError, match="labels must be"):
        open_source((BYTES, labels))


@pytest.mark.parametrize("depth", [1, 3, 4])
@pytest.mark.parametrize("channels", [1, 3, None])
def test_arrays_are_resized_and_recoloured_as_files_are(encode, tmp_path, depth, channels):
    pixels = RNG.integers(0, 256, (3, 12, 10, depth), dtype=np.uint8)
    for number, image in enumerate(pixels):
        file = image[..., 0] if depth == 1 else image
        (tmp_path / f"{number}.png").write_bytes(encode(file))
    wanted = {"image_size": 8, "channels": channels}
    expected = open_source(tmp_path, **wanted).images
    np.testing.assert_array_equal(open_source(pixels, **wanted).images, expected)


def test_arrays_of_the_right_size_are_cropped_when_asked():
    pixels = RNG.integers(0, 256, (3, 12, 12, 3), dtype=np.uint8)
    opened = open_source(pixels, image_size=12, crop=6)
    middle = Image.fromarray(pixels[1, 3:9, 3:9]).resize((12, 12), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(opened.images[1], middle)
    assert open_source(pixels, image_size=12, crop=12).images is pixels


def test_fingerprints_tell_pixels_and_shapes_apart():
    first = open_source(BYTES).fingerprint
    assert first == open_source(BYTES.copy()).fingerprint
    assert first == open_source(BYTES / 255).fingerprint
    changed = BYTES.copy()
    changed[-1, -1, -1, -1] ^= 1
    others = [changed, BYTES.reshape(5, 4, 9, 3), BYTES[:-1], BYTES[::-1]]
    assert len({first, *(open_source(other).fingerprint for other in others)}) == 5


def test_opened_images_are_a_source_too():
    opened = open_source((BYTES, [0, 1, 2, 3, 4]))
    again = open_source(opened, image_size=2)
    assert again.images.shape == (5, 2, 2, 3)
    np.testing.assert_array_equal(again.labels, opened.labels)
    assert again.name == opened.name


def test_arrays_have_no_test_split():
    with pytest.raises(ValueError, match="no split 'test'.*train"):
        open_source(BYTES, split="test")


# --- .npz and .npy


def test_keras_npz_gives_both_splits(tmp_path):
    path = tmp_path / "mnist.npz"
    x, y = BYTES[..., 0], np.arange(5)
    np.savez(path, x_train=x, y_train=y, x_test=x[:2], y_test=y[:2])
    np.testing.assert_array_equal(open_source(path).images[..., 0], x)
    tested = open_source(path, split="test")
    np.testing.assert_array_equal(tested.images[..., 0], x[:2])
    np.testing.assert_array_equal(tested.labels, y[:2])
    assert tested.name == "mnist"
    with pytest.raises(ValueError, match="no split 'tset'; did you mean 'test'"):
        open_source(path, split="tset")


@pytest.mark.parametrize(
    "arrays, labelled",
    [
        ({"images": BYTES, "labels": np.arange(5)}, True),
        ({"images": BYTES}, False),
        ({"whatever": BYTES}, False),
        ({"train_images": BYTES, "train_labels": np.arange(5)[:, None]}, True),
    ],
)
def test_other_npz_keys(tmp_path, arrays, labelled):
    path = tmp_path / "some.npz"
    np.savez_compressed(path, **arrays)
    opened = open_source(str(path))
    np.testing.assert_array_equal(opened.images, BYTES)
    assert (opened.labels is not None) == labelled


def test_npz_without_images_says_what_it_holds(tmp_path):
    np.savez(tmp_path / "some.npz", faces=BYTES, names=np.arange(5))
    with pytest.raises(ValueError, match="x_train.*Received: faces, names"):
        open_source(tmp_path / "some.npz")


def test_pickles_in_array_files_are_refused(tmp_path):
    np.savez(tmp_path / "some.npz", images=np.array([{}, []], dtype=object))
    np.save(tmp_path / "some.npy", np.array([{}, []], dtype=object))
    for name in ("some.npz", "some.npy"):
        with pytest.raises(ValueError, match=r"Cannot read .*(allow_pickle=False|Python objects)"):
            open_source(tmp_path / name)


@pytest.mark.parametrize("name", ["some.npz", "some.npy"])
def test_damaged_array_files_are_named(tmp_path, name):
    path = tmp_path / name
    (np.savez if name.endswith("z") else np.save)(path, BYTES)
    for data in (path.read_bytes()[:50], b"no array", b""):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=name):
            open_source(path)


def test_npy_stays_on_disk(tmp_path):
    np.save(tmp_path / "some.npy", BYTES)
    opened = open_source(tmp_path / "some.npy")
    assert isinstance(opened.images, np.memmap)
    np.testing.assert_array_equal(opened.images, BYTES)


# --- IDX


def idx(array):
    shape = np.array(array.shape, ">u4").tobytes()
    return bytes([0, 0, 8, array.ndim]) + shape + array.tobytes()


def write_idx(folder, *, gz, dot=False, splits=("train", "t10k")):
    folder.mkdir()
    x, y = BYTES[..., 0], np.arange(5, dtype=np.uint8)
    for split, count in zip(splits, (5, 3), strict=False):
        for kind, array in (("images-idx3", x[:count]), ("labels-idx1", y[:count])):
            name = f"{split}-{kind}-ubyte".replace("-idx", ".idx" if dot else "-idx")
            data = idx(array)
            (folder / f"{name}{'.gz' if gz else ''}").write_bytes(
                gzip.compress(data) if gz else data
            )
    return x, y


@pytest.mark.parametrize("gz", [True, False])
@pytest.mark.parametrize("dot", [True, False])
def test_idx_folder_gives_both_splits_with_labels(tmp_path, gz, dot):
    x, y = write_idx(tmp_path / "fashion-mnist", gz=gz, dot=dot)
    for split, count in (("train", 5), ("test", 3)):
        opened = open_source(tmp_path / "fashion-mnist", split=split)
        np.testing.assert_array_equal(opened.images[..., 0], x[:count])
        np.testing.assert_array_equal(opened.labels, y[:count])
        assert opened.name == "fashion-mnist"
    with pytest.raises(ValueError, match="no split 'validation'"):
        open_source(tmp_path / "fashion-mnist", split="validation")


def test_idx_folder_with_one_split_has_only_that(tmp_path):
    write_idx(tmp_path / "some", gz=True, splits=("train",))
    with pytest.raises(ValueError, match="no split 'test'.*It has: train"):
        open_source(tmp_path / "some", split="test")


def test_a_single_idx_file_brings_the_labels_beside_it(tmp_path):
    x, y = write_idx(tmp_path / "some", gz=True)
    opened = open_source(tmp_path / "some" / "t10k-images-idx3-ubyte.gz")
    np.testing.assert_array_equal(opened.images[..., 0], x[:3])
    np.testing.assert_array_equal(opened.labels, y[:3])


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "t10k-images-idx3-ubyte"])
@pytest.mark.parametrize("split", ["test", "tarin"])
def test_a_single_idx_file_has_no_other_split(tmp_path, name, split):
    write_idx(tmp_path / "some", gz=False)
    with pytest.raises(ValueError, match=f"{name} has no split '{split}'.*It has: train"):
        open_source(tmp_path / "some" / name, split=split)


def test_damaged_idx_files_are_named(tmp_path):
    path = tmp_path / "train-images-idx3-ubyte"
    whole = idx(BYTES[..., 0])
    for data, problem in [
        (whole[:-1], "damaged"),
        (whole + b"x", "damaged"),
        (whole[:9], "damaged"),
        (b"", "no IDX"),
        (b"\0\0\x0d\3" + whole[4:], "no IDX"),
    ]:
        path.write_bytes(data)
        with pytest.raises(ValueError, match=f"train-images-idx3-ubyte is {problem}"):
            open_source(path)
    zipped = tmp_path / "train-images-idx3-ubyte.gz"
    zipped.write_bytes(gzip.compress(whole)[:-12])
    with pytest.raises(ValueError, match="Cannot read"):
        open_source(zipped)


# --- digits


def test_digits_spread_their_17_levels_over_a_byte():
    from sklearn.datasets import load_digits

    opened = open_source("digits")
    assert opened.images.shape == (1797, 8, 8, 1)
    assert set(np.unique(opened.images)) == {int(level * 15.9375 + 0.5) for level in range(17)}
    levels = opened.images[..., 0] / (255 / 16)
    np.testing.assert_array_equal(np.rint(levels), load_digits().images)
    assert np.bincount(opened.labels).min() > 170
    assert opened.class_names == tuple("0123456789")


def test_digits_come_in_other_sizes_but_no_other_split():
    assert open_source("digits", image_size=28).images.shape == (1797, 28, 28, 1)
    assert open_source("digits", image_size=8, channels=3).images.shape == (1797, 8, 8, 3)
    with pytest.raises(ValueError, match="digits has no split 'test'"):
        open_source("digits", split="test")
