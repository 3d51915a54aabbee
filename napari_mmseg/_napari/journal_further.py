"""Work files of the further labels of a case: one each, beside that of the first."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING

from ..errors import MmsegError
from .session import CaseSession, Track, blank

if TYPE_CHECKING:
    from ..editing import EditSession
    from ..journal import Journal, Place
    from ..journal.replay import Work


class FurtherWork:
    """Keeps the further labels of one open case, until `let_go`.

    Parameters
    ----------
    session
        The open case.
    place
        Where the first labels' work is kept.
    on_trouble
        Called with one sentence when a file cannot be written; in a writer's thread.
    warn
        Told in one sentence what cannot be kept or taken up.
    """

    def __init__(
        self,
        session: CaseSession,
        place: Place,
        on_trouble: Callable[[str], None],
        warn: Callable[[str], None],
    ) -> None:
        self._session, self._place = session, place
        self._on_trouble, self._warn = on_trouble, warn
        self._journals: dict[EditSession, Journal] = {}
        session.annotation_added.connect(self._begin)

    def take_up(self) -> list[str]:
        """Show the labels that were begun before, their eyes closed; what they are called."""
        from ..journal import further_paths, load_work

        found, first = [], self._session.tracks[0]
        for path in further_paths(self._place.file):
            try:
                work, _ = load_work(path)
                if work.header.fingerprint != self._place.fingerprint:
                    continue
                track = self._shown(work)
                track.edit.on_refused.append(self._warn)
                self._journals[track.edit] = self._opened(track, path.name)
            except (MmsegError, OSError, sqlite3.Error) as error:
                self._warn(f"Further labels of this case cannot be opened: {error}")
                continue
            found.append(track.layer.name)
        self._session.viewer.layers.selection.active = first.layer
        return found

    def journal_of(self, edit: EditSession) -> Journal | None:
        """What keeps an annotation; None for the first one and for those kept elsewhere."""
        return self._journals.get(edit)

    @property
    def journals(self) -> tuple[Journal, ...]:
        return tuple(self._journals.values())

    def let_go(self) -> bool:
        """Write the rest; False when something could not be written.

        Labels whose layer was taken out of the list do not come back with the case: their file is
        kept under another name.
        """
        from ..journal import set_aside

        self._session.annotation_added.disconnect(self._begin)
        shown = [t.edit for t in self._session.tracks if t.layer in self._session.viewer.layers]
        written = True
        for edit, journal in self._journals.items():
            can_write = journal.writer is not None
            written = journal.close() and written
            if can_write and edit not in shown and journal.path.exists():
                set_aside(journal.path)
        self._journals.clear()
        return written

    # Inside

    def _begin(self, track: Track) -> None:
        from ..journal import further_path
        from ..journal.lock import lock_file

        for number in count(2):
            path = further_path(self._place.file, number)
            if not path.exists() and not lock_file(path).exists():
                break
        try:
            self._journals[track.edit] = self._opened(track, path.name)
        except (MmsegError, OSError, sqlite3.Error) as error:
            self._warn(f"These labels are not kept in a work file: {error}")

    def _shown(self, work: Work) -> Track:
        protocol = work.header.load_protocol()
        name = work.header.layer or "Further labels"
        track = self._session.show_annotation(blank(self._session.case, protocol), name)
        track.layer.visible = False
        return track

    def _opened(self, track: Track, name: str) -> Journal:
        from ..journal import Journal

        place = self._place
        file = place.file.with_name(name)
        return Journal(
            track.edit, file, place.fingerprint, place.rater, self._on_trouble, track.layer.name
        )
