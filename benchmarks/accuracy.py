"""Models on real cases with expert labels, through the same path as the command line.

Keys, of the default model or of the one named with `--model`: `mean` Dice by region over the cases
that have it, `interval` (95 % bootstrap of that mean), `invented_et_ml` in the cases without ET,
`cases`, `model`. Without `--model` the same of `tuned` under its name, where it is installed.
`--looks` single, mirrored or thorough, in place of what the model's card says.

A case that a model has learnt from is never given to that model's own network: its figures are
those of the fold's network that did not see it (`judged by`: `fold 2`), or there are none. Needs
the real cases in ../shared/data, which are never part of this repository.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any, Protocol

import napari_mmseg
from napari_mmseg.case import Case
from napari_mmseg.errors import InputError
from napari_mmseg.models import DEFAULT_MODEL, Card, available, load_card
from napari_mmseg.models.seen import fold_figures, has_learnt_from
from napari_mmseg.report.summary import summary_of

DATA = Path(__file__).parents[2] / "shared" / "data"
TUNED = "tuned"


class Figures(Protocol):
    """What is told of a region in a case (`agreement.RegionAgreement` has it)."""

    @property
    def dice(self) -> float | None: ...
    @property
    def hd95_mm(self) -> float | None: ...
    @property
    def volume_ml(self) -> float: ...
    @property
    def reference_volume_ml(self) -> float: ...


@dataclass(frozen=True)
class FoldFigures:
    """What a model's card tells of a region in a case that a fold's network did not see."""

    dice: float | None
    hd95_mm: float | None
    volume_ml: float
    reference_volume_ml: float


def run(model: str | None = None, looks: str | None = None) -> dict[str, Any]:
    """Every real case that is there, segmented and compared with its labels."""
    found = dict(real_cases())
    if not found:
        raise InputError("the real cases of ../shared/data are not here: nothing to measure")
    result = measured(load_card(model or DEFAULT_MODEL), found, looks)
    if model is None and any(card.name == TUNED for card in available()):
        result[TUNED] = measured(load_card(TUNED), found)
    return result


def measured(
    card: Card, found: Mapping[str, tuple[Path, Path, str]], looks: str | None = None
) -> dict[str, Any]:
    """The benchmark's keys for one model."""
    results: dict[str, Mapping[str, Figures]] = {}
    cases: dict[str, Any] = {}
    for name, (images, labels, encoding) in found.items():
        case = napari_mmseg.open_case(images)
        judge, figures = judged(card, case, labels, encoding, looks)
        if figures is not None:
            results[name] = figures
        cases[name] = {**(columns(figures) if figures else {}), "judged by": judge}
    dices = {region: dices_of(results, region) for region in card.regions}
    return {
        "mean": {region: mean_dice(results, region) for region in card.regions},
        "interval": {region: summary_of(values).ci95 for region, values in dices.items()},
        "invented_et_ml": {
            name: round(result["ET"].volume_ml, 2)
            for name, result in results.items()
            if result["ET"].reference_volume_ml == 0
        },
        "cases": cases,
        "model": f"{card.name} {card.weights_sha256[:12]}",
    }


def judged(
    card: Card, case: Case, labels: Path, encoding: str, looks: str | None = None
) -> tuple[str, Mapping[str, Figures] | None]:
    """Whose figures they are, and a case's figures by region; None where none would be honest."""
    fold = fold_figures(card, case)
    if fold is not None:
        told = {region: FoldFigures(**numbers) for region, numbers in fold["regions"].items()}
        return f"fold {fold['fold']}", told
    if has_learnt_from(card, case):
        return "nobody: the model has learnt from it", None
    reference = napari_mmseg.read_annotation(labels, encoding=encoding, like=case)
    # A folder names its own model whatever else has the name.
    proposal = napari_mmseg.segment(case, model=card.folder, looks=looks)
    return card.name, napari_mmseg.evaluate(proposal, reference)


def real_cases() -> Iterator[tuple[str, tuple[Path, Path, str]]]:
    """Images, labels and the labels' encoding of each real case that is there."""
    slab = DATA / "msd_brats_009_slab"
    if slab.is_dir():
        yield slab.name, (slab, slab / "seg.nii.gz", "msd")
    for folder in sorted(DATA.glob("brats2021/BraTS2021_*")):
        yield folder.name, (folder, folder / f"{folder.name}_seg.nii.gz", "brats2017")


def dices_of(results: Mapping[str, Mapping[str, Figures]], region: str) -> list[float]:
    """Of the cases in which the experts see the region."""
    return [
        result[region].dice or 0.0
        for result in results.values()
        if result[region].reference_volume_ml > 0
    ]


def mean_dice(results: Mapping[str, Mapping[str, Figures]], region: str) -> float | None:
    """Over the cases in which the experts see the region."""
    values = dices_of(results, region)
    return round(mean(values), 4) if values else None


def columns(result: Mapping[str, Figures]) -> dict[str, Any]:
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
