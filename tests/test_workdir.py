"""Which folders a run takes."""

import pytest

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
