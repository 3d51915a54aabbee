"""How much memory this process may still take, and how much a network wants."""

from __future__ import annotations

from pathlib import Path

from ..models import Network
from ..models.networks import RELATIVE_MEMORY

_CGROUP = Path("/sys/fs/cgroup")


def free_bytes() -> int:
    """Bytes of main memory that are free, within a container's limit where there is one.

    psutil knows the machine only; Linux kills what goes over its cgroup's limit (version 2 files).
    Pages of files that were read count as used there until they are needed, though they are given
    up at once: those that are not in use are taken as free.
    """
    import psutil

    free = int(psutil.virtual_memory().available)
    try:
        limit = (_CGROUP / "memory.max").read_text(encoding="ascii").strip()
        used = int((_CGROUP / "memory.current").read_text(encoding="ascii"))
        rows = (_CGROUP / "memory.stat").read_text(encoding="ascii").splitlines()
        unused_pages = int(dict(row.split() for row in rows)["inactive_file"])
    except (OSError, ValueError, KeyError):
        return free  # not Linux, or no limit set for this process
    return free if limit == "max" else min(free, int(limit) - used + unused_pages)


def channels_held(network: Network) -> float:
    """The base of the U-Net whose pass would take as much memory as one of this network."""
    return network.base * RELATIVE_MEMORY.get(network.kind, 1.0)
