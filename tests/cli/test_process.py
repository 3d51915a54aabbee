"""What a process has cost: measured from outside, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

_PROGRAM = """
import json, time
import numpy as np
from napari_mmseg.cli.process import peak_rss_mb, seconds_since_start
before = peak_rss_mb()
held = np.ones(100_000_000, np.uint8)
del held
print(json.dumps([before, peak_rss_mb(), seconds_since_start()]))
"""


def test_peak_memory_and_wall_time_of_a_process():
    ballast = bytearray(300_000_000)  # a child must not inherit its parent's peak
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True
    )
    wall = time.perf_counter() - started
    before, after, seconds = json.loads(done.stdout)
    assert len(ballast) == 300_000_000
    assert before < 200
    assert after - before == pytest.approx(100, abs=15)
    assert 0.02 < seconds <= wall + 0.02
    assert seconds > wall / 2
