"""How much memory this process may still take."""

from __future__ import annotations

from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def free_bytes() -> int:
    """Bytes of main memory that are free, within a container's limit where there is one.

    psutil knows the machine only; Linux kills what goes over its cgroup's limit (version 2 files:
    memory.max and memory.current).
    """
    import psutil

    free = int(psutil.virtual_memory().available)
    try:
        limit = (_CGROUP / "memory.max").read_text(encoding="ascii").strip()
        used = int((_CGROUP / "memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return free  # not Linux, or no limit set for this process
    return free if limit == "max" else min(free, int(limit) - used)
