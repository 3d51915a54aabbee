"""`napari-mmseg adjudicate`: list what raters differ about, and settle it piece by piece."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .arguments import Json, ProtocolName, check_target, checked_encoding, checked_tolerance
from .consensus import Method
from .output import print_json, print_table, print_warnings, quiet_stdout
from .raters import Anonymous, Labels, keep_labels, read_raters

if TYPE_CHECKING:
    from ..agreement.adjudicate import Adjudication
    from ..agreement.disputes import Dispute
    from ..annotation import Annotation


def adjudicate(
    labels: Labels,
    encoding: Annotated[
        str | None,
        typer.Option(metavar="ENC", help="Encoding of the files, and of the one written."),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep the decisions here, and go on from what is there."),
    ] = None,
    take: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=WHO",
            help="Settle a dispute as WHO has it: a rater, majority or consensus; repeatable.",
            show_default=False,
        ),
    ] = None,
    undo: Annotated[int, typer.Option(metavar="N", min=0, help="First undo N decisions.")] = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the result: .nii.gz, .nrrd, ...")
    ] = None,
    name: Annotated[str, typer.Option(help="A pseudonym for who decides.")] = "adjudicator",
    method: Annotated[
        Method, typer.Option(help="What holds where nothing is decided.")
    ] = Method.MAJORITY,
    tolerance: Annotated[
        float,
        typer.Option(metavar="MM", min=0.0, help="Leave out what differs by no more than this."),
    ] = 0.0,
    anonymous: Anonymous = False,
    protocol: ProtocolName = "glioma",
    json: Json = False,
) -> None:
    """List the places where raters differ, settle them, write the result.

    Nothing is ever written to the raters' files.
    """
    from ..agreement.adjudicate import Adjudication
    from ..agreement.adjudication_log import open_log
    from ..agreement.consensus import consensus as fuse
    from ..io import export
    from ..protocol import load_protocol

    regions = load_protocol(protocol)
    checked_encoding(regions, encoding, "--encoding")
    checked_tolerance(tolerance)
    wanted = [_parse(option) for option in take or ()]
    if out is not None:
        check_target(out)
    keep_labels([target for target in (out, log) if target is not None], labels)
    warnings: list[str] = []
    with quiet_stdout():
        raters = read_raters(labels, encoding, regions, anonymous)
        start = fuse(raters, method.value).annotation
        case = Adjudication(raters, name=name, consensus=start, tolerance_mm=tolerance)
        kept = None if log is None else open_log(log, case)
        warnings += [] if kept is None else kept.notes
        _undo(case, undo)
        for key, who in wanted:
            _settle(case, key, who)
        if kept is not None:
            kept.keep()
        if out is not None:
            result = case.result()
            warnings += [*result.provenance.warnings]
            warnings += export(result, out, encoding=encoding).notes
    decided = {d.dispute: d.rater or d.taken for d in case.decisions if d.dispute is not None}
    if json:
        print_json(
            {
                "raters": list(raters),
                "disputes": [
                    {
                        **dispute.facts(),
                        "centre_ras_mm": _place(start, dispute),
                        "taken": decided.get(dispute.key),
                    }
                    for dispute in case.disputes
                ],
                "open": len(case.open),
                "file": None if out is None else str(out),
                "volumes_ml": {
                    n: round(float(ml), 4) for n, ml in case.result().volumes_ml.items()
                },
                "warnings": warnings,
            }
        )
        return
    _print_disputes(case, start, decided)
    if out is not None:
        typer.echo(f"{out} written")
    print_warnings(warnings)


def _parse(option: str) -> tuple[str, str]:
    key, equals, who = option.partition("=")
    if not (key and equals and who):
        raise typer.BadParameter(f"{option!r} is not KEY=WHO, as in WT-1=A", param_hint="--take")
    return key, who


def _undo(case: Adjudication, count: int) -> None:
    from ..errors import InputError

    there = len(case.decisions)
    if count > there:
        decisions = "decision is" if there == 1 else "decisions are"
        raise InputError(
            f"--undo {count}: {there or 'no'} {decisions} in force, and nothing was changed; the "
            "decisions are kept in the file of --log"
        )
    for _ in range(count):
        case.undo()


def _settle(case: Adjudication, key: str, who: str) -> None:
    # A file may be called majority.nii.gz: the rater of that name goes first.
    if who == "majority" and who not in case.sources:
        case.take_majority(key)
    elif who == "consensus" and who not in case.sources:
        case.take_consensus(key)
    else:
        case.take_rater(key, who)


def _place(annotation: Annotation, dispute: Dispute) -> list[float]:
    """The dispute's centre in mm towards right, anterior, superior, which any viewer knows."""
    import numpy as np

    return [round(float(mm), 1) for mm in annotation.grid.to_world(np.array(dispute.centre))]


def _print_disputes(case: Adjudication, start: Annotation, decided: dict[str, str]) -> None:
    names = list(case.sources)
    header = ["dispute", "kind", "mm3", "R mm", "A mm", "S mm", *names, "taken"]
    print_table(
        header,
        [
            [
                dispute.key,
                dispute.kind,
                f"{dispute.volume_mm3:.0f}",
                *(f"{mm:.0f}" for mm in _place(start, dispute)),
                *(f"{100 * dispute.share[name]:.0f} %" for name in names),
                decided.get(dispute.key, "-"),
            ]
            for dispute in case.disputes
        ],
    )
    typer.echo(f"{len(case.open)} of {len(case.disputes)} disputes are open")
