"""`napari-mmseg evaluate`: how well two label files agree."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from .arguments import Json, ProtocolName, checked_encoding, read_labels
from .output import number, print_json, print_table, quiet_stdout


def evaluate(
    pred: Annotated[Path, typer.Argument(metavar="PRED", help="The label file to judge.")],
    ref: Annotated[Path, typer.Argument(metavar="REF", help="The label file to trust.")],
    pred_encoding: Annotated[
        str | None, typer.Option(metavar="ENC", help="How PRED is encoded.")
    ] = None,
    ref_encoding: Annotated[
        str | None, typer.Option(metavar="ENC", help="How REF is encoded.")
    ] = None,
    protocol: ProtocolName = "glioma",
    json: Json = False,
) -> None:
    """Compare two label files: Dice, HD95, sensitivity, precision and volumes by region."""
    from ..agreement import evaluate as measure
    from ..protocol import load_protocol

    regions = load_protocol(protocol)
    checked_encoding(regions, pred_encoding, "--pred-encoding")
    checked_encoding(regions, ref_encoding, "--ref-encoding")
    with quiet_stdout():
        reference = read_labels(ref, ref_encoding, "--ref-encoding", protocol=regions)
        prediction = read_labels(pred, pred_encoding, "--pred-encoding", protocol=regions)
        result = measure(prediction, reference)
    if json:
        print_json({name: asdict(agreement) for name, agreement in result.items()})
        return
    print_table(
        ["region", "Dice", "HD95 mm", "sensitivity", "precision", "ml", "reference ml"],
        [
            [
                name,
                number(agreement.dice),
                number(agreement.hd95_mm, 1),
                number(agreement.sensitivity),
                number(agreement.precision),
                number(agreement.volume_ml, 1),
                number(agreement.reference_volume_ml, 1),
            ]
            for name, agreement in result.items()
        ],
    )
