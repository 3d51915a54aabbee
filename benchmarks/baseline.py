"""Segmentation without learning on real cases with expert labels: the least a model should beat.

A mixture of Gaussians with plain rules (see `_mixture`). Keys as in `accuracy`: `mean_dice` by
region (over the cases that have it), `mean_lesionwise_dice` over all, `invented_et_ml`, `cases`.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import mean
from typing import Any

import napari_mmseg
from napari_mmseg.agreement import RegionAgreement
from napari_mmseg.errors import InputError

from ._mixture import segment
from .accuracy import columns, mean_dice, real_cases


def run() -> dict[str, Any]:
    """Segment every real case that is there and compare it with its labels."""
    found = dict(real_cases())
    if not found:
        raise InputError("the real cases of ../shared/data are not here: nothing to measure")
    results: dict[str, Mapping[str, RegionAgreement]] = {}
    for name, (images, labels, encoding) in found.items():
        case = napari_mmseg.open_case(images)
        reference = napari_mmseg.read_annotation(labels, encoding=encoding, like=case)
        results[name] = napari_mmseg.evaluate(segment(case), reference)
    regions = list(next(iter(results.values())))
    return {
        "mean_dice": {region: mean_dice(results, region) for region in regions},
        "mean_lesionwise_dice": {
            region: round(mean(r[region].lesionwise_dice for r in results.values()), 4)
            for region in regions
        },
        "invented_et_ml": {
            name: round(result["ET"].volume_ml, 2)
            for name, result in results.items()
            if result["ET"].reference_volume_ml == 0
        },
        "cases": {name: columns(result) for name, result in results.items()},
    }
