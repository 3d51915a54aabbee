"""What the shipped model's probabilities are worth on the real cases, which nothing was fitted to.

`ece_before` and `ece_after` are the expected calibration error of the network's own numbers and of
the calibrated probabilities, by region (voxel-wise, 15 bins, within 5 mm of proposal or reference,
all cases together). `expected_dice` compares, over the cases in which the region was proposed, the
Dice that the calibration promises with the true one: Pearson's correlation and the mean absolute
error. `on_simulated_cases` is what the card says of the simulated cases. Needs the real cases in
../shared/data, which are never part of this repository.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.accuracy import real_cases
from napari_mmseg.errors import InputError
from napari_mmseg.inference import predict
from napari_mmseg.io import open_case, read_annotation
from napari_mmseg.models import load_card
from napari_mmseg.models.calibration import TOP_LEVEL, expected_dice
from napari_mmseg.training.calibrate import Seen, calibration_error, correlation, counted


def run() -> dict[str, Any]:
    card, found = load_card(), dict(real_cases())
    if card.calibration is None:
        raise InputError(
            f"the model {card.name} is not calibrated: "
            "`python -m napari_mmseg.training calibrate` does it"
        )
    if not found:
        raise InputError("the real cases of ../shared/data are not here: nothing to measure")
    seen: list[dict[str, Seen]] = []
    for images, labels, encoding in found.values():
        case = open_case(images)
        reference = read_annotation(labels, encoding=encoding, like=case)
        seen.append(counted(predict(case, device="cpu"), reference.codes))
    raw = np.arange(TOP_LEVEL + 1) / TOP_LEVEL
    before, after, foretold = {}, {}, {}
    for region in card.regions:
        meaning = card.calibration.curves[region].levels()
        cases = [case[region] for case in seen]
        before[region] = calibration_error([(case, raw) for case in cases])
        after[region] = calibration_error([(case, meaning) for case in cases])
        pairs = [
            (expected_dice(case.marked, case.everywhere, meaning), case.dice)
            for case in cases
            if case.dice is not None and case.marked.any()
        ]
        foretold[region] = {
            "cases": len(pairs),
            "correlation": correlation(pairs),
            "mean_absolute_error": float(np.mean([abs(a - b) for a, b in pairs])),
        }
    return {
        "ece_before": before,
        "ece_after": after,
        "expected_dice": foretold,
        "cases": len(seen),
        "on_simulated_cases": dict(card.calibration.evidence["ece"]),
    }
