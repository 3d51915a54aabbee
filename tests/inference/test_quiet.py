"""OpenVINO must not report anybody's use of it: this program is offline."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

WATCH = (
    "import os, socket, time\n"
    "def refuse(*a, **k): print('a socket was opened', flush=True); os._exit(3)\n"
    "socket.socket.connect = socket.socket.connect_ex = socket.create_connection = refuse\n"
    "socket.getaddrinfo = refuse\n"
)


@pytest.mark.parametrize(
    "load",
    [
        "from napari_mmseg.inference.quiet import load_openvino; load_openvino().Core()\n",
        "from napari_mmseg.doctor import _openvino; _openvino()\n",
    ],
    ids=["engine", "doctor"],
)
def test_openvino_opens_no_socket(load: str) -> None:
    # Without CI in the environment: the reports are off there anyway.
    environment = {key: value for key, value in os.environ.items() if key != "CI"}
    done = subprocess.run(
        [sys.executable, "-c", WATCH + load + "time.sleep(1)\nprint('quiet')\n"],
        capture_output=True, text=True, env=environment, timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "quiet", done.stdout + done.stderr
