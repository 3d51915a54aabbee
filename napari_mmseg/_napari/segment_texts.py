"""What the Segment section tells in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..annotation import Annotation
    from ..inference import Prediction

#: How often the network looks, as a list of (text shown, name); "": as the model's card says.
LOOKS: list[tuple[str, object]] = [
    ("As the model says", ""),
    ("Once", "single"),
    ("Mirrored too", "mirrored"),
    ("Thoroughly", "thorough"),
]

_LOOKED = {"mirrored": ", from two looks", "thorough": ", from several looks"}

WAITING = "The result is there: it waits for your stroke to end"
KEPT = " What you changed meanwhile was kept, as a step of its own."

STAGES = {
    "load": "Loading the model",
    "prepare": "Preparing the images",
    "predict": "The network looks at the brain",
    "adapt": "Fitting the answer to this case",
    "label": "Putting the result together",
}


def stage_text(name: str) -> str:
    return STAGES.get(name, name.capitalize())


def result_text(annotation: Annotation, seconds: float, prediction: Prediction, kept: bool) -> str:
    """What made a result and what to expect of it; `kept`: the user's changes were put on top."""
    how = annotation.provenance
    device = f" on {how.device}" if how.device else ""
    looked = _LOOKED.get(how.looks, "")
    fitted = ", fitted to this case" if how.adapted else ""
    used = f"Used {', '.join(how.modalities)}."
    if how.missing:
        used += f" Missing: {', '.join(how.missing)}."
    told = f"Segmented by {how.model}{device} in {seconds:.1f} s{looked}{fitted}. {used}"
    return told + _hopes(how.expected_dice, prediction) + (KEPT if kept else "")


def _hopes(expected: Mapping[str, float], prediction: Prediction) -> str:
    """The expected Dice in a sentence, with how far it is usually off."""
    if not expected or prediction.calibration is None:
        return ""
    errors = prediction.calibration.dice_error
    shown = ", ".join(
        f"{region} {value:.2f}" + (f" ± {errors[region]:.2f}" if region in errors else "")
        for region, value in expected.items()
    )
    return f" Expected Dice, as seen on simulated cases: {shown}."
