"""`napari-mmseg study report` and `study export`: what a study says, and its dataset."""

from __future__ import annotations

import json as json_format
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .arguments import Json
from .consensus import Method
from .output import number, print_json, print_table, print_warnings, quiet_stdout
from .study import Folder

if TYPE_CHECKING:
    from ..report.raters_case import RatersReport


class LayoutChoice(StrEnum):
    """The layouts of a dataset (`dataset.LAYOUTS`, loaded later)."""

    BIDS = "bids"
    BRATS = "brats"


Drafts = Annotated[
    bool, typer.Option("--drafts", help="Readings that were begun count too, not only finished.")
]


def report(
    folder: Folder,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write one page: tables, plots, disputed slices."),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a row for each reading and region.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write everything but the pictures.")
    ] = None,
    drafts: Drafts = False,
) -> None:
    """Say how far the raters agree, and what sets them apart.

    Not for raters: it names everybody's numbers.
    """
    from ..report.raters_page import as_html
    from ..report.raters_source import report_on_study
    from ..report.raters_tables import as_csv, as_values
    from ..report.write import PAGE, TABLE, VALUES, check_target, write_text
    from ..study import load_study

    for target, endings in ((html, PAGE), (csv, TABLE), (json, VALUES)):
        if target is not None:
            check_target(target, *endings)
    study = load_study(folder)
    with quiet_stdout():
        found = report_on_study(
            study, drafts=drafts, progress=_say if sys.stderr.isatty() else lambda _: None
        )
        if html is not None:
            write_text(html, as_html(found))
        if csv is not None:
            write_text(csv, as_csv(found))
        if json is not None:
            write_text(json, json_format.dumps(as_values(found), indent=2, allow_nan=False) + "\n")
    _show(found)
    print_warnings(f"{name} was left out: {said}" for name, said in found.skipped.items())


def _say(case: str) -> None:
    typer.echo(f"\r{case}\x1b[K", err=True, nl=False)


def _show(found: RatersReport) -> None:
    from ..report.raters_summary import MEASURES, summarise

    rows = []
    for region, measures in summarise(found).items():
        for measure in MEASURES:
            summary = measures[measure.key]
            low, high = summary.ci95 or (None, None)
            cells = [number(v, measure.digits) for v in (summary.mean, low, high)]
            rows.append([f"{region} {measure.heading}", *cells, str(summary.n)])
    print_table(["region", "mean", "95 % from", "to", "cases"], rows)
    typer.echo()
    real = found.effects.real
    for one in real:
        ends = [f"{end:+.3g}" for end in (one.low, one.high) if end is not None]
        between = f" [{', '.join(ends)}]" if ends else ""
        typer.echo(
            f"{one.kind}, {one.region}, {one.rater or 'all raters'}: "
            f"{one.estimate:+.3g}{between} {one.unit}"
        )
    typer.echo(f"{len(real)} of {len(found.effects.effects)} effects stand out beyond chance")


def export_dataset(
    folder: Folder,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="The dataset's folder, not there yet.")
    ],
    layout: Annotated[
        LayoutChoice, typer.Option(help="What files are called.")
    ] = LayoutChoice.BIDS,
    method: Annotated[Method, typer.Option(help="How several become one.")] = Method.MAJORITY,
    images: Annotated[
        bool, typer.Option("--images", help="Write the images too, faces included.")
    ] = False,
    skull_stripped: Annotated[
        bool | None,
        typer.Option(
            "--skull-stripped/--with-skull",
            help="Which the images are: the layout bids wants to know.",
            show_default=False,
        ),
    ] = None,
    drafts: Drafts = False,
    json: Json = False,
) -> None:
    """Write a dataset: consensus, all raters' labels, agreement and a datasheet.

    Under the study's pseudonyms; free text that may name a patient is left out.
    """
    from ..dataset import LAYOUTS, Images, export_study
    from ..study import load_study

    study = load_study(folder)
    with quiet_stdout():
        receipt = export_study(
            study,
            out,
            LAYOUTS[layout.value],
            method=method.value,
            images=Images(images, skull_stripped),
            drafts=drafts,
            progress=_say if sys.stderr.isatty() else lambda _: None,
        )
    if json:
        print_json(
            {
                "folder": str(out),
                "layout": layout.value,
                "cases": list(receipt.cases),
                "label_files": receipt.labels,
                "skipped": receipt.skipped,
            }
        )
    else:
        typer.echo(
            f"{out.name}: {len(receipt.cases)} cases, {receipt.labels} label files, DATASHEET.md"
        )
    print_warnings(f"{name} was left out: {said}" for name, said in receipt.skipped.items())
