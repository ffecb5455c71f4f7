import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from ganzoo import cli
from ganzoo.export import export
from ganzoo.gans import CGAN
from ganzoo.networks.dcgan import dcgan_discriminator, dcgan_generator
from tests import small


@pytest.fixture(scope="module")
def gan():
    """A GAN whose images span [-1, 1], and whose average differs from its generator."""
    made = small.gan(options={"width": 8})
    random = np.random.default_rng(0)
    for variable in made.generator_ema.weights:
        spread = 0.3 if variable.path.endswith("kernel") else 1.0
        values = random.standard_normal(variable.shape) * spread
        variable.assign(np.abs(values) if "variance" in variable.path else values)
    return made


def test_a_generator_of_points_gives_points(tmp_path):
    gan = small.gan(small.planar)
    latents = np.random.default_rng(1).standard_normal((5, gan.latent_dim), np.float32)
    found = tf.saved_model.load(export(gan, tmp_path / "points", format="savedmodel"))
    points = found.signatures["serving_default"](latents=tf.constant(latents))
    assert list(points) == ["points"]
    np.testing.assert_allclose(points["points"], gan.generate(latents=latents), rtol=1e-5)


def test_a_generator_of_tokens_gives_their_logits(tmp_path):
    from ganzoo.gans import GumbelGAN
    from ganzoo.networks.sequences import sequence_discriminator, sequence_generator

    shape = {"shape": [4], "vocabulary": 3, "width": 8}
    networks = sequence_generator(latent_dim=5, **shape), sequence_discriminator(**shape)
    gan = small.gan(lambda: networks, kind=GumbelGAN)
    latents = np.random.default_rng(1).standard_normal((5, 5), np.float32)
    found = tf.saved_model.load(export(gan, tmp_path / "texts", format="savedmodel"))
    given = found.signatures["serving_default"](latents=tf.constant(latents))
    assert list(given) == ["logits"] and given["logits"].shape == (5, 4, 3)
    tokens = gan.generate(latents=latents, greedy=True)
    np.testing.assert_array_equal(given["logits"].numpy().argmax(-1), tokens)


@pytest.fixture(scope="module")
def conditional():
    """A conditional GAN whose images span [-1, 1]."""

    def networks():
        options = {"width": 4, "classes": 3, "conditioning": "concat"}
        generator = dcgan_generator((16, 16, 1), latent_dim=5, **options)
        return generator, dcgan_discriminator((16, 16, 1), **options)

    made = small.gan(networks, kind=CGAN, latent_dim=5, classes=3)
    random = np.random.default_rng(0)
    for variable in made.generator_ema.weights:
        values = random.standard_normal(variable.shape)
        variable.assign(np.abs(values) if "variance" in variable.path else values)
    return made


def asked():
    labels = np.array([0, 1, 2, 2], np.int32)
    return np.random.default_rng(1).standard_normal((4, 5), np.float32), labels


def images_of(gan):
    latents, labels = asked()
    images = np.asarray(gan.generator_ema([latents, labels], training=False))
    other = np.asarray(gan.generator_ema([latents, labels[::-1].copy()], training=False))
    assert images.std() > 0.3 and np.abs(images - other).max() > 0.1
    return images


def test_a_conditional_generator_takes_labels_by_name(conditional, tmp_path):
    path = export(conditional, tmp_path / "model", format="savedmodel")
    latents, labels = asked()
    signature = tf.saved_model.load(path).signatures["serving_default"]
    for rows in (slice(None), slice(2)):
        found = signature(latents=tf.constant(latents[rows]), labels=tf.constant(labels[rows]))
        np.testing.assert_allclose(found["images"], images_of(conditional)[rows], atol=1e-4)


@pytest.mark.slow
def test_onnx_of_a_conditional_generator_takes_labels_by_name(conditional, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    path = export(conditional, tmp_path / "model.onnx", format="onnx")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    told = [(one.name, one.type) for one in session.get_inputs()]
    assert told == [("latents", "tensor(float)"), ("labels", "tensor(int32)")]
    latents, labels = asked()
    (images,) = session.run(["images"], {"latents": latents, "labels": labels})
    np.testing.assert_allclose(images, images_of(conditional), atol=1e-4, rtol=0)


@pytest.mark.slow
def test_litert_of_a_conditional_generator_takes_labels_by_name(conditional, tmp_path):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    path = export(conditional, tmp_path / "model.tflite", format="litert")
    latents, labels = asked()
    runner = interpreter.Interpreter(str(path)).get_signature_runner()
    images = runner(latents=latents, labels=labels)["images"]
    np.testing.assert_allclose(images, images_of(conditional), atol=1e-4, rtol=0)


@pytest.fixture(scope="module")
def latents(gan):
    return np.random.default_rng(1).standard_normal((5, gan.latent_dim), np.float32)


def wanted(gan, latents):
    images = np.asarray(gan.generator_ema(latents, training=False))
    assert images.std() > 0.3 and images.shape == (5, *gan.image_shape)
    return images


def run_without_ganzoo(text, *arguments):
    """Runs code that must not need ganzoo or Keras, the packages that an export is free of."""
    script = f"import sys\nsys.modules['ganzoo'] = sys.modules['keras'] = None\n{text}"
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True
    )
    assert not done.returncode, done.stderr


def test_saved_model_maps_latents_to_images_in_any_batch(gan, latents, tmp_path):

    path = export(gan, tmp_path / "model", format="savedmodel")
    loaded = tf.saved_model.load(path)
    for count in (5, 1):
        images = loaded.signatures["serving_default"](latents=tf.constant(latents[:count]))
        assert list(images) == ["images"] and images["images"].dtype == tf.float32
        np.testing.assert_allclose(images["images"], wanted(gan, latents)[:count], atol=1e-4)


@pytest.mark.slow
def test_saved_model_runs_in_plain_tensorflow(gan, latents, tmp_path):
    path = export(gan, tmp_path / "model", format="savedmodel")
    np.save(tmp_path / "latents.npy", latents)
    run_without_ganzoo(
        "import numpy as np, tensorflow as tf\n"
        "model = tf.saved_model.load(sys.argv[1])\n"
        "np.save(sys.argv[3], model.serve(np.load(sys.argv[2]))['images'])",
        path,
        tmp_path / "latents.npy",
        tmp_path / "images.npy",
    )
    np.testing.assert_allclose(
        np.load(tmp_path / "images.npy"), wanted(gan, latents), atol=1e-4, rtol=0
    )


@pytest.mark.slow
def test_onnx_runs_in_onnx_runtime_in_any_batch(gan, latents, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    path = export(gan, tmp_path / "model.onnx", format="onnx")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert [one.name for one in session.get_inputs()] == ["latents"]
    assert [one.name for one in session.get_outputs()] == ["images"]
    for count in (5, 1):
        (images,) = session.run(["images"], {"latents": latents[:count]})
        np.testing.assert_allclose(images, wanted(gan, latents)[:count], atol=1e-4, rtol=0)


@pytest.mark.slow
def test_litert_runs_in_its_runtime_in_any_batch(gan, latents, tmp_path):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    path = export(gan, tmp_path / "model.tflite", format="litert")
    for count in (5, 1):
        model = interpreter.Interpreter(str(path))
        images = model.get_signature_runner()(latents=latents[:count])["images"]
        np.testing.assert_allclose(images, wanted(gan, latents)[:count], atol=1e-4, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["savedmodel", "onnx", "litert"])
@pytest.mark.parametrize("name", ["dcgan_mnist", "dcgan_celeba"])
def test_command_exports_the_zoos_networks(name, kind, tmp_path, monkeypatch, capsys):
    pytest.importorskip("tf2onnx")
    from ganzoo import builders, registry, weights

    narrow = {"generator": {"width": 8}, "discriminator": {"width": 8}}
    made = builders.build(registry.entry(name, narrow))
    weights.write(tmp_path / "w.safetensors", weights.collect(made), {})
    monkeypatch.chdir(tmp_path)
    sets = "--set=generator.width=8", "--set=discriminator.width=8"
    words = "export", name, f"--format={kind}", "--weights=./w.safetensors", *sets
    assert cli.main([*words]) == 0
    suffix = {"savedmodel": "", "onnx": ".onnx", "litert": ".tflite"}[kind]
    assert (tmp_path / f"{name}{suffix}").exists()
    assert f"{name}{suffix}" in capsys.readouterr().out


def test_unknown_format_names_the_nearest(gan, tmp_path):
    with pytest.raises(ValueError, match="did you mean 'onnx'"):
        export(gan, tmp_path / "x", format="onxx")


def test_half_precision_is_refused_with_the_way_out(tmp_path):
    made = small.gan(precision="mixed_float16")
    with pytest.raises(ValueError, match="load it with precision='float32'"):
        export(made, tmp_path / "x", format="savedmodel")


def test_what_is_there_is_not_replaced_by_a_folder(gan, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="new or an empty folder"):
        export(gan, tmp_path / "mine", format="savedmodel")
    with pytest.raises(FileExistsError, match="is a folder"):
        export(gan, tmp_path / "mine", format="litert")


def test_missing_package_is_named_with_the_extra_and_leaves_nothing(gan, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(ImportError, match=r"needs the package tf2onnx: .*keras-ganzoo\[export\]"):
        export(gan, tmp_path / "model.onnx", format="onnx")
    assert not list(tmp_path.iterdir())
