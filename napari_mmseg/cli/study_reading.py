"""`napari-mmseg study open`, `submit` and what else is done with a single reading."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .output import counted, quiet_stdout
from .study import Folder
from .view import open_sitting

if TYPE_CHECKING:
    from ..study import Reading

Rater = Annotated[str, typer.Option("--rater", metavar="NAME", help="Your pseudonym.")]
Item = Annotated[str, typer.Argument(metavar="ITEM", help="The reading's name.")]
Items = Annotated[list[str], typer.Argument(metavar="ITEM...", help="The readings' names.")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Your pseudonym.")]
Confidence = Annotated[
    int | None,
    typer.Option("--confidence", metavar="1-5", help="How sure: 1 a guess, 5 certain."),
]
Comment = Annotated[str, typer.Option("--comment", metavar="TEXT", help="Kept with the reading.")]
Screenshot = Annotated[
    Path | None,
    typer.Option(metavar="PNG", help="Save a picture of the window there and close it."),
]


def open_reading(
    folder: Folder,
    rater: Rater,
    item: Annotated[
        str | None,
        typer.Argument(
            metavar="ITEM", help="The reading's name.", show_default="the next unfinished"
        ),
    ] = None,
    screenshot: Screenshot = None,
) -> None:
    """Open a reading in the viewer; work goes on where it was."""
    from ..study import load_study, open_item

    with quiet_stdout():
        sitting = open_item(load_study(folder), rater, item)
    typer.echo(f"reading {sitting.item}", err=True)
    open_sitting(sitting, screenshot)


def review(folder: Folder, by: By, item: Item, screenshot: Screenshot = None) -> None:
    """Look at anybody's reading; that is written down, and nothing can be changed."""
    from ..study import load_study, open_review

    with quiet_stdout():
        sitting = open_review(load_study(folder), by, item)
    open_sitting(sitting, screenshot)


def submit(
    folder: Folder,
    rater: Rater,
    item: Item,
    confidence: Confidence = None,
    comment: Comment = "",
    not_gradable: Annotated[
        str,
        typer.Option("--not-gradable", metavar="WHY", help="No reading is possible, and why."),
    ] = "",
) -> None:
    """Hand a reading in."""
    from ..study import load_study
    from ..study import submit as hand_in
    from ..study.states import CONFIDENCES

    if confidence is not None and confidence not in CONFIDENCES:
        raise typer.BadParameter(
            f"a confidence is a whole number from 1 to 5, not {confidence}",
            param_hint="--confidence",
        )
    _tell(
        hand_in(
            load_study(folder),
            rater,
            item,
            confidence=confidence,
            comment=comment,
            not_gradable=not_gradable,
        )
    )


def reopen(
    folder: Folder,
    rater: Rater,
    item: Item,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")] = "",
) -> None:
    """Take a submitted reading back to change it; that is logged."""
    from ..study import load_study
    from ..study import reopen as take_back

    _tell(take_back(load_study(folder), rater, item, reason))


def lock(folder: Folder, by: By, items: Items) -> None:
    """Take submitted readings: their raters can change them no more."""
    from ..study import load_study
    from ..study import lock as take

    typer.echo(f"{counted(len(take(load_study(folder), items, by)), 'reading')} locked")


def unlock(folder: Folder, by: By, items: Items) -> None:
    """Give locked readings back to their raters."""
    from ..study import load_study
    from ..study import unlock as give_back

    typer.echo(f"{counted(len(give_back(load_study(folder), items, by)), 'reading')} unlocked")


def sign(folder: Folder, by: By, items: Items) -> None:
    """Vouch for locked readings."""
    from ..study import load_study, sign_off

    signed = sign_off(load_study(folder), items, by)
    typer.echo(f"{counted(len(signed), 'reading')} signed off")


def _tell(reading: Reading) -> None:
    typer.echo(f"reading {reading.item} is {reading.state}")
