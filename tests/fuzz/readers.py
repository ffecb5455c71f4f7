"""What is read from files: each kind makes a damaged one, reads it and judges the value."""

import hashlib
import io
import json
import zipfile

import numpy as np

from tests.fuzz import mutations


class Configs:
    """YAML files of entries: `load_config` and a registration."""

    refusals = (ValueError, OSError)
    clear = True

    def __init__(self, folder):
        from ganzoo import entries

        self.path = folder / "mine.yaml"
        self.texts = [
            path.read_bytes().replace(b"\nbase: ", b"\n# base\nbase: ")
            for path in sorted(entries.shipped().values())
        ]

    def damaged(self, rng):
        return mutations.of_text(rng.choice(self.texts), rng)

    def read(self, data):
        import yaml

        from ganzoo.config import load_config, to_dict

        self.path.write_bytes(data)
        config = load_config(self.path)
        asked = yaml.load(data, yaml.BaseLoader)  # all values as text
        asked = {k: v for k, v in asked.items() if k not in ("name", "base")}
        return _lost(asked, to_dict(config), "")


def _lost(asked, taken, where):
    """Says which value of a file is another in what was taken from it, or is not there."""
    if isinstance(asked, dict) and isinstance(taken, dict):
        for key, value in asked.items():
            if key not in taken:
                return f"{where}{key} is not taken"
            if problem := _lost(value, taken[key], f"{where}{key}."):
                return problem
        return None
    if isinstance(asked, list) and isinstance(taken, (list, tuple)):
        same = len(asked) == len(taken)
        same = same and not any(_lost(a, b, "") for a, b in zip(asked, taken, strict=True))
    else:
        same = isinstance(asked, str) and _stands_for(asked, taken)
    return None if same else f"{where} is {taken!r}, not {asked!r}"


def _stands_for(text, value):
    """Whether a scalar is what YAML 1.2 reads from a text."""
    if value is None:
        return text in ("", "~", "null", "Null", "NULL")
    if isinstance(value, bool):
        return text.lower() == str(value).lower()
    if isinstance(value, (int, float)):
        based = text.startswith(("0x", "0o"))
        return (int(text, 0) if based else float(text)) == value
    return text == value


class Cards:
    """Cards of weights."""

    refusals = (ValueError, OSError)
    clear = True

    def __init__(self, folder):
        from ganzoo import paths

        self.path = folder / "card.json"
        self.texts = [path.read_bytes() for path in sorted(paths.pretrained().glob("*.json"))]

    def damaged(self, rng):
        return mutations.of_text(rng.choice(self.texts), rng)

    def read(self, data):
        from ganzoo.weights import read_card

        self.path.write_bytes(data)
        card = read_card(self.path)
        wrong = [
            key
            for key, value in json.loads(data).items()
            if json.dumps(getattr(card, key), default=dict) != json.dumps(value)
        ]
        return f"other values of {wrong}" if wrong else None


class Weights:
    """Weights files: one's own, and a published one beside its card."""

    refusals = (ValueError, OSError)
    clear = True

    def __init__(self, folder):
        from ganzoo import weights

        rng = np.random.default_rng(0)
        self.tensors = {
            "generator/dense/kernel": rng.normal(size=(7, 5)).astype("float16"),
            "generator/dense/bias": rng.normal(size=5).astype("float32"),
            "discriminator/seed": np.arange(3, dtype="uint32"),
        }
        self.path = folder / "mine.safetensors"
        weights.write(self.path, self.tensors, {"name": "mine", "format": "ganzoo"})
        self.whole = self.path.read_bytes()
        self.sha256 = hashlib.sha256(self.whole).hexdigest()

    def damaged(self, rng):
        # the header is what a parser stumbles over
        if rng.random() < 0.5:
            size = int.from_bytes(self.whole[:8], "little")
            head = self.whole[8 : 8 + size].replace(b",", b",\n")
            head = mutations.of_text(head, rng).replace(b",\n", b",")
            return len(head).to_bytes(8, "little") + head + self.whole[8 + size :]
        return mutations.of_bytes(self.whole, rng)

    def read(self, data):
        from ganzoo import weights
        from ganzoo.weights import files

        if data == self.whole:
            return None
        self.path.write_bytes(data)
        try:
            files.read(self.path, sha256=self.sha256)
        except ValueError:
            pass
        else:
            return "taken for the published file"
        return self._other(weights.load(str(self.path)))

    def _other(self, found):
        if found.keys() != self.tensors.keys():
            return f"other names: {sorted(found)}"
        for name, value in self.tensors.items():
            one = found[name]
            if (one.dtype, one.shape) != (value.dtype, value.shape) or (one != value).any():
                return f"another {name}"
        return None


class Images:
    """Image files of seven formats, in a folder that is opened as data."""

    refusals = (ValueError, OSError)
    clear = True

    def __init__(self, folder):
        from PIL import Image

        rng = np.random.default_rng(0)
        pixels = rng.integers(0, 256, (24, 20, 3), dtype=np.uint8)
        self.files, self.folder = [], folder / "pictures"
        self.folder.mkdir(exist_ok=True)
        for kind in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"):
            for picture in (Image.fromarray(pixels), Image.fromarray(pixels[..., 0])):
                buffer = io.BytesIO()
                picture.save(buffer, kind)
                self.files.append((kind.lower(), buffer.getvalue()))
        self.kind = "png"

    def damaged(self, rng):
        self.kind, data = rng.choice(self.files)
        return mutations.of_bytes(data, rng)

    def read(self, data):
        from ganzoo import data as data_room

        for old in self.folder.iterdir():
            old.unlink()
        (self.folder / f"one.{self.kind}").write_bytes(data)
        images = data_room.open_source(str(self.folder), image_size=8, channels=3, progress=False)
        shape = np.asarray(images.images[:]).shape
        return None if shape == (1, 8, 8, 3) else f"an array {shape}"


class KerasFiles:
    """`.keras` files, damaged as a zip, or sound zips around a damaged config or weights.

    Keras reads them, and refuses them by errors of all kinds. A sound zip around other weights is
    another model, that nothing tells from the one meant: then only the reading is watched.
    """

    refusals = (Exception,)
    clear = False
    nasty = (
        {"module": "builtins", "class_name": "exec", "config": {}, "registered_name": None},
        {"module": "os", "class_name": "system", "config": "touch pwned", "registered_name": None},
        {
            "module": "keras.layers",
            "class_name": "Lambda",
            "config": {"function": {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}},
            "registered_name": None,
        },
    )

    def __init__(self, folder):
        from tests import small

        self.gan = small.gan(small.planar, eager=True)
        self.path = folder / "mine.keras"
        self.gan.save(self.path)
        self.whole = self.path.read_bytes()
        self.values = [v.numpy() for v in self.gan.variables]
        self.repacked = False

    def damaged(self, rng):
        import random

        self.repacked = False
        if rng.random() < 0.4:
            return mutations.of_bytes(self.whole, rng)
        name = rng.choice(("config.json", "config.json", "metadata.json", "model.weights.h5"))
        buffer = io.BytesIO()
        with (
            zipfile.ZipFile(io.BytesIO(self.whole)) as old,
            zipfile.ZipFile(buffer, "w") as new,
        ):
            for item in old.infolist():
                data = old.read(item)
                if item.filename == name and name.endswith(".json"):
                    data = self._text(data, random.Random(rng.random()))
                elif item.filename == name:
                    data, self.repacked = mutations.of_bytes(data, rng), True
                new.writestr(item.filename, data)
            if rng.random() < 0.1:
                new.writestr("../../outside.txt", "x")
        return buffer.getvalue()

    def _text(self, data, rng):
        if rng.random() < 0.4:
            record = json.loads(data)
            _replace_one(record, rng.choice(self.nasty), rng)
            return json.dumps(record).encode()
        lines = json.dumps(json.loads(data), indent=1).encode()
        return mutations.of_text(lines, rng)

    def read(self, data):
        import keras

        self.path.write_bytes(data)
        gan = keras.models.load_model(self.path)
        return None if self.repacked else self._other(gan)

    def _other(self, gan):
        if type(gan) is not type(self.gan):
            return f"a {type(gan).__name__}"
        values = [v.numpy() for v in gan.variables]
        same = len(values) == len(self.values) and all(
            a.shape == b.shape and np.array_equal(a, b, equal_nan=True)
            for a, b in zip(values, self.values, strict=True)
        )
        return None if same else "other weights"


def _replace_one(record, value, rng):
    """Puts a value into the place of one of the objects that a record holds."""
    places = [(record, next(iter(record)))]

    def walk(one):
        items = one.items() if isinstance(one, dict) else enumerate(one)
        for key, inner in items:
            if isinstance(inner, dict):
                places.append((one, key))
            if isinstance(inner, (dict, list)):
                walk(inner)

    walk(record)
    where, key = rng.choice(places)
    where[key] = value


class Checkpoints(KerasFiles):
    """Checkpoints of runs: any other byte is refused."""

    refusals = (ValueError, OSError)
    clear = True

    def __init__(self, folder):
        from ganzoo import checkpoints

        super().__init__(folder)
        checkpoints.write(self.gan, self.path, {"seconds": 1.0})
        self.whole = self.path.read_bytes()

    def damaged(self, rng):
        return mutations.of_bytes(self.whole, rng)

    def read(self, data):
        from ganzoo import checkpoints

        self.path.write_bytes(data)
        checkpoints.load(self.path)
        return "a checkpoint with other bytes was taken"


READERS = {
    "configs": Configs,
    "cards": Cards,
    "weights": Weights,
    "images": Images,
    "keras_files": KerasFiles,
    "checkpoints": Checkpoints,
}
