"""A model without some of its contrasts: mean Dice for each of the 15 subsets.

Keys: `simulated` (heads of anatomies kept out of training, simulated differently from it) and
`real` (the cases of `accuracy`); in each, `subsets` by name with the mean Dice of WT, TC and ET
over the cases that have the region, how many those are, the mean `invented_et_ml` where there is
none, and `flags`; `mean` over the subsets; `cases`. ET without T1ce is flagged: what lights up
with contrast medium is then guessed. `--cases N` takes that many of each, `--write` writes
docs/subsets.md. A case that the model has learnt from is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from statistics import mean
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

import napari_mmseg
from napari_mmseg.annotation import Annotation
from napari_mmseg.case import Case
from napari_mmseg.errors import InputError
from napari_mmseg.models import DEFAULT_MODEL, Card, load_card
from napari_mmseg.models.seen import has_learnt_from
from napari_mmseg.volume import Modality

from ._published_subsets import DEMOSEG, PUBLISHED, RFNET
from .accuracy import DATA, real_cases

ANATOMY = DATA / "brain_label_maps"
PAGE = Path(__file__).parents[1] / "docs" / "subsets.md"
REGIONS = ("WT", "TC", "ET")
CASES = 12  # simulated ones, unless told
FLAG = "ET without T1ce"
DIGITS = 4

Subset = tuple[Modality, ...]
Masks = Mapping[str, NDArray[np.bool_]]


@dataclass(frozen=True)
class Subject:
    """A case's true regions, what a model finds with a subset of its contrasts, ml a voxel."""

    truth: Masks
    found: Callable[[Subset], Masks]
    voxel_ml: float


def run(
    model: str = DEFAULT_MODEL, cases: int | None = None, write: bool = False
) -> dict[str, Any]:
    """All subsets on simulated and on real cases, where they are here."""
    card = load_card(model)
    begun = perf_counter()
    result: dict[str, Any] = {
        "simulated": table(simulated(card, cases or CASES)) if ANATOMY.is_dir() else None,
        "real": table(real(card, cases)),
        "model": f"{card.name} {card.weights_sha256[:12]}",
        "published": [vars(one) for one in PUBLISHED],
    }
    result["seconds"] = round(perf_counter() - begun)
    if not any((result["simulated"], result["real"])):
        raise InputError("neither label maps nor real cases are in ../shared/data: none to measure")
    if write:
        PAGE.write_text(page(result), encoding="utf-8")
        result["page"] = PAGE.name
    return result


def subsets() -> list[Subset]:
    """The 15 that hold something, the smallest first."""
    return [chosen for n in range(1, 5) for chosen in combinations(Modality, n)]


def name_of(subset: Subset) -> str:
    return "+".join(subset)


def simulated(card: Card, cases: int) -> Iterator[Subject]:
    """Differently simulated heads; the engine is started once for all."""
    from napari_mmseg.inference.engine import open_processor
    from napari_mmseg.training.calibrate import predicted
    from napari_mmseg.training.validate import held_out_heads, shifted_cases

    engine = open_processor(card)
    try:
        for images, depth in shifted_cases(held_out_heads(ANATOMY), cases):

            def found(subset: Subset, images: NDArray[np.float32] = images) -> Masks:
                kept = [modality in subset for modality in card.channels]
                part = images * np.asarray(kept, dtype=np.float32)[:, None, None, None]
                answer = predicted(card, engine, part)
                return masks_of(answer.annotation())

            truth = {region: depth > level for level, region in enumerate(REGIONS)}
            yield Subject(truth, found, voxel_ml=1e-3)
    finally:
        engine.close()


def real(card: Card, cases: int | None = None) -> Iterator[Subject]:
    """The real cases that the model has not learnt from, segmented as on the command line."""
    for images, labels, encoding in list(dict(real_cases()).values())[:cases]:
        case = napari_mmseg.open_case(images)
        if has_learnt_from(card, case):
            continue
        reference = napari_mmseg.read_annotation(labels, encoding=encoding, like=case)

        def found(subset: Subset, case: Case = case) -> Masks:
            return masks_of(napari_mmseg.segment(only(case, subset), model=card.folder))

        voxel_ml = float(np.prod(case.grid.spacing)) / 1000
        yield Subject(masks_of(reference), found, voxel_ml)


def only(case: Case, subset: Subset) -> Case:
    """The case without its other contrasts."""
    kept = {modality: case.volumes[modality] for modality in subset}
    return replace(case, volumes=kept, reference=subset[0])


def masks_of(annotation: Annotation) -> Masks:
    return {region: annotation.region(region) for region in REGIONS}


def table(subjects: Iterable[Subject], chosen: list[Subset] | None = None) -> dict[str, Any] | None:
    """Mean Dice by subset and over the subsets; None without a case."""
    chosen = subsets() if chosen is None else chosen
    dices: dict[Subset, dict[str, list[float]]] = {s: {r: [] for r in REGIONS} for s in chosen}
    invented: dict[Subset, list[float]] = {subset: [] for subset in chosen}
    cases = 0
    for subject in subjects:
        cases += 1
        for subset in chosen:
            found = subject.found(subset)
            for region, truth in subject.truth.items():
                if truth.any():
                    both = int((found[region] & truth).sum())
                    total = int(found[region].sum()) + int(truth.sum())
                    dices[subset][region].append(2 * both / total)
            if not subject.truth["ET"].any():
                invented[subset].append(int(found["ET"].sum()) * subject.voxel_ml)
    if not cases:
        return None
    rows = {
        name_of(subset): {
            **{region: _mean(dices[subset][region]) for region in REGIONS},
            "n": {region: len(dices[subset][region]) for region in REGIONS},
            "invented_et_ml": _mean(invented[subset]),
            "flags": [] if Modality.T1CE in subset else [FLAG],
        }
        for subset in chosen
    }
    over = {
        region: _mean([row[region] for row in rows.values() if row[region] is not None])
        for region in REGIONS
    }
    return {"subsets": rows, "mean": over, "cases": cases}


def page(result: Mapping[str, Any]) -> str:
    """docs/subsets.md, whole."""
    lines = [
        "# Missing contrasts",
        "",
        f"Mean Dice of `{result['model']}` for each of the 15 subsets of the four contrasts, over "
        "the cases that have the region. A missing contrast is all zeros for the network. † "
        "Without T1ce nothing shows what enhances: ET (and much of TC) is then a guess, which the "
        "program says.",
        "",
        "Made by `python -m benchmarks subsets --write`; do not edit.",
        "",
    ]
    groups = {key: result[key] for key in ("simulated", "real") if result[key]}
    heads = [f"{key} {region}" for key in groups for region in REGIONS]
    lines += [_row(["contrasts", *heads]), _row(["---"] * (len(heads) + 1))]
    first = next(iter(groups.values()))
    for name, row in first["subsets"].items():
        mark = " †" if row["flags"] else ""
        cells = [group["subsets"][name][region] for group in groups.values() for region in REGIONS]
        lines.append(_row([name + mark, *map(_cell, cells)]))
    means = [group["mean"][region] for group in groups.values() for region in REGIONS]
    lines.append(_row(["**mean of the 15**", *(f"**{_cell(value)}**" for value in means)]))
    counted = ", ".join(f"{group['cases']} {key} cases" for key, group in groups.items())
    lines += [
        "",
        f"{counted}. Simulated: heads of anatomies kept out of training, simulated differently "
        "from it. Real: nine of BraTS 2021 and one slab of the Decathlon, without those that the "
        "model has learnt from.",
        "",
        "## Beside others",
        "Averages over the same 15 subsets as published. **Different data**: these networks were "
        "trained on 199 to 219 patients of BraTS and tested on others of the same data set, so the "
        "figures say where the field is, not who wins.",
        "",
        "| method | data | WT | TC | ET | reported by |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        _row([p.method, p.data, *(f"{v / 100:.3f}" for v in (p.wt, p.tc, p.et)), p.source])
        for p in PUBLISHED
    ]
    lines += [
        "",
        f"{RFNET}: Ding Y, Yu X, Yang Y, *RFNet*, ICCV 2021, 3975-3984; the tables Brats2018 and "
        "Brats2020 of the authors' page (github.com/dyh127/RFNet), which sum up the paper's. "
        f"{DEMOSEG}: Yang K et al., *DeMoSeg*, arXiv:2408.08708, the tables of the authors' page, "
        "with mmFormer (Zhang Y et al., MICCAI 2022) on RFNet's splits. HeMIS: Havaei M et al., "
        "MICCAI 2016. U-HVED: Dorent R et al., MICCAI 2019.",
        "",
    ]
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _mean(values: list[float]) -> float | None:
    return round(mean(values), DIGITS) if values else None
