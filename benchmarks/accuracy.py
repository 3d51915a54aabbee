"""The shipped model on real cases with expert labels, through the same path as the command line.

Keys: `mean_dice` by region (ET over the cases that have it), `invented_et_ml` in the cases without
ET, `cases`. Needs the real cases in ../shared/data, which are never part of this repository.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import mean
from typing import Any

import napari_mmseg
from napari_mmseg.agreement import RegionAgreement
from napari_mmseg.errors import InputError

DATA = Path(__file__).parents[2] / "shared" / "data"


def run() -> dict[str, Any]:
    """Segment every case that is there and compare it with its labels."""
    found = dict(real_cases())
    if not found:
        raise InputError("the real cases of ../shared/data are not here: nothing to measure")
    results: dict[str, Mapping[str, RegionAgreement]] = {}
    model = ""
    for name, (images, labels, encoding) in found.items():
        case = napari_mmseg.open_case(images)
        proposal = napari_mmseg.segment(case)
        reference = napari_mmseg.read_annotation(labels, encoding=encoding, like=case)
        results[name] = napari_mmseg.evaluate(proposal, reference)
        model = f"{proposal.provenance.model} {(proposal.provenance.weights_sha256 or '')[:12]}"
    regions = list(next(iter(results.values())))
    return {
        "mean_dice": {region: mean_dice(results, region) for region in regions},
        "invented_et_ml": {
            name: round(result["ET"].volume_ml, 2)
            for name, result in results.items()
            if result["ET"].reference_volume_ml == 0
        },
        "cases": {name: columns(result) for name, result in results.items()},
        "model": model,
    }


def real_cases() -> Iterator[tuple[str, tuple[Path, Path, str]]]:
    """Images, labels and the labels' encoding of each real case that is there."""
    slab = DATA / "msd_brats_009_slab"
    if slab.is_dir():
        yield slab.name, (slab, slab / "seg.nii.gz", "msd")
    for folder in sorted(DATA.glob("brats2021/BraTS2021_*")):
        yield folder.name, (folder, folder / f"{folder.name}_seg.nii.gz", "brats2017")


def mean_dice(results: Mapping[str, Mapping[str, RegionAgreement]], region: str) -> float | None:
    """Over the cases in which the experts see the region."""
    values = [
        result[region].dice or 0.0
        for result in results.values()
        if result[region].reference_volume_ml > 0
    ]
    return round(mean(values), 4) if values else None


def columns(result: Mapping[str, RegionAgreement]) -> dict[str, Any]:
    """A case's figures under names with their units."""
    told: dict[str, Any] = {}
    for region, agreement in result.items():
        told[f"{region} Dice"] = _rounded(agreement.dice, 3)
        told[f"{region} HD95 mm"] = _rounded(agreement.hd95_mm, 1)
        told[f"{region} ml"] = round(agreement.volume_ml, 1)
        told[f"{region} reference ml"] = round(agreement.reference_volume_ml, 1)
    return told


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
