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
    json: Json = False,
) -> None:
    """Find WT, TC and ET in a case and write them to a file on its own grid."""
    from ..inference import segment as run_model
    from ..io import export
    from ..protocol import load_protocol

    checked_encoding(load_protocol(), encoding, "--encoding")
    check_target(out)
    with quiet_stdout():
        started = time.perf_counter()
        opened = open_from(case, modality)
        keep_inputs(out, opened)
        loaded = time.perf_counter()
        annotation = run_model(opened, model=model, device=device.value)
        predicted = time.perf_counter()
        receipt = export(annotation, out, encoding=encoding)
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
                "modalities": [str(m) for m in provenance.modalities],
                "missing": [str(m) for m in provenance.missing],
                "model": provenance.model,
                "device": provenance.device,
                "peak_rss_mb": round(peak_rss_mb(), 1),
                "warnings": warnings,
            }
        )
        return
    print_table(
        ["region", "ml"],
        [[name, number(ml, 1)] for name, ml in annotation.volumes_ml.items()],
    )
    typer.echo(
        f"{out} written by the model {provenance.model} on {provenance.device} "
        f"in {seconds['total']:.1f} s"
    )
    print_warnings(warnings)
