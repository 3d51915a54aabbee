"""Keep the memory of a training in the process instead of giving it back after every layer.

glibc maps each big tensor afresh and returns it to the kernel at once; a training step then
spends a fifth of its time on page faults (2.20 s a step of two 80x96x80 crops on 2 cores, 1.60 s
with the settings below). They are read when a process starts, so the program starts itself anew
once, in the same process, with them in its environment; its workers inherit them. The training
then holds what it once needed (about 6 GB for the shipped network) until it ends.

Nothing happens at import, for other commands, or where the C library is not glibc.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "GLIBC_TUNABLES"

#: Names and values of glibc's "Memory Allocation Tunables" (glibc manual, section 39.2).
TUNABLES: Mapping[str, str] = {
    "glibc.malloc.arena_max": "1",  # one pool for all threads: they hand memory to each other
    "glibc.malloc.hugetlb": "1",  # ask for transparent huge pages
    "glibc.malloc.mmap_max": "0",  # no block with a mapping of its own
    "glibc.malloc.trim_threshold": "100000000000",  # bytes: the pool never shrinks
}

#: Set in the process that was started anew, so that it happens once whatever the settings do.
MARK = "NAPARI_MMSEG_MEMORY"


def held_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` with the settings added; what the user has set there stays."""
    given = environment.get(VARIABLE, "")
    named = {item.partition("=")[0] for item in given.split(":") if item}
    if "MALLOC_ARENA_MAX" in environment:
        named.add("glibc.malloc.arena_max")  # its older name
    added = [f"{name}={value}" for name, value in TUNABLES.items() if name not in named]
    joined = ":".join(([given] if given else []) + added)
    return {**environment, VARIABLE: joined, MARK: "held"}


def is_held(environment: Mapping[str, str] | None = None) -> bool:
    """Does this process (or one with `environment`) keep its memory?"""
    named = (os.environ if environment is None else environment).get(VARIABLE, "")
    return "glibc.malloc.mmap_max=0" in named.split(":")


def hold_memory() -> None:
    """Start this program anew with the settings, unless it has them; the process id stays.

    Only the command line's own process is replaced: called from another program (a notebook, a
    test) it does nothing.
    """
    if not _wanted(sys.argv, os.environ):
        return
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], held_environment(os.environ))


def _wanted(arguments: list[str], environment: Mapping[str, str]) -> bool:
    if MARK in environment or is_held(environment) or not _on_glibc():
        return False
    program = Path(arguments[0]) if arguments else Path()
    is_module = program.parts[-2:] == ("napari_mmseg", "__main__.py") or program.parts[-3:] in (
        ("napari_mmseg", "cli", "__main__.py"),
        ("napari_mmseg", "training", "__main__.py"),
    )
    return program.name == "napari-mmseg" or is_module


def _on_glibc() -> bool:
    return sys.platform == "linux" and platform.libc_ver()[0] == "glibc"
