"""Who is working on a work file: a small file beside it, with a heartbeat."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputError

#: How often the holder says that it is alive, and after how long a silence it counts as gone (s).
BEAT_SECONDS = 5.0
STALE_SECONDS = 30.0


class InUse(InputError):
    """Another window works on the file. `holder` says which, such as "desk7 (process 4321)"."""

    def __init__(self, holder: str) -> None:
        super().__init__(
            f"this case is open in another window, on {holder}: it is read-only here; close that "
            "one and open the case here again to work on it"
        )
        self.holder = holder


@dataclass(frozen=True)
class Holder:
    """Who holds a lock: a computer, a process on it, and a word that no other holder has."""

    host: str
    pid: int
    began: float
    token: str

    def __str__(self) -> str:
        return f"{self.host} (process {self.pid})"

    @property
    def is_gone(self) -> bool:
        """Is this a process of this computer that has ended?"""
        return self.host == _host() and _began(self.pid) != self.began


class Lock:
    """The right to write a work file, until `release`."""

    def __init__(self, file: Path, holder: Holder) -> None:
        self.file = file
        self.holder = holder

    @classmethod
    def take(cls, work_file: Path) -> Lock:
        """Become the one who writes; a lock whose holder is gone or silent is taken over.

        Raises
        ------
        InUse
            When somebody else is.
        OSError
            When the folder cannot be written.
        """
        file = lock_file(work_file)
        me = Holder(_host(), os.getpid(), _began(os.getpid()), secrets.token_hex(8))
        aside = file.with_name(f"{file.name}.{me.token}")
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(aside, me)
        try:
            if not _claim(aside, file):
                holder = read_holder(file)
                silent = _seconds_between(file, aside)
                if holder is not None and not holder.is_gone and silent < STALE_SECONDS:
                    raise InUse(str(holder))
                _take_over(aside, file, me)
        finally:
            aside.unlink(missing_ok=True)
        return cls(file, me)

    def beat(self) -> Holder | None:
        """Say that we are alive; the other holder when the lock was taken over.

        Raises
        ------
        OSError
            When the folder cannot be reached.
        """
        holder = read_holder(self.file)
        if holder is not None and holder.token != self.holder.token:
            return holder
        if holder is None:  # deleted by hand: put it back
            _write(self.file, self.holder)
        os.utime(self.file)
        return None

    def release(self) -> None:
        with contextlib.suppress(OSError):
            holder = read_holder(self.file)
            if holder is not None and holder.token == self.holder.token:
                self.file.unlink()


def lock_file(work_file: Path) -> Path:
    return work_file.with_name(f"{work_file.name}.lock")


def read_holder(file: Path) -> Holder | None:
    """Who holds the lock; None when there is none or it cannot be understood."""
    try:
        told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return Holder(str(told["host"]), int(told["pid"]), float(told["began"]), str(told["token"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _claim(aside: Path, file: Path) -> bool:
    """Put our lock in place, unless there is one already."""
    try:
        os.link(aside, file)  # whole at once, and never over another's
        return True
    except FileExistsError:
        return False
    except OSError:  # no hard links here: an exclusive new file does nearly as well
        try:
            with file.open("x", encoding="utf-8") as new:
                new.write(aside.read_text(encoding="utf-8"))
            return True
        except FileExistsError:
            return False


def _take_over(aside: Path, file: Path, me: Holder) -> None:
    """Replace a stale lock; of two who try at once the last wins, and both look who it was."""
    aside.replace(file)
    time.sleep(0.05)
    holder = read_holder(file)
    if holder is not None and holder.token != me.token:
        raise InUse(str(holder))


def _write(file: Path, holder: Holder) -> None:
    told = {
        "host": holder.host,
        "pid": holder.pid,
        "began": holder.began,
        "token": holder.token,
    }
    with file.open("w", encoding="utf-8") as out:
        json.dump(told, out)


def _seconds_between(old: Path, new: Path) -> float:
    """How much older a file is; both times are the file server's, so clocks need not agree."""
    try:
        return new.stat().st_mtime - old.stat().st_mtime
    except OSError:
        return STALE_SECONDS


def _host() -> str:
    import platform

    return platform.node() or "a computer without a name"


def _began(pid: int) -> float:
    """When a process of this computer began; 0 when there is none (numbers are used again)."""
    import psutil

    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return 0.0
    except psutil.Error:
        return -1.0
