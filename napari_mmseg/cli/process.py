"""What this process has cost so far, as the operating system counts it."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

#: Where /proc/PID/stat tells the start (ticks since boot), counted after the name: see proc(5).
_START_TIME = 19


def seconds_since_start() -> float:
    """Wall time in seconds since the operating system started this process.

    The interpreter's own start and all imports are inside it; on Linux it is exact to 10 ms.
    """
    if sys.platform.startswith("linux"):
        # Not psutil: it adds the start to the boot time, which Linux tells in whole seconds.
        after_name = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2]
        started = int(after_name.split()[_START_TIME]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started
    import psutil

    return max(0.0, time.time() - psutil.Process().create_time())


def peak_rss_mb() -> float:
    """The most physical memory that this process has held, in MB (10^6 bytes)."""
    if sys.platform.startswith("linux"):
        # Not getrusage: its maximum survives exec, so a small child of a large parent reads large.
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    if sys.platform == "win32":
        import psutil

        return float(psutil.Process().memory_info().peak_wset / 1e6)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
