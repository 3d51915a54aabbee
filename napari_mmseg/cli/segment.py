"""`napari-mmseg segment`: from images to a verified label file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from .arguments import (
    CasePaths,
    Device,
    Json,
    Looks,
    ModalityFiles,
    check_target,
    checked_encoding,
    keep_inputs,
    open_from,
)
from .output import number, print_json, print_table, print_warnings, quiet_stdout
from .process import peak_rss_mb, seconds_since_start


def segment(
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FILE", help=".nii, .nii.gz, .nrrd or .mha"),
    ],
    case: CasePaths = None,
    modality: ModalityFiles = None,
    encoding: Annotated[
        str | None,
        typer.Option(metavar="ENC", help="Label values to write.  [default: brats2023]"),
    ] = None,
    device: Annotated[Device, typer.Option(help="Where the network runs.")] = Device.AUTO,
    model: Annotated[str, typer.Option(help="A shipped model or a model's folder.")] = "simulated",
    looks: Annotated[
        Looks | None,
        typer.Option(
            help="Once; at the mirrored brain too (twice the network's time); or also without "
            "T1ce, T2 and FLAIR in turn (three times).  [default: as the model's card says]",
        ),
    ] = None,
    adapt: Annotated[
        bool,
        typer.Option(
            "--adapt/--no-adapt",
            help="Fit the answer to how the tissues of this case look, or leave it as it is.",
        ),
    ] = True,
    strip: Annotated[
        bool, typer.Option("--strip", help="The images show the skull: remove it first.")
    ] = False,
    uncertainty: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Also write where the model is unsure (0 to 1) to an image."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Find WT, TC and ET in a case and write them to a file on its own grid."""
    from ..inference import predict
    from ..io import export, write_volume
    from ..protocol import load_protocol

    checked_encoding(load_protocol(), encoding, "--encoding")
    check_target(out)
    if uncertainty is not None:
        _check_beside(uncertainty, out)
    with quiet_stdout():
        started = time.perf_counter()
        opened = open_from(case, modality)
        keep_inputs(out, opened)
        if uncertainty is not None:
            keep_inputs(uncertainty, opened)
        loaded = time.perf_counter()
        prediction = predict(
            opened,
            model=model,
            device=device.value,
            looks=None if looks is None else looks.value,
            skull="remove" if strip else "keep",
            adapt=adapt,
        )
        annotation = prediction.annotation()
        predicted = time.perf_counter()
        receipt = export(annotation, out, encoding=encoding)
        if uncertainty is not None:
            write_volume(prediction.uncertainty(), uncertainty, opened.source)
        saved = time.perf_counter()
    provenance = annotation.provenance
    warnings = list(dict.fromkeys((*opened.warnings, *provenance.warnings, *receipt.notes)))
    seconds = {
        "load": loaded - started,
        "predict": predicted - loaded,
        "save": saved - predicted,
        "total": seconds_since_start(),
    }
    if json:
        print_json(
            {
                "seconds": {name: round(value, 3) for name, value in seconds.items()},
                "volumes_ml": {n: round(ml, 4) for n, ml in annotation.volumes_ml.items()},
                "expected_dice": {n: round(d, 4) for n, d in provenance.expected_dice.items()},
                "looks": provenance.looks,
                "adapted": provenance.adapted,
                "modalities": [str(m) for m in provenance.modalities],
                "missing": [str(m) for m in provenance.missing],
                "model": provenance.model,
                "device": provenance.device,
                "peak_rss_mb": round(peak_rss_mb(), 1),
                "warnings": warnings,
            }
        )
        return
    hoped = provenance.expected_dice
    print_table(
        ["region", "ml", *(["expected Dice"] if hoped else [])],
        [
            [name, number(ml, 1), *([number(hoped.get(name), 2)] if hoped else [])]
            for name, ml in annotation.volumes_ml.items()
        ],
    )
    typer.echo(
        f"{out} written by the model {provenance.model} on {provenance.device} "
        f"in {seconds['total']:.1f} s"
    )
    print_warnings(warnings)


def _check_beside(uncertainty: Path, out: Path) -> None:
    """Refuse a file for the uncertainty that cannot be written, or is the labels' own."""
    check_target(uncertainty)
    if uncertainty.resolve() == out.resolve():
        raise typer.BadParameter("name another file than --out", param_hint="--uncertainty")
