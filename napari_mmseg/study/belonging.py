"""Does a work file belong to the reading under whose name it lies?"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ..errors import InputError
from ..journal.header import Header, protocol_digest
from .assign import Assignment
from .peek import header_of
from .plan import CaseEntry

if TYPE_CHECKING:
    from .study import Study

_FINGERPRINT_BYTES = 10


def expected_fingerprint(assignment: Assignment, entry: CaseEntry) -> str:
    """What the work file of a reading says of its case: known to the study, and the same for no
    two readings, so that a repeat cannot be told by it.
    """
    told = repr((assignment.item, entry.fingerprint, assignment.mirrored)).encode()
    return hashlib.blake2b(told, digest_size=_FINGERPRINT_BYTES).hexdigest()


def work_problem(study: Study, assignment: Assignment) -> str:
    """Why a work file does not belong to a reading, in one sentence; empty when it does.

    Damage is no reason: opening the reading mends it.
    """
    path = study.work_file(assignment)
    if not path.exists() or path.stat().st_size == 0:
        return ""
    try:
        header = header_of(path)
    except InputError as refusal:
        return str(refusal)
    return header_problem(study, assignment, path.name, header)


def header_problem(study: Study, assignment: Assignment, name: str, header: Header) -> str:
    """The same of a work file's header; `name` is the file's."""
    entry = study.cases[assignment.case]
    if header.protocol_sha256 != protocol_digest(study.protocol):
        return other_protocol(name, header.protocol, study.protocol.name)
    if not header.grid.same_as(entry.grid):
        return f'"{name}" lies on another grid than its case: move it out of the study'
    if header.fingerprint != expected_fingerprint(assignment, entry):
        return f'"{name}" is the work on another case or reading: move it out of the study'
    if header.rater != assignment.rater:
        return f'"{name}" was made under another pseudonym: move it out of the study'
    return ""


def other_protocol(name: str, its: str, wanted: str) -> str:
    """The sentence for a work file whose codes mean something else."""
    return (
        f'"{name}" follows another protocol ({its}) than the study ({wanted}): move it out of the '
        "study"
    )
