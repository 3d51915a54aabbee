"""`napari-mmseg agree`: how far several raters' label files of one case agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .arguments import (
    Json,
    ProtocolName,
    checked_encoding,
    checked_tolerance,
    read_labels,
)
from .maps import Maps, map_targets, write_maps
from .output import number, print_json, print_table, print_warnings, quiet_stdout
from .raters import Labels, check_once, distinct, keep_labels

if TYPE_CHECKING:
    from ..agreement import CaseAgreement, PairAgreement


def agree(
    labels: Labels,
    encoding: Annotated[
        str | None, typer.Option(metavar="ENC", help="How all of them are encoded.")
    ] = None,
    protocol: ProtocolName = "glioma",
    tolerance: Annotated[
        float, typer.Option(metavar="MM", min=0.0, help="How far surfaces may lie apart for NSD.")
    ] = 1.0,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write one page: tables, plots, disputed slices."),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The case's images, to draw the disputed slices over."),
    ] = None,
    maps: Maps = None,
    json: Json = False,
) -> None:
    """Measure how far raters agree: every pair, each with the majority of the others, and all.

    Raters are called by their files' names.
    """
    from ..agreement import against_others
    from ..agreement import agree as measure
    from ..io import open_case
    from ..io.image import stem_of
    from ..protocol import load_protocol
    from ..report.raters_page import as_html
    from ..report.raters_source import report_on_files
    from ..report.write import PAGE, check_target, write_text

    regions = load_protocol(protocol)
    checked_encoding(regions, encoding, "--encoding")
    checked_tolerance(tolerance)
    if len(labels) < 2:
        raise typer.BadParameter("name the label files of two raters or more", param_hint="A B")
    if html is not None:
        check_target(html, *PAGE)
    elif images is not None:
        raise typer.BadParameter("images are drawn on a page: name --html", param_hint="--images")
    mapped = {} if maps is None else map_targets(maps, regions)
    for target in mapped.values():
        check_target(target)
    keep_labels([*mapped.values()], labels)
    check_once(labels)
    names = distinct([stem_of(path) for path in labels])
    left_out: dict[str, str] = {}
    with quiet_stdout():
        raters = {
            name: read_labels(path, encoding, "--encoding", protocol=regions)
            for name, path in zip(names, labels, strict=True)
        }
        found = measure(raters, tolerance_mm=tolerance)
        others = against_others(raters, tolerance_mm=tolerance)
        if html is not None:
            opened = None if images is None else open_case(images)
            page = report_on_files(raters, agreement=found, others=others, images=opened)
            write_text(html, as_html(page))
            left_out = page.skipped
        if mapped:
            write_maps(raters, mapped)
    if json:
        files = {name: str(file) for name, file in mapped.items()}
        print_json(
            {
                **found.facts(),
                "against_others": {
                    region: [asdict(one) for one in by_rater.values()]
                    for region, by_rater in others.items()
                },
                **({"maps": files} if files else {}),
            }
        )
    else:
        _print_pairs(
            "region, raters",
            {
                name: [(f"{pair.first}, {pair.second}", pair) for pair in region.pairs]
                for name, region in found.regions.items()
            },
        )
        typer.echo()
        _print_pairs(
            "against the majority of the others",
            {name: by_rater.items() for name, by_rater in others.items()},
        )
        typer.echo()
        _print_together(found)
        typer.echo()
        _print_raters(found)
        for file in mapped.values():
            typer.echo(f"{file} written")
    print_warnings(f"{name} was left out: {said}" for name, said in left_out.items())


def _print_pairs(what: str, regions: Mapping[str, Iterable[tuple[str, PairAgreement]]]) -> None:
    header = [what, "Dice", "Jaccard", "HD95 mm", "mean mm", "NSD", "lesion F1", "ml"]
    print_table(
        header,
        [
            [
                f"{region}  {who}",
                number(pair.dice),
                number(pair.jaccard),
                number(pair.hd95_mm, 1),
                number(pair.mean_surface_mm, 2),
                number(pair.nsd),
                number(pair.lesion_f1),
                f"{round(pair.volume_difference_ml, 1) + 0.0:+.1f}",
            ]
            for region, pairs in regions.items()
            for who, pair in pairs
        ],
    )


def _print_together(case: CaseAgreement) -> None:
    header = ["all raters", "mean Dice", "mean HD95 mm", "kappa", "alpha", "diversity"]
    print_table(
        [*header, "pairs", "both empty", "one empty"],
        [
            [
                name,
                number(region.mean("dice")),
                number(region.mean("hd95_mm"), 1),
                number(region.fleiss_kappa),
                number(region.krippendorff_alpha),
                number(region.diversity),
                str(len(region.pairs)),
                str(region.both_empty),
                str(region.one_empty),
            ]
            for name, region in case.regions.items()
        ],
    )


def _print_raters(case: CaseAgreement) -> None:
    header = [column for name in case.regions for column in (f"{name} ml", f"{name} energy")]
    rows = []
    for rater in case.raters:
        row = [rater]
        for region in case.regions.values():
            row += [number(region.volumes_ml[rater], 1), number(region.energy_distance[rater])]
        rows.append(row)
    print_table(["rater", *header], rows)
