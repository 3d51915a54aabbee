"""How bright each class is in T1, T1ce, T2 and FLAIR: random, within what MRI allows.

White matter is 1 in every contrast; everything else is drawn relative to it. The order that
never changes: enhancement is bright on T1ce and not on T1; oedema is bright on FLAIR and T2 and
not bright on T1; necrosis is dark on T1ce; fluid is dark on FLAIR and bright on T2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from napari_mmseg.training.simulate import tissues as t
from napari_mmseg.training.simulate.chance import Chance

CHANNELS = ("T1", "T1ce", "T2", "FLAIR")
T1, T1CE, T2, FLAIR = range(4)
STRETCH = (1.6, 2.8)
DISTINCT = 0.05  # least difference from the surroundings that makes a class visible


@dataclass(frozen=True)
class LesionLook:
    """mean, texture (4, LESIONS): intensity and amplitude of its variation; opacity (LESIONS,):
    how little of the tissue below shows through; unevenness: amplitude of the slow variation of
    the water that spreads around a tumour, the same in all contrasts.
    """

    mean: Tensor
    texture: Tensor
    opacity: Tensor
    unevenness: float = 0.0


@dataclass(frozen=True)
class Contrast:
    """tissue (4, TISSUES): mean intensities; tissue_texture: amplitude of local variation."""

    tissue: Tensor
    tissue_texture: Tensor
    lesions: LesionLook

    def on(self, device: torch.device) -> Contrast:
        """The same on a device."""
        look = self.lesions
        return Contrast(
            self.tissue.to(device),
            self.tissue_texture.to(device),
            replace(
                look,
                mean=look.mean.to(device),
                texture=look.texture.to(device),
                opacity=look.opacity.to(device),
            ),
        )


def draw_contrast(chance: Chance, tissue: Tensor | None = None) -> Contrast:
    """One scanner, protocol and tumour biology; `tissue` gives the means of a real scan."""
    real = tissue is not None
    tissue = _tissue_means(chance) if tissue is None else tissue
    texture = torch.full((4, t.TISSUES), 0.02) * chance.uniform(0.4, 2.0)
    # FLAIR of healthy cortex and deep grey matter varies most: limbic cortex glows in many scans.
    texture[FLAIR] *= chance.uniform(1.0, 2.0)
    for code in (t.CORTEX, t.HIPPOCAMPUS, t.STRIATUM, t.THALAMUS, t.CEREBELLAR_CORTEX):
        texture[FLAIR, code] *= chance.uniform(1.0, 2.0)
    for code in (t.VESSEL, t.DURA, t.RESIDUE, t.PLEXUS):
        texture[:, code] = 0.15
    texture[:, t.CSF] = tissue[:, t.CSF] * 0.08
    texture[T2, t.CSF] = tissue[T2, t.CSF] * chance.uniform(0.05, 0.25)
    texture[FLAIR, t.CSF] = chance.uniform(0.03, 0.15)  # flow and partial volume
    lesions = draw_lesions(tissue, chance)
    if real:
        _stand_out(lesions.mean, chance.uniform(*STRETCH))
    return Contrast(tissue, texture, lesions)


def _stand_out(mean: Tensor, factor: float) -> None:
    """Stretch what glares on FLAIR, T2 and T1ce (in place).

    A scan's tissues differ more from each other than drawn ones; against their spread lesions
    would be half as bright as in patients.
    """
    for channel, power in ((FLAIR, 1.0), (T2, 0.5)):
        level = mean[channel]
        mean[channel] = torch.where(level > 1, 1 + (level - 1) * factor**power, level)
    mean[T1CE, t.ENHANCING] = 1 + (mean[T1CE, t.ENHANCING] - 1) * factor**1.5


def draw_lesions(tissue: Tensor, chance: Chance) -> LesionLook:
    """One tumour biology on top of `tissue`, mean intensities (4, TISSUES) with white matter 1."""
    mean = _lesion_means(tissue, chance)
    texture = torch.zeros(4, t.LESIONS)
    for code in range(1, t.LESIONS):
        for channel in range(4):
            offset = abs(float(mean[channel, code] - tissue[channel, t.WHITE]))
            texture[channel, code] = 0.02 + offset * chance.uniform(0.05, 0.3)
    texture[T1CE, t.ENHANCING] *= 1.3
    texture[:, t.CYST] *= chance.uniform(0.15, 1.0)  # clear fluid is even
    texture[FLAIR, t.OEDEMA] *= chance.uniform(1.0, 2.0)
    opacity = torch.ones(t.LESIONS)
    opacity[t.NORMAL] = 0.0
    opacity[t.OEDEMA] = chance.uniform(0.55, 1.0)
    opacity[t.INFILTRATED] = chance.uniform(0.4, 0.95)
    opacity[t.HYPERINTENSITY] = chance.uniform(0.3, 1.0)
    return LesionLook(mean, texture, opacity, chance.uniform(0.0, 0.5))


def _tissue_means(chance: Chance) -> Tensor:
    mean = torch.ones(4, t.TISSUES)
    # Grey and white matter differ clearly on most T1 images and hardly on some.
    grey_t1 = chance.uniform(0.62, 0.9) if chance.happens(0.75) else chance.uniform(0.88, 0.99)
    grey = [
        grey_t1,
        grey_t1 + chance.normal(0.08) if chance.happens(0.5) else chance.uniform(0.7, 1.04),
        chance.uniform(1.05, 1.55),
        chance.uniform(0.94, 1.3),
    ]
    fluid_t1 = chance.uniform(0.2, 0.55)
    fluid = [
        fluid_t1,
        min(0.7, max(0.12, fluid_t1 + chance.normal(0.08))),
        max(grey[T2] + 0.25, chance.log_uniform(1.4, 2.8)),
        chance.uniform(0.12, 0.6),
    ]
    for channel in range(4):
        g, f = grey[channel], fluid[channel]
        row = mean[channel]
        row[t.CORTEX] = row[t.HIPPOCAMPUS] = g
        row[t.HIPPOCAMPUS] = g + chance.normal(0.03)
        row[t.STRIATUM] = g + (1 - g) * chance.uniform(-0.1, 0.5)
        row[t.THALAMUS] = g + (1 - g) * chance.uniform(0.1, 0.7)
        row[t.PALLIDUM] = 1 + (g - 1) * chance.uniform(-0.3, 0.4)
        # Infratentorial tissue as a whole is brighter or darker; in many scans it glows.
        below = chance.normal(0.05) if chance.happens(0.5) else chance.uniform(-0.1, 0.3)
        row[t.CEREBELLAR_CORTEX] = g + below + chance.normal(0.05)
        row[t.CEREBELLAR_WHITE] = 1 + below + chance.normal(0.05)
        row[t.BRAINSTEM] = 1 + below + (g - 1) * chance.uniform(0, 0.5) + chance.normal(0.04)
        row[t.VENTRICLE] = f
        # Sulcal fluid shares its voxels with cortex and vessels.
        row[t.CSF] = f + (g - f) * chance.uniform(0.05, 0.7)
        row[t.PLEXUS] = f + (g - f) * chance.uniform(0.2, 1.0)
        row[t.VESSEL] = chance.uniform(0.2, 1.1)
        row[t.DURA] = chance.uniform(0.3, 1.1)
        row[t.RESIDUE] = chance.uniform(0.1, 1.6)
    mean[T2, t.PALLIDUM] = mean[FLAIR, t.PALLIDUM] = chance.uniform(0.65, 1.05)
    glow = chance.uniform(0.0, 1.2)  # how strongly vessels take contrast agent here
    mean[T1CE, t.VESSEL] = max(float(mean[T1CE, t.CORTEX]), 1.0) + glow
    mean[T1CE, t.DURA] = 0.7 + chance.uniform(0.0, 1.2)
    # The choroid plexus has no barrier to the agent: it may shine where vessels hardly do.
    shine = glow if chance.happens(0.5) else chance.uniform(0.3, 1.4)
    mean[T1CE, t.PLEXUS] = max(float(mean[T1CE, t.VENTRICLE]) + 0.1, 0.6 + shine)
    mean[T2, t.VESSEL] = chance.uniform(0.1, 0.9)
    return mean


def _lesion_means(tissue: Tensor, chance: Chance) -> Tensor:
    mean = torch.ones(4, t.LESIONS)
    fluid = tissue[:, t.VENTRICLE]
    grey = tissue[:, t.CORTEX]
    vivid = chance.log_uniform(0.3, 1.0)  # one tumour is faint in all contrasts, another glares
    water = min(0.9, max(0.12, vivid * chance.uniform(0.5, 1.3)))
    high_t2 = max(float(grey[T2]), 1.0)
    high_flair = max(float(grey[FLAIR]), 1.0)
    low_t1 = min(float(grey[T1]), 1.0)

    def t1_like(share: float) -> float:
        """T1 of white matter (-1), of the darker of grey and white (0), of fluid (1)."""
        end = 1.0 if share < 0 else float(fluid[T1])
        return low_t1 + (end - low_t1) * abs(share)

    def t1ce_like(share: float) -> float:
        low = min(float(grey[T1CE]), 1.0)
        end = 1.0 if share < 0 else float(fluid[T1CE])
        return low + (end - low) * abs(share)

    def t2_like(share: float) -> float:
        return high_t2 + (float(fluid[T2]) - high_t2) * share

    # In patients the T1 of oedema lies between grey and white more often than below both.
    # Around some it is as dark as a core that does not enhance: only the place tells them apart.
    share = water * chance.uniform(0.0, 0.6) - chance.uniform(0.0, 0.8)
    if chance.happens(0.2):
        share = chance.uniform(0.1, 0.7)
    mean[:, t.OEDEMA] = torch.tensor([
        t1_like(share), t1ce_like(share + chance.normal(0.05)),
        t2_like(max(0.06, water * chance.uniform(0.5, 1.0))),
        high_flair + DISTINCT + vivid * chance.uniform(0.12, 0.65),
    ])  # fmt: skip
    oedema = mean[:, t.OEDEMA]
    share = chance.uniform(0.0, 0.7) * max(water, 0.25) - chance.uniform(0.0, 0.5)
    mean[:, t.SOLID] = torch.tensor([
        t1_like(share), t1ce_like(share - chance.uniform(0.0, 0.15)),
        t2_like(max(0.04, chance.uniform(0.2, 1.0) * max(water, 0.3))),
        float(oedema[FLAIR]) * chance.uniform(0.7, 1.1),
    ])  # fmt: skip
    if chance.happens(0.12):  # T2-FLAIR mismatch
        mean[FLAIR, t.SOLID] = chance.uniform(0.6, 1.0)
        mean[T2, t.SOLID] = t2_like(chance.uniform(0.5, 0.95))
    mean[:, t.INFILTRATED] = oedema + 0.0
    mean[FLAIR, t.INFILTRATED] = high_flair + DISTINCT + vivid * chance.uniform(0.1, 0.9)
    mean[T2, t.INFILTRATED] = t2_like(max(0.03, water * chance.uniform(0.2, 0.8)))
    share = chance.uniform(-0.4, 0.75)
    # Proteins keep much necrosis above white matter on FLAIR; the most liquid is dark.
    bright = chance.uniform(0.95, float(oedema[FLAIR]) + 0.3)
    dark = chance.uniform(min(float(fluid[FLAIR]) + 0.1, 0.9), 1.0)
    mean[:, t.NECROSIS] = torch.tensor([
        t1_like(share), t1ce_like(share + chance.normal(0.08)),
        t2_like(chance.uniform(0.15, 0.95)),
        bright if chance.happens(0.5) else dark,
    ])  # fmt: skip
    if chance.happens(0.15):  # clotted blood and thick protein are dark on T2
        mean[T2, t.NECROSIS] = chance.uniform(0.6, 1.1)
    share = chance.uniform(0.6, 1.0)
    mean[:, t.CYST] = torch.tensor([
        t1_like(share), t1ce_like(share), t2_like(chance.uniform(0.7, 1.05)),
        float(fluid[FLAIR]) + chance.uniform(0.0, 0.4 if chance.happens(0.6) else 1.0),
    ])  # fmt: skip
    if chance.happens(0.45):  # as clear as the fluid of the ventricles, dark on FLAIR as they are
        mean[:, t.CYST] = fluid + torch.tensor([0.02, 0.02, 0.0, 0.06]) * chance.uniform(0, 1)
    mean[:, t.BLEED] = torch.tensor([
        chance.uniform(1.05, 1.5), chance.uniform(1.05, 1.5), chance.uniform(0.4, 2.0),
        chance.uniform(0.5, 1.6),
    ])  # fmt: skip
    # Calcium has hardly any signal; on T1 a fine powder of it may shine.
    shine = chance.uniform(0.3, 0.9) if chance.happens(0.7) else chance.uniform(0.9, 1.25)
    mean[:, t.CALCIUM] = torch.tensor([
        shine, shine, chance.uniform(0.1, 0.7), chance.uniform(0.1, 0.7),
    ])  # fmt: skip
    brightest = max(float(grey[T1CE]), 1.0)
    uptake = chance.log_uniform(0.1, 1.2)
    mean[:, t.ENHANCING] = torch.tensor([
        t1_like(chance.uniform(-0.9, 0.2)), brightest + DISTINCT + uptake,
        1.0 + (t2_like(water) - 1.0) * chance.uniform(0.0, 0.9),
        1.0 + (float(oedema[FLAIR]) - 1.0) * chance.uniform(0.2, 1.5),
    ])  # fmt: skip
    if chance.happens(0.25):  # densely packed cells hold little water
        mean[T2, t.ENHANCING] = 1.0 + (t2_like(water) - 1.0) * chance.uniform(-0.1, 0.4)
        mean[FLAIR, t.ENHANCING] = max(
            0.88, 1.0 + (float(oedema[FLAIR]) - 1.0) * chance.uniform(-0.3, 0.4)
        )
    if chance.happens(0.15):  # blood or calcium: bright on T1 too, but less than on T1ce
        mean[T1, t.ENHANCING] = chance.uniform(1.0, 1.15)
    spot = chance.log_uniform(0.05, 0.35)
    mean[:, t.HYPERINTENSITY] = torch.tensor([
        1.0 - spot * 0.4, 1.0 - spot * 0.3, 1.0 + spot * chance.uniform(0.4, 2.0),
        high_flair + spot,
    ])  # fmt: skip
    return mean
