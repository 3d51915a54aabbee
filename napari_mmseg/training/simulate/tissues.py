"""The classes a simulated head is made of, and how FreeSurfer codes map to them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

OUTSIDE, WHITE, CORTEX, THALAMUS, STRIATUM, PALLIDUM, VENTRICLE, CSF = range(8)
CEREBELLAR_CORTEX, CEREBELLAR_WHITE, BRAINSTEM, PLEXUS, VESSEL, DURA, RESIDUE, HIPPOCAMPUS = range(
    8, 16
)
TISSUES = 16
SIDE_SHIFT = 5  # a code is tissue + 32 * side
LEFT, RIGHT = 1, 2

(
    NORMAL, OEDEMA, NECROSIS, ENHANCING, SOLID, CYST, BLEED, INFILTRATED, HYPERINTENSITY, CALCIUM,
) = range(10)  # fmt: skip
LESIONS = 10
# Depth in the glioma protocol: 0 background, 1 WT only, 2 TC without ET, 3 ET.
DEPTH_OF_LESION = np.array([0, 1, 2, 3, 2, 2, 2, 1, 0, 2], dtype=np.uint8)

_LEFT_OF = {
    2: WHITE, 3: CORTEX, 4: VENTRICLE, 5: VENTRICLE, 7: CEREBELLAR_WHITE, 8: CEREBELLAR_CORTEX,
    10: THALAMUS, 11: STRIATUM, 12: STRIATUM, 13: PALLIDUM, 17: HIPPOCAMPUS, 18: HIPPOCAMPUS,
    25: WHITE, 26: STRIATUM, 28: BRAINSTEM, 30: VESSEL, 31: PLEXUS, 136: PLEXUS, 137: PLEXUS,
}  # fmt: skip
_RIGHT_OF = {
    41: WHITE, 42: CORTEX, 43: VENTRICLE, 44: VENTRICLE, 46: CEREBELLAR_WHITE,
    47: CEREBELLAR_CORTEX, 49: THALAMUS, 50: STRIATUM, 51: STRIATUM, 52: PALLIDUM,
    53: HIPPOCAMPUS, 54: HIPPOCAMPUS, 57: WHITE, 58: STRIATUM, 60: BRAINSTEM, 62: VESSEL,
    63: PLEXUS, 163: PLEXUS, 164: PLEXUS,
}  # fmt: skip
_MIDDLE = {
    14: VENTRICLE, 15: VENTRICLE, 16: BRAINSTEM, 24: CSF, 72: VENTRICLE, 77: WHITE,
    85: WHITE,
}  # fmt: skip
# 136, 137, 163, 164 lie inside the lateral ventricles of the SynthSeg maps (looked at): plexus.
_FIRST_HEAD_CODE = 500  # SynthSeg's codes outside the brain: skull, fat, skin, eyes


def lookup() -> NDArray[np.uint8]:
    """Table from a FreeSurfer code (0..1023) to tissue + 32 * side."""
    table = np.zeros(1024, dtype=np.uint8)
    for side, codes in ((LEFT, _LEFT_OF), (RIGHT, _RIGHT_OF), (0, _MIDDLE)):
        for code, tissue in codes.items():
            table[code] = tissue + (side << SIDE_SHIFT)
    table[_FIRST_HEAD_CODE:] = RESIDUE
    return table


PARENCHYMA = (WHITE, CORTEX, THALAMUS, STRIATUM, PALLIDUM, CEREBELLAR_CORTEX, CEREBELLAR_WHITE,
              BRAINSTEM, HIPPOCAMPUS)  # fmt: skip
FLUID = (VENTRICLE, CSF, PLEXUS)


def member_table(classes: tuple[int, ...], size: int = 256) -> NDArray[np.bool_]:
    """Table that is true for `classes`, to be indexed with a class volume."""
    table = np.zeros(size, dtype=bool)
    table[list(classes)] = True
    return table
