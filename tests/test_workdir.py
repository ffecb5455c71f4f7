"""Which folders a run takes, and which checkpoint it names when it has diverged."""

import numpy as np
import pytest
import tensorflow as tf

from ganzoo import builders
from ganzoo.workdir import Workdir
from tests.test_training import run


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="Expected an empty workdir.*holds other files"):
        run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_what_a_process_killed_at_its_start_left_is_taken_over(tmp_path):
    (tmp_path / "run.json").write_text("{")
    (tmp_path / "partial-config.yaml").write_text("name: dcg")
    assert run(tmp_path, 1).steps_done == 1


def test_a_folder_in_which_another_process_trains_is_refused(tmp_path):
    held, refused = Workdir(tmp_path).locked(), pytest.raises(ValueError, match="Another process")
    with held, refused:
        run(tmp_path, 1)
    assert not (tmp_path / "config.yaml").exists()
    assert run(tmp_path, 1).steps_done == 1


def test_an_empty_folder_is_taken(tmp_path):
    assert run(tmp_path, 1).steps_done == 1


def test_updates_that_are_not_finite_end_a_run_and_the_checkpoint_before_them_is_named(
    tmp_path, monkeypatch
):
    original = builders.build

    def doomed(config, **options):
        gan = original(config, **options)
        game = gan.discriminator_game

        def discriminator_game(real, fake):
            loss, logs = game(real, fake)
            return loss * tf.where(gan._steps_done.value >= 12, np.nan, 1.0), logs

        gan.discriminator_game = discriminator_game
        return gan

    monkeypatch.setattr(builders, "build", doomed)
    warned = pytest.warns(RuntimeWarning, match="Step 13.*its update was skipped")
    named = r"Step 16: the discriminator's .* 4 times in a row.*checkpoint is .*step_00000010.keras"
    with warned, pytest.raises(FloatingPointError, match=named):
        run(tmp_path, 40, **{"gan.max_skipped": 4})
    assert [path.name for path in Workdir(tmp_path).saved()][-1] == "step_00000010.keras"
