"""Somebody else's reading, opened to be looked at: allowed to few, and always written down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import InputError
from .log import add_line
from .names import checked_name
from .sitting import Sitting, seat
from .states import State
from .study import REVIEWS
from .turns import turn_at

if TYPE_CHECKING:
    from .reading import Reading
    from .study import Study


def reviewable(study: Study, reviewer: str) -> tuple[Reading, ...]:
    """All readings of the study that were begun, for whoever may look at them (see `open_review`).

    Raises
    ------
    InputError
        When the reviewer may not look.
    """
    _check_may_look(study, reviewer)
    return tuple(r for r in study.readings() if r.state is not State.WAITING)


def open_review(study: Study, reviewer: str, item: str) -> Sitting:
    """Open anybody's reading, read-only, after this was written to `review.jsonl`.

    Parameters
    ----------
    reviewer
        The pseudonym of who looks. A rater of the study may not while a reading of theirs is
        unfinished: they would no longer be blind.

    Raises
    ------
    InputError
        When there is no such reading, or the reviewer may not look.
    ExportError
        When it cannot be written down; then nothing is shown.
    """
    _check_may_look(study, reviewer)
    assignment = next((a for a in study.assignments if a.item == item), None)
    if assignment is None:
        raise InputError(f"the study has no reading {item}: see napari-mmseg study status")
    sitting = seat(
        study,
        assignment,
        read_only=f"Review of reading {item} by {assignment.rater}: it cannot be changed here.",
    )
    with turn_at(study.folder / REVIEWS):
        told = {"deed": "review", "by": reviewer, "item": item, "rater": assignment.rater}
        add_line(study.folder / REVIEWS, told)
    return sitting


def _check_may_look(study: Study, reviewer: str) -> None:
    checked_name(reviewer, "person")
    if reviewer in study.raters and study.next_item(reviewer) is not None:
        raise InputError(
            f"{reviewer} still has readings to finish: others' can be looked at once all are "
            "submitted"
        )
