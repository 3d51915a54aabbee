"""What is installed on this machine, what is missing, and how to get it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .cores import usable_cores

if TYPE_CHECKING:
    from .models import Card

#: A whole brain in one pass needs about this much free memory (bytes); with less it goes in tiles.
COMFORTABLE_MEMORY = 4 * 10**9

#: Asking another interpreter about Qt takes about a second; this long means that it hangs.
QT_TIMEOUT_S = 60

_QT_PROGRAM = """
import qtpy
from qtpy import QtGui, QtWidgets
print(qtpy.API_NAME, QtGui.__name__ and qtpy.QT_VERSION)
"""


_REINSTALL = "pip install --force-reinstall --no-deps napari-mmseg"


@dataclass(frozen=True)
class Finding:
    """One line of the examination; `remedy` says how to get what is missing."""

    name: str
    value: str
    ok: bool = True
    remedy: str = ""


def examine() -> list[Finding]:
    """Look at everything that the program needs. Takes a few seconds, opens no socket."""
    return [
        Finding("napari-mmseg", _version("napari-mmseg") or "not installed"),
        Finding("Python", f"{platform.python_version()} on {platform.platform(terse=True)}"),
        *_processor(),
        *_viewer(),
        _openvino(),
        _torch(),
        *_models(),
        _cache(),
    ]


def machine() -> dict[str, Any]:
    """The machine in a few plain values, to stand beside every measurement."""
    import psutil

    return {
        "processor": processor_name(),
        "cores": usable_cores(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
    }


def processor_name() -> str:
    """The processor's name as its maker wrote it, as far as the system tells."""
    if sys.platform.startswith("linux"):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return platform.processor() or platform.machine()


def _processor() -> Iterator[Finding]:
    import psutil

    yield Finding("processor", f"{processor_name()}, {usable_cores()} cores usable")
    memory = psutil.virtual_memory()
    roomy = memory.available >= COMFORTABLE_MEMORY
    yield Finding(
        "memory",
        f"{memory.total / 1e9:.1f} GB, {memory.available / 1e9:.1f} GB free",
        ok=roomy,
        remedy=""
        if roomy
        else f"close other programs: below {COMFORTABLE_MEMORY / 1e9:.0f} GB free the brain is "
        "segmented in tiles, which is slower",
    )


def _viewer() -> Iterator[Finding]:
    version = _version("napari")
    yield Finding(
        "napari",
        version or "not installed",
        ok=version is not None,
        remedy="" if version else 'pip install "napari>=0.9"',
    )
    # In another process: a broken Qt may abort the interpreter instead of raising.
    try:
        asked = subprocess.run(
            [sys.executable, "-c", _QT_PROGRAM],
            capture_output=True,
            text=True,
            timeout=QT_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        yield Finding("Qt", "does not answer", False, 'pip install --force-reinstall "pyqt6"')
        return
    if asked.returncode == 0:
        yield Finding("Qt", asked.stdout.strip())
    else:
        yield _broken_qt(asked.stderr)
    if sys.platform.startswith("linux"):
        screen = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
        yield Finding(
            "screen",
            screen or "none",
            ok=bool(screen),
            remedy=""
            if screen
            else "the command line works; for the viewer use a desktop session, or "
            "xvfb-run (apt-get install xvfb xauth) for screenshots",
        )


def _broken_qt(message: str) -> Finding:
    lines = message.strip().splitlines()
    reason = lines[-1] if lines else "it ended without a word"
    if "lib" in reason and "cannot open shared object" in reason:
        remedy = (
            "install Qt's system libraries: apt-get install libgl1 libegl1 libopengl0 "
            "libxkbcommon-x11-0 libxcb-cursor0 libdbus-1-3"
        )
        return Finding("Qt", reason, False, remedy)
    return Finding("Qt", f"no binding found ({reason})", False, 'pip install "napari-mmseg[qt]"')


def _openvino() -> Finding:
    try:
        from .inference.quiet import load_openvino

        openvino = load_openvino()
    except ImportError as error:
        return Finding("OpenVINO", str(error), False, 'pip install "openvino>=2025.0"')
    core = openvino.Core()
    able = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    precision = "bf16" if "BF16" in able else "fp32 only: this processor has no bf16"
    return Finding(
        "OpenVINO",
        f"{_version('openvino')}, devices {', '.join(core.available_devices)}; {precision}",
    )


def _torch() -> Finding:
    try:
        import torch
    except ImportError as error:
        return Finding(
            "torch", str(error), False, "pip install torch (needed for a GPU and for training)"
        )
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        return Finding("torch", f"{torch.__version__}, CUDA on {', '.join(names)}")
    if shutil.which("nvidia-smi") is None:
        return Finding("torch", f"{torch.__version__}, no CUDA GPU here: the processor is used")
    return Finding(
        "torch",
        f"{torch.__version__}, which cannot use the NVIDIA GPU of this machine",
        False,
        "install torch's CUDA build, see https://pytorch.org/get-started/locally",
    )


def _models() -> Iterator[Finding]:
    from .errors import ModelError
    from .models import DEFAULT_MODEL, available, load_card

    cards = available()
    if DEFAULT_MODEL not in [card.name for card in cards]:
        try:
            load_card(DEFAULT_MODEL)
        except ModelError as error:
            yield Finding(f"model {DEFAULT_MODEL}", str(error), False, _REINSTALL)
    for card in cards:
        yield _model(card)


def _model(card: Card) -> Finding:
    from .errors import ModelError

    try:
        for name in card.files:
            card.read_verified(name)
    except ModelError as error:
        return Finding(f"model {card.name}", str(error), False, _REINSTALL)
    return Finding(f"model {card.name}", f"version {card.version}, files match their hashes")


def _cache() -> Finding:
    from .cache import CACHE_VARIABLE, cache_folder

    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Finding(
            "cache",
            f"{folder} cannot be written ({error.strerror})",
            False,
            f"set {CACHE_VARIABLE} to a folder that you may write to",
        )
    free = shutil.disk_usage(folder).free
    return Finding("cache", f"{folder}, {free / 1e9:.1f} GB free")


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
