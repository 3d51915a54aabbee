"""STAPLE: the truth and the raters' performance, estimated together.

Warfield, Zou and Wells, IEEE Trans Med Imaging 23(7), 2004, as SimpleITK has it: expectation
maximisation for one region, without a spatial prior. The prior of the truth is one number, the
mean share of yes over the voxels given. That is why it is run over the neighbourhood of what
anybody marked (see `panel.NEIGHBOURHOOD_MM`): over a whole image the prior nears 0 and every
specificity 1, so that a consensus would shrink as the field of view grows. The method looks at
each voxel by itself, so the neighbourhood can have any shape and need not be a box, which between
two distant lesions would be mostly background again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .votes import Says

#: Estimates that have not settled after so many rounds are taken as they are, and it is said.
MOST_ROUNDS = 1000


@dataclass(frozen=True, eq=False)
class Estimate:
    """STAPLE's result for one region.

    `probability` has the voxels' shape; sensitivity and specificity are by rater.
    """

    probability: NDArray[np.float64]
    sensitivity: tuple[float, ...]
    specificity: tuple[float, ...]
    settled: bool


def staple(says: Says) -> Estimate | None:
    """STAPLE over the voxels given; None where it comes to no answer (0/0).

    Parameters
    ----------
    says
        Axes (rater, voxel); at least one voxel. Raters that are all alike need no estimate: they
        are the truth and never wrong.
    """
    if (says == says[0]).all():
        sure = (1.0,) * len(says)
        return Estimate(says[0].astype(np.float64), sure, sure, True)
    import SimpleITK as sitk

    method = sitk.STAPLEImageFilter()
    method.SetForegroundValue(1.0)
    method.SetMaximumIterations(MOST_ROUNDS)
    # An image needs two axes.
    images = [sitk.GetImageFromArray(said.view(np.uint8)[None]) for said in says]
    probability = sitk.GetArrayFromImage(method.Execute(images))[0]
    sensitivity = tuple(float(p) for p in method.GetSensitivity())
    specificity = tuple(float(q) for q in method.GetSpecificity())
    if not np.isfinite([*sensitivity, *specificity, probability.sum()]).all():
        return None
    settled = method.GetElapsedIterations() < MOST_ROUNDS
    return Estimate(probability, sensitivity, specificity, settled)
