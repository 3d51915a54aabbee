"""What tumours measure, simulated or real: the numbers that show where the simulator is wrong.

Intensities are in robust sigmas of the brain (see preprocess/normalise.py), relative to white
matter: the same unit for every scanner.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_mmseg.errors import MmsegError

COMPARTMENTS = {"ED": 1, "NCR": 2, "ET": 3}  # oedema, necrotic and non-enhancing core, enhancing
CHANNELS = ("T1", "T1ce", "T2", "FLAIR")
FEWEST_VOXELS = 30  # of a compartment whose intensity is worth a number
_SAMPLE_STEP = 5  # every so many voxels find white matter as well as all do

NamedCase = tuple[str, NDArray[np.float32], NDArray[np.uint8]]


@dataclass(frozen=True)
class CaseStatistics:
    """One case.

    brain_ml: volume of the brain. volumes_ml: by compartment. shares: of the whole tumour, by
    compartment (empty without tumour). place: centroid of the tumour in the brain's box, 0 to 1
    from superior, anterior and right, or None. contrast: median of a compartment minus that of
    white matter in sigmas, by modality and compartment; "normal" is the spread (5th and 95th
    percentile) of the brain outside the tumour.
    """

    name: str
    brain_ml: float
    volumes_ml: dict[str, float]
    shares: dict[str, float]
    place: tuple[float, float, float] | None
    contrast: dict[str, dict[str, float]]
    normal: dict[str, tuple[float, float]]


def measure(
    name: str, volumes: NDArray[np.float32], depth: NDArray[np.uint8], voxel_ml: float = 1e-3
) -> CaseStatistics:
    """Statistics of normalised images (4, I, P, L) and their depths (I, P, L)."""
    brain = (volumes != 0).any(axis=0)
    ill = depth > 0
    healthy = brain & ~ill
    white = healthy & (volumes[0] >= _white_matter_from(volumes[0], healthy))
    masks = {key: depth == code for key, code in COMPARTMENTS.items()}
    counts = {key: int(np.count_nonzero(mask)) for key, mask in masks.items()}
    total = sum(counts.values())
    contrast: dict[str, dict[str, float]] = {}
    normal: dict[str, tuple[float, float]] = {}
    for channel, image in zip(CHANNELS, volumes, strict=True):
        level = float(np.median(image[white]))
        low, high = np.percentile(image[healthy][::_SAMPLE_STEP], (5, 95))
        normal[channel] = (float(low) - level, float(high) - level)
        contrast[channel] = {
            key: float(np.median(image[mask])) - level
            for key, mask in masks.items()
            if counts[key] >= FEWEST_VOXELS
        }
    return CaseStatistics(
        name=name,
        brain_ml=float(np.count_nonzero(brain)) * voxel_ml,
        volumes_ml={key: count * voxel_ml for key, count in counts.items()},
        shares={key: count / total for key, count in counts.items()} if total else {},
        place=_centroid(ill, brain) if total else None,
        contrast=contrast,
        normal=normal,
    )


def _white_matter_from(t1: NDArray[np.float32], healthy: NDArray[np.bool_]) -> float:
    """The T1 intensity from which on a healthy voxel is white matter (Otsu's, three classes)."""
    from skimage.filters import threshold_multiotsu

    return float(threshold_multiotsu(t1[healthy][::_SAMPLE_STEP], classes=3)[1])


def _centroid(ill: NDArray[np.bool_], brain: NDArray[np.bool_]) -> tuple[float, float, float]:
    place = []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        inside = np.flatnonzero(brain.any(axis=others))
        tumour = ill.sum(axis=others)
        middle = float((np.arange(len(tumour)) * tumour).sum() / tumour.sum())
        place.append((middle - inside[0]) / max(1, inside[-1] - inside[0]))
    return place[0], place[1], place[2]


def summary(cases: Sequence[CaseStatistics]) -> dict[str, tuple[float, float, float]]:
    """10th percentile, median and 90th percentile over cases, by quantity; absent ones skipped."""
    values: dict[str, list[float]] = {"brain ml": [case.brain_ml for case in cases]}
    ill = [case for case in cases if case.shares]
    values["WT ml"] = [sum(case.volumes_ml.values()) for case in ill]
    for key in COMPARTMENTS:
        values[f"{key} share of WT"] = [case.shares[key] for case in ill]
    for axis, end in enumerate(("inferior", "posterior", "left")):
        values[f"place towards {end}"] = [case.place[axis] for case in ill if case.place]
    for channel in CHANNELS:
        values[f"{channel} normal p5"] = [case.normal[channel][0] for case in cases]
        values[f"{channel} normal p95"] = [case.normal[channel][1] for case in cases]
        for key in COMPARTMENTS:
            values[f"{channel} {key} - WM"] = [
                case.contrast[channel][key] for case in cases if key in case.contrast[channel]
            ]
    result = {}
    for quantity, numbers in values.items():
        if numbers:
            low, middle, high = np.percentile(numbers, (10, 50, 90))
            result[quantity] = (float(low), float(middle), float(high))
    return result


def table(columns: dict[str, Sequence[CaseStatistics]]) -> str:
    """The summaries of several groups of cases side by side, as text."""
    summaries = {title: summary(cases) for title, cases in columns.items()}
    quantities = list(dict.fromkeys(q for one in summaries.values() for q in one))
    heads = [f"{title} (n={len(cases)})" for title, cases in columns.items()]
    lines = [f"{'10 % / median / 90 %':24}" + "".join(f"{head:>28}" for head in heads)]
    for quantity in quantities:
        cells = []
        for one in summaries.values():
            text = " / ".join(f"{v:.2f}" for v in one[quantity]) if quantity in one else "none"
            cells.append(f"{text:>28}")
        lines.append(f"{quantity:24}" + "".join(cells))
    return "\n".join(lines)


def real_cases(folders: Iterable[Path], encoding: str | None) -> Iterator[NamedCase]:
    """Labelled cases as the network sees them; what cannot be read is said and skipped.

    The label's encoding is what its name tells, else `encoding`.
    """
    from napari_mmseg.inference.prepare import prepare
    from napari_mmseg.inference.progress import Watch
    from napari_mmseg.io import open_case, read_annotation
    from napari_mmseg.models import load_card

    card = load_card()
    for folder in folders:
        try:
            case = open_case(folder)
            if not case.labels:
                continue
            label = case.labels[0]
            annotation = read_annotation(label.path, encoding=label.encoding or encoding, like=case)
            ready = prepare(case, card, Watch())
        except MmsegError as error:
            print(f"skipped: {error}")
            continue
        depth = ready.change.apply(annotation.codes)[ready.box]
        volumes = ready.channels[(slice(None), *ready.interior)]
        if volumes.shape[1:] == depth.shape:
            yield case.id, volumes, np.ascontiguousarray(depth)
        else:
            print(f"skipped: {case.id} does not have voxels of {card.spacing_mm:g} mm")
