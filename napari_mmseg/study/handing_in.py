"""A reading handed in, taken back, locked and signed: which step may follow which."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence

from ..errors import InputError
from ..journal import load_work
from ..journal.lock import STALE_SECONDS, lock_file, read_holder
from .digest import digest_of
from .log import add_line, add_lines
from .names import checked_name
from .reading import Reading
from .states import State, checked_words
from .study import LEDGER, Study
from .turns import turn_at


def submit(
    study: Study,
    rater: str,
    item: str,
    *,
    confidence: int | None = None,
    comment: str = "",
    not_gradable: str = "",
) -> Reading:
    """Hand a reading in, as its work file is now (a session that is open has to be written first).

    Parameters
    ----------
    confidence
        1 to 5.
    not_gradable
        Why no reading is possible; empty: it is.

    Raises
    ------
    InputError
        When it is submitted already, its file is open in another program, or the proposal that
        it begins with is not made yet.
    ExportError
        When it cannot be written.
    """
    words = checked_words(confidence, comment, not_gradable)
    reading = study.reading(rater, item)
    if reading.state.is_finished:
        raise InputError(f"reading {item} is {reading.state} already: nothing was changed")
    if reading.proposal_shown and not study.cases[reading.case].proposal and not not_gradable:
        # Untouched labels are the proposal's: it would decide later what was handed in now.
        raise InputError(
            f"reading {item} begins with the model's proposal, which is not there yet: whoever "
            "runs the study makes it with napari-mmseg study propose"
        )
    _refuse_if_open_elsewhere(study, reading)
    told = {"deed": "submit", **words, "codes": codes_digest(reading)}
    add_line(study.log_file(study.assignment(rater, item)), told)
    return study.reading(rater, item)


def note(
    study: Study, rater: str, item: str, *, confidence: int | None = None, comment: str = ""
) -> Reading:
    """Keep a confidence or a comment with a reading that is not handed in yet.

    Raises
    ------
    InputError
        When it is handed in, or nothing is said.
    ExportError
        When it cannot be written.
    """
    words = checked_words(confidence, comment, "")
    if not words:
        raise InputError("nothing was said: give a confidence or a comment")
    reading = study.reading(rater, item)
    if reading.state.is_finished:
        raise InputError(f"reading {item} is {reading.state}: reopen it to say more")
    add_line(study.log_file(study.assignment(rater, item)), {"deed": "note", **words})
    return study.reading(rater, item)


def reopen(study: Study, rater: str, item: str, reason: str = "") -> Reading:
    """Take a submitted reading back to change it; that is kept in its log.

    Raises
    ------
    InputError
        When it is not submitted, or locked.
    ExportError
        When it cannot be written.
    """
    reading = study.reading(rater, item)
    if reading.state in (State.LOCKED, State.SIGNED_OFF):
        raise InputError(
            f"reading {item} is {reading.state}: ask whoever runs the study to unlock it"
        )
    if reading.state is not State.SUBMITTED:
        raise InputError(f"reading {item} is not submitted: it can be changed as it is")
    told = {"deed": "reopen", **({"reason": reason.strip()} if reason.strip() else {})}
    add_line(study.log_file(study.assignment(rater, item)), told)
    return study.reading(rater, item)


def lock(study: Study, items: Sequence[str], by: str) -> tuple[str, ...]:
    """Take submitted readings: their raters can reopen them no more. Returns what was locked.

    Raises
    ------
    InputError
        When one is not submitted; then none is locked.
    ExportError
        When the ledger cannot be written.
    """
    return _judge(study, items, by, "lock", (State.SUBMITTED,), "is {state}, not submitted")


def unlock(study: Study, items: Sequence[str], by: str) -> tuple[str, ...]:
    """Give locked or signed readings back to their raters, as submitted ones."""
    wanted = (State.LOCKED, State.SIGNED_OFF)
    return _judge(study, items, by, "unlock", wanted, "is {state}, not locked")


def sign_off(study: Study, items: Sequence[str], by: str) -> tuple[str, ...]:
    """Vouch for locked readings.

    Raises
    ------
    InputError
        When one is not locked; then none is signed.
    """
    wanted = (State.LOCKED,)
    return _judge(study, items, by, "sign", wanted, "is {state}, not locked: lock it first")


def codes_digest(reading: Reading) -> str:
    """A digest of the labels in a rater's own work file; empty when nothing was drawn."""
    if not reading.path.exists() or reading.path.stat().st_size == 0:
        return ""
    work, _ = load_work(reading.path)
    return digest_of(work.memory.codes)


def _judge(
    study: Study,
    items: Sequence[str],
    by: str,
    deed: str,
    wanted: tuple[State, ...],
    refusal: str,
) -> tuple[str, ...]:
    checked_name(by, "person")
    known = {reading.item: reading for reading in study.readings()}
    facts = []
    for item in items:
        reading = known.get(item)
        if reading is None:
            raise InputError(f"the study has no reading {item}: see napari-mmseg study status")
        if reading.state not in wanted:
            raise InputError(f"reading {item} {refusal.format(state=reading.state)}")
        facts.append({"item": item, "deed": deed, "word": reading.standing.word, "by": by})
    with turn_at(study.folder / LEDGER):
        add_lines(study.folder / LEDGER, facts)
    return tuple(items)


def _refuse_if_open_elsewhere(study: Study, reading: Reading) -> None:
    file = lock_file(reading.path)
    holder = read_holder(file)
    if holder is None or holder.is_gone or holder.pid == os.getpid():
        return
    with contextlib.suppress(OSError):
        if time.time() - file.stat().st_mtime > STALE_SECONDS:
            return
    raise InputError(
        f"reading {reading.item} is open in another window, on {holder}: submit it there, or "
        "close it first"
    )
