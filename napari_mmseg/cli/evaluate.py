"""`napari-mmseg evaluate`: how well two label files, or two folders of them, agree."""

from __future__ import annotations

import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .arguments import Json, ProtocolName, checked_encoding, checked_tolerance, read_labels
from .output import number, print_json, print_table, print_warnings, quiet_stdout

if TYPE_CHECKING:
    from ..report import Cohort
    from ..report.cohort import Reader


def evaluate(
    pred: Annotated[
        Path, typer.Argument(metavar="PRED", help="The label file to judge, or a folder of them.")
    ],
    ref: Annotated[
        Path, typer.Argument(metavar="REF", help="The label file to trust, or a folder of them.")
    ],
    pred_encoding: Annotated[
        str | None, typer.Option(metavar="ENC", help="How PRED is encoded.")
    ] = None,
    ref_encoding: Annotated[
        str | None, typer.Option(metavar="ENC", help="How REF is encoded.")
    ] = None,
    protocol: ProtocolName = "glioma",
    tolerance: Annotated[
        float, typer.Option(metavar="MM", min=0.0, help="How far surfaces may lie apart for NSD.")
    ] = 1.0,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a row for each case and region.")
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write one page with tables, plots and worst slices."),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The cases' images, to draw the worst slices over."),
    ] = None,
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="Write case-1, case-2, ... for the cases' names.")
    ] = False,
    json: Json = False,
) -> None:
    """Compare label files by region: overlap, surfaces, volumes, lesions.

    Of two folders the cases are matched by name; their means come with 95 % intervals.
    """
    from ..protocol import load_protocol
    from ..report.page import as_html
    from ..report.tables import as_csv, as_values
    from ..report.worst import worst_pictures
    from ..report.write import PAGE, TABLE, check_target, write_text

    regions = load_protocol(protocol)
    checked_encoding(regions, pred_encoding, "--pred-encoding")
    checked_encoding(regions, ref_encoding, "--ref-encoding")
    checked_tolerance(tolerance)
    for target, endings in ((csv, TABLE), (html, PAGE)):
        if target is not None:
            check_target(target, *endings)
    if images is not None and not images.is_dir():
        raise typer.BadParameter(f"{str(images)!r} is no folder", param_hint="--images")
    read_prediction, read_reference = (
        partial(read_labels, encoding=encoding, option=option, protocol=regions)
        for encoding, option in (
            (pred_encoding, "--pred-encoding"),
            (ref_encoding, "--ref-encoding"),
        )
    )
    of_folders = pred.is_dir() and ref.is_dir()
    warnings: list[str] = []
    with quiet_stdout():
        if of_folders:
            cohort = _folders(pred, ref, read_prediction, read_reference, tolerance, warnings)
        else:
            cohort = _files(pred, ref, read_prediction, read_reference, tolerance)
        told = cohort.anonymous() if anonymous else cohort
        if csv is not None:
            write_text(csv, as_csv(told))
        if html is not None:
            pictures = worst_pictures(
                told, regions, read_prediction, read_reference, images=images, warn=warnings.append
            )
            write_text(html, as_html(told, regions, pictures))
    if json:
        scores = cohort.cases[0].regions
        print_json(
            as_values(told)
            if of_folders
            else {region: asdict(agreement) for region, agreement in scores.items()}
        )
    elif of_folders:
        _print_summary(cohort)
    else:
        _print_case(cohort)
    print_warnings(warnings)


def _files(
    pred: Path, ref: Path, read_prediction: Reader, read_reference: Reader, tolerance_mm: float
) -> Cohort:
    """Two files as a cohort of one case."""
    from ..agreement import evaluate as measure
    from ..errors import InputError
    from ..io.image import stem_of
    from ..report import CaseScores, Cohort, Pair

    for folder, other in ((pred, ref), (ref, pred)):
        if folder.is_dir():
            raise InputError(
                f'"{folder.name}" is a folder and "{other.name}" is none: name two files or two '
                "folders"
            )
    reference = read_reference(ref)
    prediction = read_prediction(pred)
    name = stem_of(ref)
    scores = measure(prediction, reference, tolerance_mm=tolerance_mm)
    return Cohort((CaseScores(name, Pair(name, pred, ref), scores),), tolerance_mm=tolerance_mm)


def _folders(
    pred: Path,
    ref: Path,
    read_prediction: Reader,
    read_reference: Reader,
    tolerance_mm: float,
    warnings: list[str],
) -> Cohort:
    """All cases of two folders; what is left out is told to `warnings`."""
    from ..report import measure, pair_folders

    pairing = pair_folders(pred, ref)
    cohort = measure(
        pairing,
        read_prediction,
        read_reference,
        tolerance_mm=tolerance_mm,
        progress=_show_progress if sys.stderr.isatty() else None,
    )
    warnings += pairing.sentences
    warnings += [f'"{name}" was skipped: {said}' for name, said in cohort.skipped.items()]
    return cohort


def _show_progress(done: int, total: int) -> None:
    typer.echo(f"\r{done} of {total} cases", err=True, nl=done == total)


def _print_case(cohort: Cohort) -> None:
    print_table(
        ["region", "Dice", "HD95 mm", "sensitivity", "precision", "ml", "reference ml", "NSD"],
        [
            [
                name,
                number(agreement.dice),
                number(agreement.hd95_mm, 1),
                number(agreement.sensitivity),
                number(agreement.precision),
                number(agreement.volume_ml, 1),
                number(agreement.reference_volume_ml, 1),
                number(agreement.nsd),
            ]
            for name, agreement in cohort.cases[0].regions.items()
        ],
    )


def _print_summary(cohort: Cohort) -> None:
    from ..report.summary import MEASURES, summarise

    rows = []
    for region, measures in summarise(cohort).items():
        for measure in MEASURES:
            summary = measures[measure.key]
            low, high = summary.ci95 or (None, None)
            figures = (summary.mean, low, high, summary.sd, summary.median)
            cells = [
                number(None if f is None else f * measure.scale, measure.digits) for f in figures
            ]
            rows.append([f"{region} {measure.heading}", *cells, str(summary.n)])
    print_table(["region", "mean", "95 % from", "to", "SD", "median", "n"], rows)
    count = len(cohort.cases)
    left = len(cohort.skipped)
    typer.echo(f"{count} compared" + (f", {left} skipped" if left else ""))
