"""The command itself, as the operating system starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from napari_mmseg import __version__
from napari_mmseg.cli import EXIT_INTERRUPTED, main

COMMANDS = ("view", "info", "segment", "evaluate", "convert", "train", "doctor")


def start(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "napari_mmseg", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=environment or None,
        timeout=120,
    )


def test_help_names_every_command():
    done = start("--help")
    assert done.returncode == 0
    for command in COMMANDS:
        assert command in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(run, command):
    outcome = run(command, "--help")
    assert outcome.code == 0
    assert "Usage:" in outcome.out
    assert "╭" not in outcome.out


def test_version(run):
    assert run("--version").out == f"napari-mmseg {__version__}\n"


def test_an_unknown_command_is_wrong_usage():
    done = start("segmnet")
    assert (done.returncode, done.stdout) == (2, "")
    assert "segmnet" in done.stderr


def test_a_refusal_of_the_real_program_is_one_line_and_exit_1(tmp_path):
    done = start("info", tmp_path, "--json")
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_a_pipe_that_knows_one_alphabet_only(case_folder):
    folder = case_folder.rename(case_folder.with_name("患者 Müller"))

    def say(*options):
        program = [sys.executable, "-m", "napari_mmseg", "info", str(folder), *options]
        environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
        return subprocess.run(
            program, capture_output=True, check=True, env=environment, timeout=120
        ).stdout.decode("cp1252")

    assert r"\u60a3\u8005 Müller" in say()
    assert json.loads(say("--json"))["case"] == folder.name


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other pipes")
def test_a_reader_that_leaves_early_is_no_error(case_folder):
    read_end, write_end = os.pipe()
    os.close(read_end)
    program = [sys.executable, "-m", "napari_mmseg", "info", str(case_folder)]
    done = subprocess.run(
        program, stdout=write_end, stderr=subprocess.PIPE, text=True, timeout=120, check=False
    )
    os.close(write_end)
    assert done.stderr == ""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a screen is told by DISPLAY")
@pytest.mark.parametrize("arguments", [(), ("view",)])
def test_without_a_screen_the_viewer_is_refused(arguments):
    done = start(*arguments, PATH="/usr/bin:/bin")
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert "no screen" in done.stderr


def test_info_of_the_real_program(case_folder):
    facts = json.loads(start("info", case_folder, "--json").stdout)
    assert facts["missing"] == []


def test_ctrl_c_while_it_starts_leaves_no_traceback(monkeypatch, capsys):
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("napari_mmseg.cli.output.speak_any_alphabet", interrupted)
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == EXIT_INTERRUPTED
    assert capsys.readouterr().err == ""
