"""A training run: its folder, stopping and going on, and what it ends with."""

import json
import shutil
import signal

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import ganzoo
from ganzoo import builders, checkpoints, registry, training, weights
from ganzoo.config import load_config
from ganzoo.training import train
from ganzoo.workdir import Workdir
from tests import small
from tests.test_callbacks import events

SMALL = {
    "generator.width": 2,
    "generator.smallest": 4,
    "optimizers.generator.learning_rate": 0.01,  # so that 20 steps make more than grey
    "discriminator.width": 2,
    "discriminator.smallest": 4,
    "data.batch_size": 100,  # 17 batches an epoch: a run of 20 steps crosses into the second
    "training.ema_decay": 0.9,
    "training.checkpoint_every": 5,
    "training.sample_every": 10,
    "training.log_every": 4,
}


def entry(steps=20, **changes):
    return registry.entry("dcgan_digits", {**SMALL, "training.steps": steps, **changes})


def run(workdir, steps=20, *, data=None, resume=True, **changes):
    return train(entry(steps, **changes), workdir=workdir, data=data, resume=resume, progress=False)


def same(first, second):
    for a, b in zip(small.everything(first), small.everything(second), strict=True):
        np.testing.assert_array_equal(a, b)


def saved(workdir):
    return sorted(path.name for path in (workdir / "checkpoints").iterdir())


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted run of 20 steps, with its GAN."""
    workdir = tmp_path_factory.mktemp("runs") / "whole"
    return workdir, run(workdir)


@pytest.fixture(scope="module")
def longer(tmp_path_factory):
    """The GAN of an uninterrupted run of 22 steps."""
    return run(tmp_path_factory.mktemp("runs") / "longer", 22)


def copy_of(whole, tmp_path):
    return shutil.copytree(whole[0], tmp_path / "copy")


def test_a_run_leaves_what_the_workdir_promises(whole):
    workdir, gan = whole
    assert gan.steps_done == 20
    names = {path.name for path in workdir.iterdir()}
    files = {"config.yaml", "run.json", "final.safetensors", "card.json", "doctor.json"}
    assert names - {".lock"} == files | {"checkpoints", "samples", "tensorboard"}
    samples = sorted((workdir / "samples").iterdir())
    assert [path.name for path in samples] == ["step_00000010.png", "step_00000020.png"]
    sizes = set()
    for path in samples:
        with Image.open(path) as picture:
            sizes.add(picture.size)
    assert len(sizes) == 1 and min(*sizes.pop()) >= 8 * 8  # 64 images of 8x8


def test_checkpoints_are_whole_and_all_but_the_last_two_are_removed(whole):
    workdir, gan = whole
    assert saved(workdir) == ["step_00000015.keras", "step_00000020.keras"]
    same(gan, keras.models.load_model(workdir / "checkpoints" / "step_00000020.keras"))


def test_scalars_stand_at_every_fourth_step_with_their_names(whole):
    workdir, _ = whole
    found = events(workdir / "tensorboard")
    assert [step for step, _ in found] == [4, 8, 12, 16, 20]
    for _, scalars in found:
        assert set(scalars) == {"d_loss", "g_loss", "d_real", "d_fake", "images_per_second"}
        assert all(np.isfinite(value) for value in scalars.values())


def test_run_json_and_config_say_what_was_trained_on_what(whole):
    workdir, _ = whole
    told = json.loads((workdir / "run.json").read_text())
    assert told["name"] == "dcgan_digits" and told["seconds"] > 0
    assert told["data"]["images"] == 1797 and told["data"]["image_size"] == 8
    assert len(told["data"]["fingerprint"]) == 64
    again = load_config(workdir / "config.yaml")
    assert again.hash == entry().hash


def test_final_weights_generate_what_the_run_does_within_a_grey_level(whole):
    workdir, gan = whole
    loaded = ganzoo.load(
        "dcgan_digits",
        weights=workdir / "final.safetensors",
        generator={"width": 2, "smallest": 4},
        discriminator={"width": 2, "smallest": 4},
    )
    expected = gan.generate(64, seed=1).astype(int)
    assert expected.std() > 1
    assert np.abs(loaded.generate(64, seed=1) - expected).max() <= 1
    raw = gan.generate(64, seed=1, ema=False).astype(int)
    assert np.abs(loaded.generate(64, seed=1, ema=False) - raw).max() <= 2


def test_the_card_says_how_the_weights_came_about(whole):
    workdir, _ = whole
    card = weights.read_card(workdir / "card.json")
    assert (card.name, card.file) == ("dcgan_digits", "final.safetensors")
    path = workdir / "final.safetensors"
    assert (card.sha256, card.bytes) == (weights.digest(path), path.stat().st_size)
    assert (card.config_hash, card.seed, card.steps) == (entry().hash, 0, 20)
    assert card.licence == entry().licence and card.version == ganzoo.__version__
    assert card.trained["tensorflow"] == tf.__version__
    assert card.trained["keras"] == keras.__version__


@pytest.mark.parametrize("stop", [7, 10, 17])
def test_a_resumed_run_equals_the_uninterrupted_one_bit_for_bit(whole, tmp_path, stop):
    # 7 is a multiple of nothing, 10 of the checkpoints, 17 an epoch
    run(tmp_path / "run", stop)
    gan = run(tmp_path / "run")
    same(gan, whole[1])
    assert saved(tmp_path / "run")[-1] == "step_00000020.keras"


def test_a_run_in_pieces_with_flips_equals_the_uninterrupted_one(tmp_path):
    options = {"data.flip": True, "training.seed": 4}
    expected = run(tmp_path / "whole", 9, **options)
    for steps in (2, 3, 9):
        found = run(tmp_path / "pieces", steps, **options)
    same(found, expected)
    plain = run(tmp_path / "plain", 9, **{"training.seed": 4})
    pairs = zip(small.everything(plain), small.everything(found), strict=True)
    assert any((a != b).any() for a, b in pairs)


ELSEWHERE = """
import sys
from ganzoo import registry, training

config = registry.entry("dcgan_digits", eval(sys.argv[2]))
gan = training.train(config, workdir=sys.argv[1], progress=False)
"""


def test_a_run_resumed_in_another_process_equals_the_uninterrupted_one(whole, tmp_path):
    run(tmp_path / "run", 7)
    small.run_script(ELSEWHERE, tmp_path / "run", {**SMALL, "training.steps": 20})
    newest = tmp_path / "run" / "checkpoints" / "step_00000020.keras"
    same(keras.models.load_model(newest), whole[1])


def test_training_is_the_same_in_another_folder(whole, tmp_path):
    same(run(tmp_path / "again"), whole[1])


def test_a_finished_run_is_left_as_it_is(whole, tmp_path):
    workdir = copy_of(whole, tmp_path)
    before = {path.name: path.read_bytes() for path in (workdir / "checkpoints").iterdir()}
    same(run(workdir), whole[1])
    assert before == {path.name: path.read_bytes() for path in (workdir / "checkpoints").iterdir()}


def test_a_run_can_be_prolonged(whole, longer, tmp_path):
    workdir = copy_of(whole, tmp_path)
    same(run(workdir, 22), longer)
    assert weights.read_card(workdir / "card.json").steps == 22


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip_bytes(path):
    data = bytearray(path.read_bytes())
    third = len(data) // 3
    data[third : third + 200] = bytes(255 - byte for byte in data[third : third + 200])
    path.write_bytes(data)


def empty(path):
    path.write_bytes(b"")


def no_zip(path):
    path.write_bytes(b"not a zip at all" * 100)


@pytest.mark.parametrize("damage", [truncate, flip_bytes, empty, no_zip])
def test_a_damaged_newest_checkpoint_is_passed_over_with_a_warning(whole, longer, tmp_path, damage):
    workdir = copy_of(whole, tmp_path)
    damage(workdir / "checkpoints" / "step_00000020.keras")
    with pytest.warns(UserWarning, match="Passed over .*step_00000020.keras, which cannot be read"):
        gan = run(workdir, 22)
    same(gan, longer)
    assert saved(workdir) == ["step_00000020.keras", "step_00000022.keras"]
    keras.models.load_model(workdir / "checkpoints" / "step_00000020.keras")  # written anew


def test_damaged_later_checkpoints_do_not_push_out_the_good_ones(whole, tmp_path):
    workdir = copy_of(whole, tmp_path)
    truncate(workdir / "checkpoints" / "step_00000020.keras")
    with pytest.warns(UserWarning, match="Passed over"):
        gan, state = Workdir(workdir).restore(tf.distribute.get_strategy())
    Workdir(workdir).save(gan, state)
    assert saved(workdir) == ["step_00000015.keras"]


def test_a_run_of_which_no_checkpoint_can_be_read_raises_and_touches_nothing(whole, tmp_path):
    workdir = copy_of(whole, tmp_path)
    for path in (workdir / "checkpoints").iterdir():
        truncate(path)
    with (
        pytest.warns(UserWarning, match="Passed over"),
        pytest.raises(ValueError, match="Expected a checkpoint that can be read"),
    ):
        run(workdir, 30)
    assert saved(workdir) == ["step_00000015.keras", "step_00000020.keras"]


def test_a_save_that_is_interrupted_leaves_the_last_checkpoint_whole(whole, tmp_path, monkeypatch):
    workdir = copy_of(whole, tmp_path)
    gan = keras.models.load_model(workdir / "checkpoints" / "step_00000015.keras")

    def broken(path):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(gan, "save", broken)
    with pytest.raises(OSError, match="disk full"):
        Workdir(workdir).save(gan, {})
    monkeypatch.undo()
    assert Workdir(workdir).saved()[0].name == "step_00000020.keras"
    same(run(workdir), whole[1])
    run(workdir, 21)
    assert saved(workdir) == ["step_00000020.keras", "step_00000021.keras"]  # none partial


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_saves_a_checkpoint_and_the_run_goes_on_from_it(whole, tmp_path, monkeypatch):
    original = training.callbacks.StopAt.on_train_batch_end

    def pressed(self, batch, logs=None):
        if self.model.steps_done == 13:
            signal.raise_signal(signal.SIGINT)
        original(self, batch, logs)

    monkeypatch.setattr(training.callbacks.StopAt, "on_train_batch_end", pressed)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run")
    assert saved(tmp_path / "run") == ["step_00000010.keras", "step_00000013.keras"]
    assert not (tmp_path / "run" / "final.safetensors").exists()
    monkeypatch.undo()
    same(run(tmp_path / "run"), whole[1])


def test_seconds_add_up_over_the_pieces_of_a_run(tmp_path):
    run(tmp_path / "run", 2)
    path = tmp_path / "run" / "run.json"
    started = json.loads(path.read_text())["started"]
    newest = Workdir(tmp_path / "run").saved()[0]
    gan, state = checkpoints.load(newest)
    assert state["seconds"] == json.loads(path.read_text())["seconds"]
    checkpoints.write(gan, newest, {**state, "seconds": 1000.0})
    run(tmp_path / "run", 4)
    told = json.loads(path.read_text())
    assert 1000 < told["seconds"] < 1600 and told["started"] == started
    assert weights.read_card(tmp_path / "run" / "card.json").trained["seconds"] >= 1000


@pytest.mark.parametrize(
    "changes",
    [
        {"training.seed": 1},
        {"generator.width": 3},
        {"data.batch_size": 99},
        {"training.precision": "mixed_bfloat16"},
        {"optimizers.generator.learning_rate": 1e-3},
    ],
)
def test_a_workdir_of_another_config_is_refused(whole, tmp_path, changes):
    workdir = copy_of(whole, tmp_path)
    before = (workdir / "config.yaml").read_bytes()
    with pytest.raises(ValueError, match="a run of another config.*Give another workdir"):
        run(workdir, **changes)
    assert (workdir / "config.yaml").read_bytes() == before


def test_a_workdir_of_another_entry_is_refused(whole, tmp_path):
    config = registry.entry("dcgan_mnist")
    digits = small.images(200, size=28)
    with pytest.raises(ValueError, match="a run of another config: dcgan_digits"):
        train(config, workdir=copy_of(whole, tmp_path), data=digits, progress=False)


def test_other_images_are_refused(whole, tmp_path):
    with pytest.raises(ValueError, match="a run on other images.*Give another workdir"):
        run(copy_of(whole, tmp_path), data=small.images(200, size=8))


def test_a_run_is_not_resumed_where_that_is_not_wanted(whole, tmp_path):
    with pytest.raises(ValueError, match="holds a run already: resume it or give another"):
        run(copy_of(whole, tmp_path), resume=False)


def test_a_run_that_diverges_raises_and_saves_nothing_that_is_not_finite(tmp_path, monkeypatch):
    original = builders.build

    def doomed(config, **options):
        gan = original(config, **options)
        step = gan.train_step

        def train_step(data):
            logs = step(data)
            poison = tf.where(gan._steps_done.value >= 12, np.nan, 0.0)
            bias = gan.discriminator.trainable_variables[-1]
            bias.assign_add(tf.fill(bias.shape, tf.cast(poison, tf.float32)))
            return logs

        gan.train_step = train_step
        return gan

    monkeypatch.setattr(builders, "build", doomed)
    skips = pytest.warns(RuntimeWarning, match="its update was skipped")
    with skips, pytest.raises(FloatingPointError, match="the run has diverged"):
        run(tmp_path / "run", 40, **{"training.log_every": 20})
    assert saved(tmp_path / "run") == ["step_00000005.keras", "step_00000010.keras"]
    assert not (tmp_path / "run" / "final.safetensors").exists()


def test_arrays_of_another_size_are_brought_to_the_configs(tmp_path):
    gan = run(tmp_path / "run", 1, data=small.images(120, size=20))
    assert gan.steps_done == 1
    told = json.loads((tmp_path / "run" / "run.json").read_text())
    assert told["data"]["images"] == 120 and told["data"]["image_size"] == 8


def test_too_few_images_for_one_batch_raise(tmp_path):
    with pytest.raises(ValueError, match="too few for one batch of 100"):
        run(tmp_path / "run", data=small.images(99, size=8))


def test_a_half_precision_run_resumes_in_its_precision(tmp_path):
    options = {"training.precision": "mixed_float16"}
    expected = run(tmp_path / "whole", 5, **options)
    run(tmp_path / "pieces", 3, **options)
    found = run(tmp_path / "pieces", 5, **options)
    assert found.dtype_policy.name == "mixed_float16"
    same(found, expected)


def test_progress_is_shown_where_it_is_wanted(tmp_path, capsys):
    train(entry(4), workdir=tmp_path / "run", progress=True)
    assert "4/4" in capsys.readouterr().err
    run(tmp_path / "quiet", 4)
    assert not capsys.readouterr().err


def test_a_run_is_evaluated_as_its_config_says_and_keeps_its_best(tmp_path):
    changes = {"evaluation.every": 4, "evaluation.metrics": ["ms_ssim"], "evaluation.images": 20}
    gan = run(tmp_path / "run", 8, **changes)
    scores = [(step, told["ms_ssim"]) for step, told in events(tmp_path / "run" / "tensorboard")]
    assert [step for step, _ in scores] == [4, 8] and all(0 < score <= 1 for _, score in scores)
    best = json.loads((tmp_path / "run" / "best.json").read_text())
    assert best["metric"] == "ms_ssim" and best["value"] == pytest.approx(min(s for _, s in scores))
    kept = keras.models.load_model(tmp_path / "run" / "best.keras")
    assert (kept.steps_done, gan.steps_done) == (best["step"], 8)


def test_metrics_are_added_to_the_draft_card(whole, tmp_path):
    path = copy_of(whole, tmp_path) / "card.json"
    weights.add_metrics(path, {"fid": 3.5})
    card = weights.add_metrics(path, {"kid": 0.5})
    assert card.metrics == weights.read_card(path).metrics == {"fid": 3.5, "kid": 0.5}
