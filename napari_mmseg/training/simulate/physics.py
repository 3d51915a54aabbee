"""Contrasts from relaxation times and sequence equations: how the validation images are made.

Training draws intensities at random within an order (contrast.py). What a model is judged by must
come from elsewhere, or it is judged by its own habits: here every class has a T1, a T2 and a
proton density, and every contrast is a sequence with its times.

Relaxation times at 1.5 to 3 T after Stanisz et al., Magn Reson Med 54:507 (2005) for healthy
tissue and Ellingson et al., J Magn Reson Imaging 41:296 (2015) for tumours, rounded; the spoiled
gradient echo at a small flip angle and the turbo spin echoes are their textbook equations.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from napari_mmseg.training.simulate import tissues as t
from napari_mmseg.training.simulate.chance import Chance

RELAXIVITY_PER_MMOL_S = 4.5  # of gadolinium chelates, r1 in L / (mmol s)

# T1 (ms), T2 (ms), proton density relative to water.
_TISSUE_TIMES: dict[int, tuple[float, float, float]] = {
    t.OUTSIDE: (1000, 80, 0.0), t.WHITE: (850, 74, 0.71), t.CORTEX: (1350, 96, 0.82),
    t.THALAMUS: (1080, 85, 0.79), t.STRIATUM: (1200, 86, 0.8), t.PALLIDUM: (950, 62, 0.76),
    t.VENTRICLE: (4000, 1800, 1.0), t.CSF: (3000, 500, 0.95), t.CEREBELLAR_CORTEX: (1300, 96, 0.83),
    t.CEREBELLAR_WHITE: (900, 78, 0.73), t.BRAINSTEM: (960, 80, 0.75), t.PLEXUS: (1900, 220, 0.9),
    t.VESSEL: (1700, 60, 0.5), t.DURA: (1000, 40, 0.5), t.RESIDUE: (500, 60, 0.8),
    t.HIPPOCAMPUS: (1300, 100, 0.83),
}  # fmt: skip
# Lowest and highest of each; drawn per case, all three from one degree of wateriness.
_LESION_TIMES: dict[int, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    t.NORMAL: ((850, 850), (74, 74), (0.71, 0.71)),
    t.OEDEMA: ((1150, 1700), (105, 190), (0.8, 0.9)),
    t.NECROSIS: ((1500, 2800), (120, 400), (0.85, 0.98)),
    t.ENHANCING: ((1200, 1700), (85, 150), (0.8, 0.9)),
    t.SOLID: ((1300, 2000), (105, 210), (0.82, 0.93)),
    t.CYST: ((2600, 3800), (400, 1500), (0.95, 1.0)),
    t.BLEED: ((500, 900), (40, 120), (0.8, 0.95)),
    t.INFILTRATED: ((1150, 1600), (100, 170), (0.8, 0.88)),
    t.CALCIUM: ((900, 1400), (20, 60), (0.3, 0.6)),
    t.HYPERINTENSITY: ((1000, 1500), (95, 140), (0.76, 0.85)),
}  # fmt: skip
_UPTAKE_MMOL_L = {  # of contrast agent, lowest and highest
    t.VESSEL: (0.2, 1.2), t.DURA: (0.05, 0.6), t.PLEXUS: (0.1, 0.6),
}  # fmt: skip
_ENHANCEMENT_MMOL_L = (0.08, 0.9)


def draw_signals(chance: Chance) -> tuple[Tensor, Tensor]:
    """Signals (4, TISSUES) and (4, LESIONS) in T1, T1ce, T2, FLAIR; white matter is 1."""
    spread = chance.uniform(0.02, 0.06)  # between patients
    tissue = torch.zeros(3, t.TISSUES)
    for code, times in _TISSUE_TIMES.items():
        tissue[:, code] = torch.tensor([value * (1 + chance.normal(spread)) for value in times])
    lesion = torch.zeros(3, t.LESIONS)
    for code, ranges in _LESION_TIMES.items():
        water = chance.uniform(0, 1)
        lesion[:, code] = torch.tensor([low + (high - low) * water for low, high in ranges])
    agent_tissue, agent_lesion = torch.zeros(t.TISSUES), torch.zeros(t.LESIONS)
    for code, (low, high) in _UPTAKE_MMOL_L.items():
        agent_tissue[code] = chance.uniform(low, high)
    agent_lesion[t.ENHANCING] = chance.log_uniform(*_ENHANCEMENT_MMOL_L)
    classes = torch.cat([tissue, lesion], dim=1)
    agent = torch.cat([agent_tissue, agent_lesion])
    signals = torch.stack(_sequences(classes, agent, chance))
    signals = signals / signals[:, t.WHITE : t.WHITE + 1]
    return signals[:, : t.TISSUES], signals[:, t.TISSUES :]


def _sequences(classes: Tensor, agent: Tensor, chance: Chance) -> list[Tensor]:
    t1, t2, density = classes
    after = 1 / (1 / t1 + agent * RELAXIVITY_PER_MMOL_S / 1000)
    if chance.happens(0.5):  # a spoiled gradient echo, as most 3D T1 images are
        repetition, flip = chance.uniform(7, 25), math.radians(chance.uniform(12, 28))
        before_agent, after_agent = (_gradient_echo(x, repetition, flip) for x in (t1, after))
    else:  # a spin echo, as many older axial ones are
        repetition, echo = chance.uniform(400, 750), chance.uniform(8, 18)
        before_agent, after_agent = (_spin_echo(x, t2, repetition, echo) for x in (t1, after))
    repetition, echo = chance.uniform(3000, 7000), chance.uniform(75, 120)
    t2_weighted = _spin_echo(t1, t2, repetition, echo)
    repetition, echo = chance.uniform(7000, 11000), chance.uniform(85, 150)
    # The inversion time that nulls fluid of this patient, hit to a few per cent.
    fluid = float(t1[t.VENTRICLE])
    inversion = fluid * (math.log(2) - math.log(1 + math.exp(-repetition / fluid)))
    inversion *= 1 + chance.normal(0.03)
    recovered = 1 - 2 * torch.exp(-inversion / t1) + torch.exp(-repetition / t1)
    flair = recovered.abs() * torch.exp(-echo / t2)
    return [density * weight for weight in (before_agent, after_agent, t2_weighted, flair)]


def _gradient_echo(t1: Tensor, repetition: float, flip: float) -> Tensor:
    """Spoiled, per unit of proton density; times in ms, flip angle in radians."""
    kept = torch.exp(-repetition / t1)
    return math.sin(flip) * (1 - kept) / (1 - math.cos(flip) * kept)


def _spin_echo(t1: Tensor, t2: Tensor, repetition: float, echo: float) -> Tensor:
    """Per unit of proton density; times in ms."""
    return (1 - torch.exp(-repetition / t1)) * torch.exp(-echo / t2)
