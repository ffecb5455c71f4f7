import json

import numpy as np
import pytest
import tensorflow as tf

from ganzoo import data
from ganzoo.config import ConfigError
from ganzoo.data import records, streaming
from ganzoo.data.pipeline import Share, batches
from ganzoo.data.records import Index, record_files
from tests import small

COUNT = 300


def example(**features):
    kinds = {bytes: "bytes_list", int: "int64_list", float: "float_list"}
    made = {
        key: tf.train.Feature(
            **{kinds[type(value)]: getattr(tf.train, LISTS[type(value)])(value=[value])}
        )
        for key, value in features.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=made)).SerializeToString()


LISTS = {bytes: "BytesList", int: "Int64List", float: "FloatList"}


@pytest.fixture
def files(tmp_path, encode):
    """Returns a function that writes images to TFRecord files, by TensorFlow's own writer."""

    def files(*sizes, names="all-{n:05d}.tfrecord", keys=("image", "label"), size=4, start=0):
        folder = tmp_path / "records"
        folder.mkdir(exist_ok=True)
        pixels, row = small.images(sum(sizes), size=size, channels=3, seed=start), 0
        for number, count in enumerate(sizes):
            name = names.format(n=number, of=len(sizes))
            (folder / name).parent.mkdir(exist_ok=True)
            with tf.io.TFRecordWriter(str(folder / name)) as file:
                for _ in range(count):
                    told = {keys[0]: encode(pixels[row]), keys[1]: start + row}
                    file.write(example(**told))
                    row += 1
        return folder, pixels

    return files


def rows_of(found, pixels):
    """Which images these are, (N, H, W, C) uint8 or scaled."""
    found = np.asarray(found)
    if found.dtype != np.uint8:
        found = np.rint((found + 1) * 127.5).astype(np.uint8)
    known = {one.tobytes(): row for row, one in enumerate(pixels)}
    return [known[one.tobytes()] for one in found]


def streamed(folder, **options):
    return data.open_source(folder, progress=False, stream=True, **options)


def lanes(images, batch_size=12, **options):
    given = {"flip": False, "labels": True, "seed": 0, "shuffle": True, **options}
    return streaming.Lanes(images.images, batch_size=batch_size, **given)


def epoch(source, number=0, rows=slice(None)):
    steps = range(number * source.steps, (number + 1) * source.steps)
    return [
        np.concatenate(parts) for parts in zip(*(source.batch(n, rows) for n in steps), strict=True)
    ]


@pytest.mark.parametrize("stream", [False, True])
def test_the_images_and_labels_of_all_files_are_found_in_their_order(files, stream):
    folder, pixels = files(7, 0, 5)
    images = data.open_source(folder, progress=False, stream=stream)
    assert images.images.shape == (12, 4, 4, 3) and len(images) == 12
    np.testing.assert_array_equal(images.images[np.arange(12)], pixels)
    np.testing.assert_array_equal(images.images[3], pixels[3])
    np.testing.assert_array_equal(images.images[2:5, :2], pixels[2:5, :2])
    if not stream:
        assert images.labels.tolist() == list(range(12))


def test_the_index_reads_across_files_what_tensorflow_reads(files):
    folder, _ = files(3, 4, 2)
    paths = record_files(folder)
    theirs = [one.numpy() for one in tf.data.TFRecordDataset([str(path) for path in paths])]
    index = Index.of(paths)
    assert index.read(0, 9) == theirs and index.read(2, 8) == theirs[2:8]
    assert index.place(6) == f"{paths[1].name}[3]"


def test_one_file_is_a_source_and_older_names_of_features_are_known(files):
    folder, pixels = files(5, keys=("image/encoded", "image/class/label"))
    images = streamed(str(folder / "all-00000.tfrecord"), image_size=4)
    np.testing.assert_array_equal(images.images[:], pixels)
    assert images.images.labelled


def test_the_fingerprint_is_that_of_the_content(files, tmp_path):
    folder, _ = files(4, 3)
    before = streamed(folder).fingerprint
    assert streamed(folder).fingerprint == before != streamed(folder, channels=1).fingerprint
    path = folder / "all-00001.tfrecord"
    raw = [one.numpy() for one in tf.data.TFRecordDataset(str(path))]
    with tf.io.TFRecordWriter(str(path)) as file:
        for one in [raw[1], raw[0], raw[2]]:
            file.write(one)
    assert streamed(folder).fingerprint != before


@pytest.mark.parametrize(
    "names", ["x-{split}.tfrecord-{n:05d}-of-00002", "{split}/{n}.tfrecords", "{n}_{split}.tfrec"]
)
def test_files_named_for_splits_are_of_those(files, names):
    for split, start in (("train", 0), ("test", 50)):
        folder, _ = files(2, 2, names=names.replace("{split}", split), start=start)
    for split, start in (("train", 0), ("test", 50)):
        found = data.open_source(folder, split=split, progress=False)
        assert found.labels.tolist() == [start + n for n in range(4)]
    with pytest.raises(ValueError, match="no split 'validation'.*test, train"):
        data.open_source(folder, split="validation", progress=False)


@pytest.mark.parametrize("count, batch", [(COUNT, 12), (301, 16), (130, 7), (64, 64)])
def test_an_epoch_shows_each_image_at_most_once_and_differs_from_the_next(files, count, batch):
    folder, pixels = files(count // 3, count - count // 3)
    source = lanes(streamed(folder), batch, buffer=20_000)
    orders = []
    for number in (0, 1):
        found, labels = epoch(source, number)
        orders.append(rows_of(found, pixels))
        assert orders[-1] == labels.tolist()
        assert len(set(orders[-1])) == len(orders[-1]) == source.steps * batch
    assert source.steps == count // batch or source.steps * batch > count - 2 * batch
    assert orders[0] != orders[1] and orders[0] != sorted(orders[0])


def test_order_and_flips_are_a_function_of_the_seed_and_any_batch_can_be_first(files):
    folder, _ = files(200, 100)
    images = streamed(folder)
    options = {"batch_size": 12, "flip": True, "labels": True, "repeat": True}
    whole = list(batches(images, seed=1, **options).take(60))
    for first in (0, 1, 23, 26, 50):
        begun = batches(images, seed=1, first_batch=first, **options).take(5)
        for (one, label), (other, theirs) in zip(begun, whole[first:], strict=False):
            np.testing.assert_array_equal(one, other)
            np.testing.assert_array_equal(label, theirs)
    other = next(iter(batches(images, seed=2, **options)))
    assert not np.array_equal(other[0], whole[0][0])


def test_half_of_the_images_are_mirrored(files):
    folder, pixels = files(COUNT)
    plain, turned = (lanes(streamed(folder), flip=flip) for flip in (False, True))
    known = [rows_of(epoch(plain)[0], pixels)]
    found = epoch(turned)[0]
    same = [np.array_equal(one, pixels[row]) for one, row in zip(found, known[0], strict=True)]
    for one, row, kept in zip(found, known[0], same, strict=True):
        assert kept or np.array_equal(one, pixels[row][:, ::-1])
    assert 0.35 < np.mean(same) < 0.65


def test_an_unshuffled_epoch_has_each_lanes_order(files):
    folder, pixels = files(COUNT)
    found = rows_of(epoch(lanes(streamed(folder), shuffle=False))[0], pixels)
    # gcd(12, 16) = 4 lanes of 75 records, three of each in a batch
    assert found[:12] == [0, 1, 2, 75, 76, 77, 150, 151, 152, 225, 226, 227]
    assert found[12:15] == [3, 4, 5]


@pytest.mark.parametrize("workers", [2, 4])
def test_workers_share_the_batches_of_one_and_read_apart(files, workers, monkeypatch):
    folder, pixels = files(100, 100, 100)
    images = streamed(folder)
    whole = lanes(images, 16)
    read, original = [], Index.read
    monkeypatch.setattr(
        Index, "read", lambda self, a, b: read.append((a, b)) or original(self, a, b)
    )
    taken, places = [], []
    for worker in range(workers):
        own, size = lanes(images, 16), 16 // workers
        rows = slice(worker * size, (worker + 1) * size)
        for number in range(own.steps):
            expected = whole.batch(number)[0][rows]
            read.clear()
            found = own.batch(number, rows)[0]
            np.testing.assert_array_equal(found, expected)
            places.append(worker)
        own._reader.shutdown()
        taken.append(set(rows_of(epoch(own, 0, rows)[0], pixels)))
    assert not set.intersection(*taken)
    # each worker's images lie side by side in the files
    spans = sorted((min(rows), max(rows)) for rows in taken)
    assert all(a[1] < b[0] for a, b in zip(spans, spans[1:], strict=False))


def test_a_share_of_the_pipelines_batches_are_their_rows(files):
    folder, _ = files(60)
    for stream in (True, False):
        images = data.open_source(folder, progress=False, stream=stream)
        options = {"batch_size": 8, "flip": True, "labels": True, "repeat": True, "first_batch": 3}
        whole = list(batches(images, **options).take(3))
        # four replicas, the third and the fourth of them on this worker
        parts = list(batches(images, share=Share(4, 2, 2), **options).take(6))
        for number, (pixels, labels) in enumerate(parts):
            batch, replica = divmod(number, 2)
            rows = slice(4 + 2 * replica, 6 + 2 * replica)
            np.testing.assert_array_equal(pixels, whole[batch][0][rows])
            np.testing.assert_array_equal(labels, whole[batch][1][rows])
    with pytest.raises(ValueError, match="Expected repeat=True"):
        batches(images, batch_size=8, share=Share(2))


def test_iterating_epochs_equals_repeating_for_ever(files):
    folder, _ = files(40)
    images = streamed(folder)
    ends = batches(images, batch_size=12)
    endless = iter(batches(images, batch_size=12, repeat=True))
    for _ in range(2):
        assert [np.array_equal(one, next(endless)) for one in ends] == [True] * 3


def test_tfds_files_are_streamed_with_their_own_names(files):
    import tensorflow_datasets as tfds

    folder, pixels = files(6, 4, names="tiny-train.tfrecord-{n:05d}-of-{of:05d}")
    features = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(4, 4, 3)),
            "label": tfds.features.ClassLabel(names=[f"n{i}" for i in range(10)]),
        }
    )
    place = folder.parent / "tiny" / "1.0.0"
    place.parent.mkdir()
    folder.rename(place)
    tfds.folder_dataset.write_metadata(
        data_dir=str(place),
        features=features,
        split_infos=[
            tfds.core.SplitInfo(
                name="train",
                shard_lengths=[6, 4],
                num_bytes=1,
                filename_template=tfds.core.ShardedFileTemplate(
                    data_dir=str(place),
                    dataset_name="tiny",
                    split="train",
                    filetype_suffix="tfrecord",
                ),
            )
        ],
    )
    images = data.open_source("tiny", data_dir=place.parent.parent, progress=False, stream=True)
    np.testing.assert_array_equal(images.images[:], pixels)
    assert images.class_names[3] == "n3"
    _, labels = next(iter(batches(images, batch_size=5, labels=True, shuffle=False)))
    assert labels.numpy().tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="Expected a whole split of tiny to stream: train"):
        data.open_source(
            "tiny", data_dir=place.parent.parent, split="train[:3]", progress=False, stream=True
        )


# -- what cannot be read ------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["cut", "cut short", "compressed", "text"])
def test_a_file_that_is_no_whole_row_of_records_is_named(files, damage):
    folder, _ = files(3, 3)
    path = folder / "all-00001.tfrecord"
    raw = path.read_bytes()
    broken = {"cut": raw[:-5], "cut short": raw[:-1], "text": b"hello"}
    path.write_bytes({**broken, "compressed": b"\x1f\x8b" + raw}[damage])
    with pytest.raises(ValueError, match=r"all-00001.tfrecord is no whole file of TFRecords"):
        data.open_source(folder, progress=False)


def test_records_without_an_image_say_what_they_have(tmp_path):
    with tf.io.TFRecordWriter(str(tmp_path / "a.tfrecord")) as file:
        file.write(example(picture=b"x", label=1))
    with pytest.raises(ValueError, match="as 'image' or 'image/encoded'.*Received: label, picture"):
        data.open_source(tmp_path, progress=False)
    with tf.io.TFRecordWriter(str(tmp_path / "a.tfrecord")) as file:
        file.write(b"\xff\xff no example")
    with pytest.raises(ValueError, match="Expected records of tf.train.Example"):
        data.open_source(tmp_path, progress=False)
    (tmp_path / "a.tfrecord").write_bytes(b"")
    with pytest.raises(ValueError, match="holds no records in 1 files"):
        data.open_source(tmp_path, progress=False)


def test_a_broken_image_is_named_when_it_is_reached(files, tmp_path, encode):
    folder, pixels = files(3)
    with tf.io.TFRecordWriter(str(folder / "b.tfrecord")) as file:
        file.write(example(image=b"no image", label=0))
        file.write(example(image=encode(pixels[0][:3, :3]), label=0))
    images = streamed(folder)
    with pytest.raises(ValueError, match=r"Cannot decode b.tfrecord\[0\]: not an image"):
        images.images[3]
    with pytest.raises(ValueError, match=r"differ in size: b.tfrecord\[1\].*Give image_size"):
        images.images[4]
    with pytest.warns(UserWarning, match=r"1 file is broken and left out:\s+b.tfrecord\[0\]"):
        assert len(data.open_source(folder, image_size=4, progress=False)) == 4


@pytest.mark.parametrize("source", ["digits", "ring", "array", "folder"])
def test_other_sources_cannot_be_streamed(source, write):
    given = {"array": small.images(4), "folder": write("a.png")[0]}.get(source, source)
    with pytest.raises(ValueError, match="stream=True reads TFRecord files and TFDS data sets"):
        data.open_source(given, progress=False, stream=True)


def test_streamed_images_refuse_what_needs_all_of_them(files):
    folder, _ = files(20)
    images = streamed(folder)
    with pytest.raises(TypeError, match="streamed.*stream=False"):
        np.asarray(images.images)
    with pytest.raises(ValueError, match="is streamed, so its labels are not known"):
        batches(images, batch_size=2, labelled=4)
    with pytest.raises(ValueError, match="streamed as 4x4x3: open it anew.*image_size=8"):
        data.open_source(images, image_size=8)
    assert data.open_source(images, image_size=4) is images


def test_a_config_states_it_and_one_that_does_not_hashes_as_before():
    from ganzoo import registry

    before = registry.entry("dcgan_digits")
    for key in ("data.stream", "training.sync_batch_norm"):
        assert registry.entry("dcgan_digits", [f"{key}=false"]).hash == before.hash
        assert registry.entry("dcgan_digits", [f"{key}=true"]).hash != before.hash
        with pytest.raises(ConfigError, match=key):
            registry.entry("dcgan_digits", [f"{key}=3"])


# -- more than the memory holds -----------------------------------------------------------------

LIMITED = """
import json, resource, sys
import numpy as np, tensorflow as tf
from ganzoo import data
from ganzoo.data import streaming

def megabytes(key):
    with open("/proc/self/status") as file:
        return next(int(x.split()[1]) for x in file if x.startswith(key)) / 1024

kind, folder = sys.argv[1:]
streaming.BUFFER = 12 * 2**20
images = data.open_source(folder, progress=False, stream=kind == "stream", image_size=128)
batches = data.batches(images, batch_size=32)
first = next(iter(batches))
before, limit = megabytes("VmData"), 128  # threads' stacks count too
resource.setrlimit(resource.RLIMIT_DATA, (int((before + limit) * 2**20),) * 2)
try:
    if kind == "all":
        starts = range(0, len(images), 64)
        kept = [np.array(images.images[n : n + 64]) for n in starts]
    seen = sum(len(one) for one in batches)
    print(json.dumps({"seen": seen, "grown": megabytes("VmData") - before}))
except MemoryError:
    print(json.dumps({"error": "MemoryError"}))
"""


@pytest.mark.slow
def test_data_larger_than_the_memory_limit_are_served_streamed_and_from_the_map(tmp_path, encode):
    pixels = small.images(64, size=128, channels=3)
    encoded = [encode(one, "BMP") for one in pixels]  # 48 kB each
    count = 64 * 130
    for number in range(4):
        with tf.io.TFRecordWriter(str(tmp_path / f"{number}.tfrecord")) as file:
            for row in range(count // 4):
                file.write(example(image=encoded[row % 64]))
    size = sum(path.stat().st_size for path in tmp_path.glob("*.tfrecord")) / 2**20
    assert size > 3 * 128
    told = {}
    for kind in ("stream", "map", "all"):
        told[kind] = json.loads(small.run_script(LIMITED, kind, tmp_path).splitlines()[-1])
    assert told["stream"]["seen"] == told["map"]["seen"] == count
    assert max(told[kind]["grown"] for kind in ("stream", "map")) < 128
    assert told["all"] == {"error": "MemoryError"}


def test_windows_are_forgotten(files):
    folder, _ = files(1000)
    source = lanes(streamed(folder), 8, buffer=1)
    for number in range(2 * source.steps):
        source.batch(number)
        assert len(source._loaded) <= 3 * 8
    assert source._windows_an_epoch > 1 and records.KEYS[0] == ("image", "label")
