"""No command opens a connection. `CI` is unset: some libraries' telemetry is off only there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

#: Runs commands in one interpreter. Connections and name look-ups are written to a file, since
#: telemetry likes to send from a forked process.
_PROGRAM = """
import json, sys

def watch(event, arguments):
    if event == "socket.getaddrinfo":
        address = arguments[0]
    elif event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        if isinstance(address, (str, bytes)):
            return  # a pipe on this machine
    else:
        return
    with open(sys.argv[2], "a") as calls:
        calls.write(f"{event} {address!r}\\n")

sys.addaudithook(watch)
from napari_mmseg.cli.app import app

for arguments in json.loads(sys.argv[1]):
    try:
        app(arguments, prog_name="napari-mmseg")
    except SystemExit as left:
        assert left.code == 0, arguments
"""

_FORKED_CONNECTION = """
import multiprocessing, socket

def connect():
    socket.socket().connect_ex(("127.0.0.1", 9))

process = multiprocessing.get_context("fork").Process(target=connect)
process.start()
process.join()
"""


def connections(tmp_path: Path, *commands: list[str], then: str = "", **variables: str) -> str:
    """What the commands, and then the program `then`, tried to reach."""
    calls = tmp_path / "calls"
    environment = {k: v for k, v in os.environ.items() if k not in ("CI", "GITHUB_ACTIONS")}
    subprocess.run(
        [sys.executable, "-c", _PROGRAM + then, json.dumps(commands), str(calls)],
        capture_output=True,
        check=True,
        env=environment | variables,
        timeout=120,
    )
    return calls.read_text() if calls.exists() else ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")
def test_the_watch_sees_a_connection_of_a_forked_process(tmp_path):
    assert "127.0.0.1" in connections(tmp_path, then=_FORKED_CONNECTION)


@pytest.mark.parametrize("command", ["info", "evaluate", "convert", "doctor"])
def test_a_command_opens_no_connection(tmp_path, case_folder, label_file, command):
    arguments = {
        "info": [str(case_folder)],
        "evaluate": [str(label_file), str(label_file), "--json"],
        "convert": [str(label_file), str(tmp_path / "out.nrrd"), "--to", "depth"],
        "doctor": ["--json"],
    }
    assert connections(tmp_path, [command, *arguments[command]]) == ""


def test_segment_opens_no_connection(tmp_path, case_folder):
    from napari_mmseg.models import available

    if not available():
        pytest.skip("no model is installed")
    arguments = ["segment", str(case_folder), "--out", str(tmp_path / "out.nii.gz"), "--json"]
    assert connections(tmp_path, arguments, NAPARI_MMSEG_CACHE=str(tmp_path / "cache")) == ""
    assert (tmp_path / "out.nii.gz").exists()
