"""`napari-mmseg history`: how an annotation came about and what it cost."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .arguments import Json
from .output import print_fields, print_json, print_table, print_warnings

if TYPE_CHECKING:
    from ..journal.replay import Work


class Plane(StrEnum):
    """The plane that a film shows."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"


def history(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A work file (.mmseg), or a folder of them.")
    ],
    film: Annotated[
        Path | None,
        typer.Option(
            "--film", metavar="OUT.gif", help="Show how the slice with most changes came about."
        ),
    ] = None,
    plane: Annotated[Plane, typer.Option("--plane", help="The film's plane.")] = Plane.AXIAL,
    layers: Annotated[
        bool, typer.Option("--layers", help="Show it in the viewer, with a slider over the steps.")
    ] = False,
    case: Annotated[
        Path | None,
        typer.Option("--case", metavar="CASE", help="With --layers: the images to show below."),
    ] = None,
    screenshot: Annotated[
        Path | None,
        typer.Option(
            "--screenshot", metavar="PNG", help="With --layers: save a picture and close."
        ),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="OUT.csv", help="The effort, one row for each work file."),
    ] = None,
    json: Json = False,
) -> None:
    """List the steps of a work file and what they cost.

    Of a folder: the effort of each work file in it.
    """
    if not layers and (case is not None or screenshot is not None):
        hint = "--case" if case is not None else "--screenshot"
        raise typer.BadParameter("it goes with --layers", param_hint=hint)
    if csv is not None or file.is_dir():
        if film is not None or layers:
            hint = "--film" if film is not None else "--layers"
            raise typer.BadParameter("a film shows one work file", param_hint=hint)
        _show_study(file, csv, json)
        return
    from ..journal import load_work
    from ..journal.film import plane_axis, write_film

    work, is_damaged = load_work(file)
    if film is not None:
        write_film(work, film, plane_axis(plane))
    if layers:
        _open(work, case, screenshot)
    else:
        _show(work, json)
    if is_damaged:
        print_warnings([f"{file.name} is damaged: napari-mmseg recover makes a whole one"])


def _open(work: Work, where: Path | None, screenshot: Path | None) -> None:
    """The viewer with the steps on a slider; returns when it is closed."""
    from ..errors import InputError
    from ..journal import fingerprint_of
    from .view import refuse_without_a_screen

    refuse_without_a_screen()
    case = None
    if where is not None:
        from ..io import open_case

        case = open_case(where)
        if fingerprint_of(case) != work.header.fingerprint:
            raise InputError(
                "the work file was not made on these images: name those it was made on, or leave "
                "--case out"
            )
    from .._napari.history_window import show_history

    show_history(work, case, screenshot)


def _show(work: Work, json: bool) -> None:
    from ..journal.summary import effort_of, steps_of

    effort = effort_of(work)
    if json:
        print_json({"effort": effort, "steps": list(steps_of(work))})
        return
    regions = list(effort["voxels"])
    rows = [
        (
            step["time"],
            step["deed"],
            step["label"],
            step["plane"] or "-",
            *(f"+{n['added']} -{n['removed']}" for n in step["voxels"].values()),
        )
        for step in steps_of(work)
    ]
    print_table(("time", "deed", "step", "plane", *regions), rows)
    typer.echo()
    print_fields(
        {
            "rater": effort["rater"],
            "active": f"{effort['active_s'] / 60:.1f} min",
            "strokes": f"{effort['strokes']} ({effort['undos']} undone, {effort['redos']} redone)",
            "untouched": ", ".join(
                f"{name} {'-' if share is None else format(share, '.1%')}"
                for name, share in effort["untouched"].items()
            ),
        }
    )


def _show_study(where: Path, csv: Path | None, json: bool) -> None:
    from ..errors import InputError
    from ..journal.summary import efforts_in, flat

    if where.is_dir():
        rows = efforts_in(where)
    elif where.exists():
        from ..journal import load_work
        from ..journal.summary import effort_of

        rows = [{"file": where.name, **flat(effort_of(load_work(where)[0])), "problem": ""}]
    else:
        raise InputError(f'"{where.name}" does not exist: name a work file or a folder of them')
    if csv is not None:
        _write_csv(rows, csv)
    if json:
        print_json({"files": rows})
    elif csv is None:
        shown = ("rater", "active_s", "strokes", "undos", "problem")
        table = [(row["file"], *(str(row.get(name, "-")) for name in shown)) for row in rows]
        print_table(("file", *shown), table)
    else:
        typer.echo(f"{csv.name}: {len(rows)} work files")


def _write_csv(rows: list[dict[str, Any]], path: Path) -> None:
    import csv
    import io

    from ..io.safe_write import Draft, replace_files

    text = io.StringIO()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    data = text.getvalue().encode()
    replace_files([Draft(path, data, lambda written: None)])
