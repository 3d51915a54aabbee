"""No command opens a connection. `CI` is unset: some libraries' telemetry is off only there."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

#: Commands run in one interpreter that writes down every connection and name look-up.
_PROGRAM = """
import json, socket, sys
calls = []

def watch(event, arguments):
    if event == "socket.getaddrinfo":
        calls.append([event, repr(arguments[0])])
    elif event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        if not isinstance(address, (str, bytes)):  # those are pipes on this machine
            calls.append([event, repr(address)])

sys.addaudithook(watch)
from napari_mmseg.cli.app import app

codes = []
for arguments in json.loads(sys.argv[1]):
    try:
        app(arguments, prog_name="napari-mmseg")
    except SystemExit as left:
        codes.append(left.code)
print(json.dumps({"codes": codes, "calls": calls}), file=sys.stderr)
"""


def watched(*commands: list[str], **variables: str) -> dict:
    environment = {k: v for k, v in os.environ.items() if k not in ("CI", "GITHUB_ACTIONS")}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, json.dumps(commands)],
        capture_output=True,
        text=True,
        check=True,
        env=environment | variables,
        timeout=120,
    )
    return json.loads(done.stderr.splitlines()[-1])


def test_the_watch_sees_a_connection(tmp_path):
    program = _PROGRAM.replace(
        "codes = []",
        "codes = []\nsocket.socket().connect_ex(('127.0.0.1', 9))",
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "[]"], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stderr)["calls"] == [["socket.connect", "('127.0.0.1', 9)"]]


@pytest.mark.parametrize("command", ["info", "evaluate", "convert", "doctor"])
def test_a_command_opens_no_connection(tmp_path, case_folder, label_file, command):
    arguments = {
        "info": [str(case_folder)],
        "evaluate": [str(label_file), str(label_file), "--json"],
        "convert": [str(label_file), str(tmp_path / "out.nrrd"), "--to", "depth"],
        "doctor": ["--json"],
    }
    seen = watched([command, *arguments[command]])
    assert seen == {"codes": [0], "calls": []}


def test_segment_opens_no_connection(tmp_path, case_folder):
    from napari_mmseg.models import available

    if not available():
        pytest.skip("no model is installed")
    arguments = ["segment", str(case_folder), "--out", str(tmp_path / "out.nii.gz"), "--json"]
    seen = watched(arguments, NAPARI_MMSEG_CACHE=str(tmp_path / "cache"))
    assert seen == {"codes": [0], "calls": []}
    assert (tmp_path / "out.nii.gz").exists()
