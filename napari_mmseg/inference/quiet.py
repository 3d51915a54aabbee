"""OpenVINO without its usage reports.

`import openvino` alone posts an event to www.google-analytics.com (seen with openvino 2026.4 and
openvino-telemetry 2025.2, outside CI), and its converter posts more. Where the telemetry package
cannot be imported OpenVINO falls back to a stub of its own that does nothing; so here it cannot.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

_TELEMETRY = "openvino_telemetry"
_STUB = "openvino.tools.ovc.telemetry_stub"
_SENDERS = tuple(
    f"openvino.tools.ovc.{name}" for name in ("main", "convert_impl", "telemetry_utils", "utils")
)


def load_openvino() -> ModuleType:
    """The `openvino` module, imported so that neither it nor its converter opens a socket.

    Where another package imported it first, its telemetry is replaced by the stub from here on.
    """
    if "openvino" in sys.modules:
        openvino = sys.modules["openvino"]
        stub = importlib.import_module(_STUB)
        for name in _SENDERS:
            sender = sys.modules.get(name)
            if sender is not None and getattr(sender, "tm", stub) is not stub:
                setattr(sender, "tm", stub)  # noqa: B010
        return openvino
    before = sys.modules.get(_TELEMETRY)
    sys.modules[_TELEMETRY] = None  # type: ignore[assignment]
    try:
        return importlib.import_module("openvino")
    finally:
        if before is None:
            del sys.modules[_TELEMETRY]
        else:
            sys.modules[_TELEMETRY] = before
