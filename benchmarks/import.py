"""How long `import napari_mmseg` takes in a fresh interpreter, and what it drags in.

Keys: `seconds` (median of several interpreters), `heavy_modules` (should be empty).
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from typing import Any

#: Packages that a mere import must not load.
HEAVY = (
    "torch",
    "SimpleITK",
    "openvino",
    "qtpy",
    "PyQt5",
    "PyQt6",
    "PySide2",
    "PySide6",
    "napari",
    "vispy",
    "monai",
    "rich",
)
INTERPRETERS = 9

_PROGRAM = """
import json, sys, time
started = time.perf_counter()
import napari_mmseg
seconds = time.perf_counter() - started
print(json.dumps({"seconds": seconds, "modules": sorted(sys.modules)}))
"""


def run() -> dict[str, Any]:
    """Measure; the first interpreter warms the disk and is not counted."""
    runs = [_import_once() for _ in range(INTERPRETERS + 1)][1:]
    loaded = {name.partition(".")[0] for one in runs for name in one["modules"]}
    return {
        "seconds": statistics.median(one["seconds"] for one in runs),
        "heavy_modules": sorted(loaded.intersection(HEAVY)),
        "interpreters": INTERPRETERS,
    }


def _import_once() -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout))
