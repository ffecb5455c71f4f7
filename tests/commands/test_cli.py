import re
import subprocess
import sys

import pytest

import ganzoo
from ganzoo import commands
from ganzoo.commands.command import Command
from tests.commands.words import ROOT, one_line


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_help_of_a_command_fits_a_screen_and_names_all_its_flags(cli_run, name):
    code, out, err = cli_run(name, "--help")
    assert code == 0 and not err
    assert out.startswith(f"usage: ganzoo {name}")
    assert len(out.splitlines()) <= 48 and max(map(len, out.splitlines())) <= 100
    for flag in commands.command(name).flags():
        assert f"--{flag}" in out or f"--[no]{flag}" in out


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), ("help",)])
def test_overview_names_every_command(cli_run, words):
    code, out, _ = cli_run(*words)
    assert code == 0
    assert all(re.search(rf"^  {name} +\w", out, re.MULTILINE) for name in commands.COMMANDS)


def test_help_may_stand_anywhere(cli_run):
    expected = cli_run("train", "--help")
    assert cli_run("train", "dcgan_mnist", "--steps=3", "--help") == expected
    assert cli_run("help", "train") == cli_run("train", "-h") == expected


def test_version(cli_run):
    assert cli_run("--version") == (0, f"ganzoo {ganzoo.__version__}\n", "")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["trian"], 2, "unknown command 'trian'; did you mean 'train'?"),
        (["xyz"], 2, "the commands are list, info,"),
        (["--steps=3", "train"], 2, "a command comes first"),
        (["list", "--pretraned"], 2, "unknown flag --pretraned; did you mean '--pretrained'?"),
        (["info"], 2, "NAME is missing: ganzoo info NAME"),
        (["info", "dcgan_mnist", "more"], 2, "unexpected 'more'"),
        (["demo", "here"], 2, "unexpected 'here'"),
        (["info", "dcgan_mnits"], 1, "did you mean 'dcgan_mnist'?"),
        (["list", "dcgan_mnits"], 1, "did you mean 'dcgan_mnist'?"),
        (["list", "zzz*"], 1, "No entry matches 'zzz*'"),
        (["train", "dcgan_digits"], 2, "--workdir is missing"),
        (["train", "digits", "--workdir=a"], 1, "did you mean 'dcgan_digits'?"),
        (["train", "dcgan_digits", "--workdir"], 2, "workdir"),
        (["train", "dcgan_digits", "--workdir=a", "--steps=0"], 2, "--steps=0"),
        (["train", "dcgan_digits", "--workdir=a", "--steps=many"], 2, "--steps=many"),
        (["train", "dcgan_digits", "--workdir=a", "--strategy=mirored"], 2, "mean 'mirrored'?"),
        (["train", "dcgan_digits", "--workdir=a", "--precision=float16"], 2, "mean 'float32'?"),
        (["train", "dcgan_digits", "--workdir=a", "--set=data.batchsize=2"], 1, "'batch_size'"),
        (["train", "dcgan_digits", "--workdir=a", "--set=data"], 1, "KEY=VALUE"),
        (["train", "dcgan_digits", "--workdir=a", "--data=nowhere/"], 1, "nowhere"),
        (["generate", "dcgan_lsun"], 1, "ganzoo train dcgan_lsun"),
        (["generate", "dcgan_digits", "--weights=no.safetensors"], 1, "no.safetensors"),
        (["generate", "dcgan_digits", "--out=a.jpg"], 2, "end in .png, .webp, .gif, .npz"),
        (["generate", "dcgan_digits", "--out=a.gfi"], 2, "did you mean 'gif'?"),
        (["generate", "dcgan_digits", "--out=a.gif", "--format=png"], 2, "do not agree"),
        (["generate", "dcgan_digits", "--num=12", "--interpolate"], 2, "the next is 16"),
        (["generate", "dcgan_digits", "--num=-1"], 2, "--num=-1"),
        (["generate", "dcgan_digits", "--labels=3"], 2, "GANs: dcgan_digits is unconditional"),
        (["generate", "dcgan_digits", "--codes=a=1"], 2, "dcgan_digits has no codes"),
        (["generate", "dcgan_digits", "--truncation=0"], 2, "--truncation > 0. Received: 0"),
        (["generate", "dcgan_digits", "--traverse=1", "--interpolate"], 2, "leave one out"),
        (["generate", "dcgan_digits", "--traverse=1", "--num=12"], 2, "the next is 20"),
        (["generate", "dcgan_digits", "--traverse=1", "--truncation=1"], 2, "with --traverse"),
        (["export", "dcgan_digits"], 2, "--format is missing"),
        (["export", "dcgan_digits", "--format=onnx", "--out=a.tflite"], 2, "end in .onnx"),
        (["export", "dcgan_digits", "--format=tflite"], 2, "--format=tflite"),
        (["publish"], 2, "--workdir=RUN or --mirror=FOLDER"),
        (["publish", "--workdir=a", "--mirror=b"], 2, "--workdir=RUN or --mirror=FOLDER"),
        (["publish", "--workdir=a", "dcgan_mnist"], 2, "unexpected 'dcgan_mnist'"),
        (["publish", "--workdir=nowhere"], 1, "final.safetensors"),
        (["publish", "--mirror=m", "dcgan_lsun"], 1, "dcgan_lsun"),
    ],
)
def test_wrong_command_lines_end_in_one_clear_line(cli_run, words, code, message):
    found, out, err = cli_run(*words)
    assert found == code
    assert message in one_line(err) and len(err.splitlines()) == 1
    assert not out


def command_that(monkeypatch, run):
    made = Command(name="list", summary="", text="", run=run)
    monkeypatch.setattr(commands, "command", lambda name: made)


def test_a_bug_shows_its_traceback_only_with_debug(cli_run, monkeypatch):
    def run(options):
        raise AttributeError("of none")

    command_that(monkeypatch, run)
    code, _, err = cli_run("list")
    assert code == 1 and "internal error, AttributeError: of none" in one_line(err)
    code, _, err = cli_run("list", "--debug")
    assert code == 1 and err.startswith("Traceback") and "of none" in err


@pytest.mark.filterwarnings("default")
def test_errors_and_warnings_of_several_lines_become_one(cli_run, monkeypatch):
    def run(options):
        import warnings

        warnings.warn("first\nsecond", stacklevel=1)
        raise FloatingPointError("third\n  fourth")

    command_that(monkeypatch, run)
    _, _, err = cli_run("list")
    assert err == "ganzoo: warning: first second\nganzoo: third fourth\n"


def test_interruption_exits_130(cli_run, monkeypatch):
    def run(options):
        raise KeyboardInterrupt

    command_that(monkeypatch, run)
    code, _, err = cli_run("list")
    assert code == 130 and one_line(err) == "ganzoo: interrupted"


def test_list_is_a_table_of_the_entries_that_match(cli_run):
    code, out, _ = cli_run("list", "dcgan*mnist")
    head, *rows = out.splitlines()
    assert code == 0 and head.split() == ["NAME", "DATA", "SIZE", "WEIGHTS", "LABELS", "SUMMARY"]
    assert [row.split()[0] for row in rows] == ["dcgan_fashion_mnist", "dcgan_mnist"]
    assert rows[1].split()[1:3] == ["mnist", "28px"]


def test_list_pretrained_leaves_out_what_has_no_weights(cli_run, tiny_zoo):
    assert "tiny" in cli_run("list")[1]
    code, out, err = cli_run("list", "--pretrained")
    assert code == 1 and not out and "has published weights" in one_line(err)


def test_info_is_what_the_package_says(cli_run):
    assert cli_run("info", "dcgan_digits")[1].rstrip() == str(ganzoo.info("dcgan_digits")).rstrip()


def test_list_info_and_help_need_no_tensorflow_and_a_second_at_most():
    script = (
        "import sys, time\n"
        "from ganzoo.cli import main\n"
        "assert not main(['list'])\n"
        "assert time.process_time() < 1, time.process_time()\n"
        "main(['info', 'dcgan_mnist']); main(['train', '--help']); main(['demo', '--help'])\n"
        "heavy = {'tensorflow', 'keras', 'sklearn'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, cwd=ROOT
    )
    assert not done.returncode, done.stderr
    assert not done.stderr


def test_a_reader_that_stops_early_is_no_error():
    command = f"{sys.executable} -m ganzoo list | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT)
    assert not done.stderr
