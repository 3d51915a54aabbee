"""`napari-mmseg study status` and `check`: how far the raters are, and what does not belong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .arguments import Json
from .output import number, print_json, print_table, print_warnings, quiet_stdout
from .refusal import EXIT_REFUSED
from .study import Folder

if TYPE_CHECKING:
    from ..study import Reading, Study


def status(
    folder: Folder,
    rater: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only this rater's work list, told blind."),
    ] = None,
    readings: Annotated[
        bool, typer.Option("--readings", help="Also every reading, with its case: not for raters.")
    ] = False,
    json: Json = False,
) -> None:
    """Show how far the raters are."""
    from ..study import load_study

    study = load_study(folder)
    if rater is not None:
        _show_worklist(study, rater, json)
        return
    found = list(study.readings())
    rows = [_progress_of(name, [r for r in found if r.rater == name]) for name in study.raters]
    if json:
        told: dict[str, Any] = {
            "name": study.name,
            "protocol": study.plan.protocol,
            "cases": len(study.cases),
            "raters": rows,
            "problems": list(study.problems),
        }
        if readings:
            told["readings"] = [_facts(r) for r in found]
        print_json(told)
        return
    columns = ("readings", "waiting", "draft", "submitted", "locked", "signed off")
    table = [
        (row["rater"], *(str(row[c]) for c in columns), number(row["active_s"] / 60, 1))
        for row in rows
    ]
    print_table(("rater", *columns, "minutes"), table)
    if readings:
        typer.echo()
        print_table(
            ("item", "rater", "case", "repeat", "proposal", "state"),
            [
                (
                    r.item,
                    r.rater,
                    r.case,
                    ("mirrored" if r.mirrored else "yes") if r.repeat else "-",
                    "shown" if r.proposal_shown else "hidden",
                    str(r.state),
                )
                for r in found
            ],
        )
    print_warnings([*study.problems, *(r.problem for r in found if r.problem)])


def check(
    folder: Folder,
    images: Annotated[
        bool, typer.Option("--images", help="Also open every case and compare it.")
    ] = False,
    json: Json = False,
) -> None:
    """Look for files that do not belong to the study, were changed by hand or are damaged.

    Nothing is changed. The exit code is 1 when something was found.
    """
    from ..study import check as look
    from ..study import load_study

    with quiet_stdout():
        found = list(look(load_study(folder), images=images))
    if json:
        print_json(
            {
                "findings": [
                    {"sentence": f.sentence, "rater": f.rater, "item": f.item, "case": f.case}
                    for f in found
                ]
            }
        )
    elif found:
        for finding in found:
            where = f"{finding.rater}: " if finding.rater else ""
            typer.echo(f"{where}{finding.sentence}")
    else:
        typer.echo("all files belong to the study and are whole")
    if found:
        raise typer.Exit(EXIT_REFUSED)


def _show_worklist(study: Study, rater: str, json: bool) -> None:
    items = study.worklist(rater)
    if json:
        print_json(
            {
                "rater": rater,
                "items": [
                    {
                        "item": i.item,
                        "order": i.order,
                        "state": str(i.state),
                        "active_s": round(i.active_s, 1),
                        "confidence": i.confidence,
                        "comment": i.comment,
                        "not_gradable": i.not_gradable,
                    }
                    for i in items
                ],
                "next": study.next_item(rater),
            }
        )
        return
    print_table(
        ("item", "state", "confidence", "minutes"),
        [
            (i.item, str(i.state), str(i.confidence or "-"), number(i.active_s / 60, 1))
            for i in items
        ],
    )


def _progress_of(rater: str, own: list[Reading]) -> dict[str, Any]:
    from ..study import State

    return {
        "rater": rater,
        "readings": len(own),
        **{str(state): sum(r.state is state for r in own) for state in State},
        "not_gradable": sum(bool(r.not_gradable) for r in own),
        "active_s": round(sum(r.active_s for r in own), 1),
        "problems": sum(bool(r.problem) for r in own),
    }


def _facts(reading: Reading) -> dict[str, Any]:
    return {
        **reading.assignment.facts(),
        "state": str(reading.state),
        "active_s": round(reading.active_s, 1),
        "strokes": reading.strokes,
        "confidence": reading.confidence,
        "comment": reading.comment,
        "not_gradable": reading.not_gradable,
        "problem": reading.problem,
    }
