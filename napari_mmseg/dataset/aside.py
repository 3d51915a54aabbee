"""A folder that is written aside and renamed when it is whole; leftovers of the dead are swept."""

from __future__ import annotations

import contextlib
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from ..journal.lock import Lock, lock_file, read_holder

#: Beside this name in a folder aside lies who writes it, for as long as it is written.
_WRITER = ".writer"


@contextlib.contextmanager
def written_aside(out: Path) -> Iterator[Path]:
    """A new hidden folder beside `out`, which becomes `out` when the block ends without an error.

    After an error nothing is left of it. A killed program leaves its own behind, with its name in
    it: the next that writes the same `out` on that computer takes it away.

    Raises
    ------
    OSError
        When it cannot be made or renamed.
    """
    sweep(out)
    aside = out.with_name(f".{secrets.token_hex(4)}.part.{out.name}")
    try:
        writer = Lock.take(aside / _WRITER)  # it makes the folder too
        try:
            yield aside
        finally:
            writer.release()
        aside.rename(out)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def sweep(out: Path) -> None:
    """Take away what writers of `out` left that are dead.

    What somebody still writes stays, and so does what another computer left: nobody here can
    tell whether its writer is alive.
    """
    own = re.compile(rf"\.[0-9a-f]{{8}}\.part\.{re.escape(out.name)}")
    for folder in [f for f in out.parent.iterdir() if own.fullmatch(f.name) and f.is_dir()]:
        name_of_writer = lock_file(folder / _WRITER)
        holder = read_holder(name_of_writer)
        if holder is None or not holder.is_gone:
            continue
        # The name goes last: whoever is killed in the middle of this leaves it to the next.
        for entry in [e for e in folder.iterdir() if e != name_of_writer]:
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
