"""A screen for benchmarks that open the real window: the one there is, else a made-up one."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from shutil import which

from napari_mmseg.errors import InputError

#: Room for two windows side by side.
SCREEN = "3200x1100x24"


@contextlib.contextmanager
def display() -> Iterator[None]:
    """Start Xvfb where there is no screen (Linux only), and end it afterwards.

    Raises
    ------
    InputError
        When there is neither a screen nor Xvfb.
    """
    if sys.platform != "linux" or os.environ.get("DISPLAY"):
        yield
        return
    if which("Xvfb") is None:
        raise InputError("there is no screen and no Xvfb: install xvfb, or run on a desktop")
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", SCREEN, "-nolisten", "tcp"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as told:
            number = told.readline().strip()
        if not number:
            raise InputError("Xvfb did not start: run it by hand to see why")
        with environment(DISPLAY=f":{number}", QT_QPA_PLATFORM="xcb", LIBGL_ALWAYS_SOFTWARE="1"):
            yield
    finally:
        server.terminate()
        server.wait()


@contextlib.contextmanager
def environment(**values: str) -> Iterator[None]:
    """Environment variables for as long as this lasts."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
