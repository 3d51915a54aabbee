"""One simulated patient's geometry: tissue classes and lesion classes, no intensities yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_mmseg.training.simulate import tissues as t
from napari_mmseg.training.simulate.anatomy import (
    TISSUE_MASK,
    Head,
    deform,
    fold_cerebellum,
    narrow_sulci,
    strip_skull,
)
from napari_mmseg.training.simulate.chance import Chance, Shape
from napari_mmseg.training.simulate.distractors import (
    draw_hyperintensities,
    draw_meninges,
    draw_vessels,
)
from napari_mmseg.training.simulate.tumour import (
    Plan,
    draw_tumour,
    plan_satellites,
    plan_tumour,
    push_aside,
)

HEALTHY_SHARE = 0.12


@dataclass(frozen=True)
class Geometry:
    """Tissue and lesion classes (uint8, (I, P, L), 1 mm), cropped to the brain; 0 is outside.

    scan: real images (4, I, P, L) below the lesions, white matter about 1; None where the
    contrasts are to be drawn too.
    """

    tissue: Tensor
    lesion: Tensor
    scan: Tensor | None = None

    @property
    def shape(self) -> Shape:
        i, p, left = self.tissue.shape
        return i, p, left

    def depth(self) -> NDArray[np.uint8]:
        """Reference label: 0 background, 1 WT only, 2 TC without ET, 3 ET."""
        return t.DEPTH_OF_LESION[self.lesion.cpu().numpy()]


def simulate_geometry(
    head: Head,
    chance: Chance,
    healthy: bool | None = None,
    adjust: Callable[[Plan], Plan] | None = None,
) -> Geometry:
    """A deformed head with a tumour (or none) and things that look like one.

    `healthy` forces a brain without (True) or with (False) a tumour; `adjust` may change what was
    drawn by lot for the first one.
    """
    brain = fold_cerebellum(narrow_sulci(deform(head, chance), chance), chance)
    lesion = torch.zeros_like(brain)
    without = chance.happens(HEALTHY_SHARE) if healthy is None else healthy
    plans = []
    if not without:
        first = plan_tumour(brain, chance)
        first = adjust(first) if adjust is not None else first
        plans.append(first)
        if first.kind == "multifocal":
            plans += [plan_tumour(brain, chance) for _ in range(chance.integer(1, 4))]
        else:
            plans += plan_satellites(brain, first, chance)
        for plan in plans:
            brain, _ = push_aside(brain, plan, chance)
        for plan in plans:
            draw_tumour(brain, lesion, plan, chance)
    support = strip_skull(brain, chance)
    tissue = brain & TISSUE_MASK
    draw_meninges(tissue, support, chance)
    draw_vessels(tissue, lesion, brain >> t.SIDE_SHIFT, chance)
    draw_hyperintensities(tissue, lesion, chance)
    # Gaps inside the support that no class fills are fluid.
    tissue[support & (tissue == t.OUTSIDE)] = t.CSF
    tissue[~support] = t.OUTSIDE
    lesion[~support] = t.NORMAL
    return cropped(tissue, lesion)


def cropped(
    tissue: Tensor, lesion: Tensor, scan: Tensor | None = None, margin: int = 2
) -> Geometry:
    """All volumes cut to the box of the brain and a margin in voxels."""
    inside = tissue != t.OUTSIDE
    box = []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        lines = torch.nonzero(inside.sum(dim=others))[:, 0]
        box.append(slice(max(0, int(lines[0]) - margin), int(lines[-1]) + 1 + margin))
    cut = None if scan is None else scan[(slice(None), *box)].contiguous()
    return Geometry(tissue[tuple(box)].contiguous(), lesion[tuple(box)].contiguous(), cut)
