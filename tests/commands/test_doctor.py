import json
import shutil
from pathlib import Path

import pytest

from ganzoo.doctor import Report
from tests.commands.words import NARROW, one_line
from tests.doctor import series


def written(folder, failure="vanishing_gradients"):
    from ganzoo.doctor import diagnose

    looks = series.run(**series.FAILING[failure])
    folder.mkdir(parents=True)
    text = Report("tiny", 2000, diagnose(looks), {}, looks).to_json()
    (folder / "doctor.json").write_text(text)


def test_doctor_shows_the_report_of_a_workdir(cli_run):
    written(Path("runs/one"))
    code, out, _ = cli_run("doctor", "runs/one")
    assert code == 0
    assert "VANISHING GRADIENTS, since step 100: the generator's gradient is 1e-07" in out
    assert cli_run("doctor", "runs/one/doctor.json")[1] == out
    code, out, _ = cli_run("doctor", "runs/one", "--json")
    assert code == 0 and json.loads(out)["name"] == "tiny"


def test_doctor_names_the_nearest_run_that_has_a_report(cli_run):
    written(Path("runs/digits"))
    code, _, err = cli_run("doctor", "runs/digit")
    assert code == 1
    line = one_line(err)
    assert "doctor.json" in line and "did you mean 'digits'?" in line
    code, _, err = cli_run("doctor", "nowhere/at/all")
    assert code == 1 and "nowhere/at/all" in one_line(err)
    assert cli_run("doctor")[0] == 2


def test_doctor_says_that_a_file_is_no_report(cli_run):
    Path("run").mkdir()
    Path("run/doctor.json").write_text("{}")
    code, _, err = cli_run("doctor", "run")
    assert code == 1 and "run/doctor.json: Expected a report" in one_line(err)


def test_train_leaves_a_report_that_doctor_reads_and_nodoctor_leaves_none(cli_run, workdir):
    code, out, _ = cli_run("doctor", workdir)
    assert code == 0 and "the doctor on dcgan_digits: 0 looks in 6 steps" in out
    assert "too few looks" in out
    shutil.copytree(workdir, "copy")
    Path("copy/doctor.json").unlink()
    code, _, err = cli_run("doctor", "copy")
    assert code == 1 and "--nodoctor" in one_line(err)
    words = ("train", "dcgan_digits", "--workdir=bare", "--steps=1", "--nodoctor", *NARROW)
    assert cli_run(*words)[0] == 0
    assert not Path("bare/doctor.json").exists()


@pytest.mark.parametrize("flag", ["--stop_hopeless", "--nodoctor"])
def test_train_knows_the_doctors_flags(cli_run, flag):
    assert flag.replace("--no", "--[no]") in cli_run("train", "--help")[1]
