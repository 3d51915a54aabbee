"""Tumours drawn into a head: where, which kind, what shape, how much oedema.

Lesion volumes are uint8 classes of tissues.py on the head's grid, axes (I, P, L), 1 mm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from napari_mmseg.training.simulate import tissues as t
from napari_mmseg.training.simulate.anatomy import TISSUE_MASK, sample_linear, sample_nearest
from napari_mmseg.training.simulate.chance import Chance, Shape
from napari_mmseg.training.simulate.neighbours import eroded, over_faces

Kind = Literal["ring", "infiltrating", "patchy", "solid", "cystic", "tiny-et", "multifocal"]
KINDS: tuple[Kind, ...] = (
    "ring", "infiltrating", "patchy", "solid", "cystic", "tiny-et", "multifocal",
)  # fmt: skip
KIND_WEIGHTS = (0.36, 0.12, 0.12, 0.08, 0.20, 0.06, 0.06)
RADIUS_MM = (3.5, 32.0)
MARGIN_MM = 12
SATELLITE_KINDS = ("ring", "solid", "patchy")
SATELLITE_SHARE = 0.15


@dataclass(frozen=True)
class Plan:
    """One tumour before it is drawn: kind, centre (voxels), core radius and oedema reach (mm)."""

    kind: Kind
    centre: tuple[int, int, int]
    radius: float
    reach: float
    cortical: bool


def plan_tumour(head: Tensor, chance: Chance) -> Plan:
    """Choose kind, place and size. Sizes are log-uniform; places favour white matter."""
    kind = KINDS[chance.pick(KIND_WEIGHTS)]
    low, high = RADIUS_MM
    if kind in ("infiltrating", "cystic", "tiny-et", "patchy"):
        low = 7.0
    # Log-uniform alone leaves the volumes of large tumours, most of a clinic's cases, too rare.
    radius = chance.log_uniform(low, high) if chance.happens(0.3) else chance.uniform(12.0, 36.0)
    if kind == "multifocal":
        radius = chance.log_uniform(low, 18.0)
    reach = (0.0, chance.uniform(1.5, 6), chance.uniform(6, 14), chance.uniform(14, 34))[
        chance.pick((0.12, 0.28, 0.32, 0.28))
    ]
    if kind in ("infiltrating", "cystic", "tiny-et"):
        reach *= 0.5
    weights = np.zeros(256)
    weights[[t.WHITE, t.CORTEX, t.THALAMUS, t.STRIATUM, t.HIPPOCAMPUS]] = (1.0, 0.45, 0.7, 0.8, 2.0)
    weights[[t.CEREBELLAR_WHITE, t.CEREBELLAR_CORTEX, t.BRAINSTEM]] = (0.03, 0.02, 0.03)
    tissue = head & TISSUE_MASK
    flat = torch.from_numpy(weights).to(tissue.device)[tissue.reshape(-1)[::7].long()]
    total = torch.cumsum(flat, 0)
    where = int(torch.searchsorted(total, chance.uniform(0, float(total[-1])))) * 7
    i, p, left = (int(n) for n in np.unravel_index(where, tuple(tissue.shape)))
    cortical = kind in ("infiltrating", "tiny-et") or chance.happens(0.25)
    return Plan(kind, (i, p, left), radius, reach, cortical)


def plan_satellites(head: Tensor, parent: Plan, chance: Chance) -> list[Plan]:
    """A few small enhancing foci near an enhancing tumour, within the brain; often none."""
    if parent.kind not in SATELLITE_KINDS or not chance.happens(SATELLITE_SHARE):
        return []
    plans = []
    for _ in range(chance.integer(1, 4)):
        away = parent.radius + chance.uniform(4, 18)
        direction = chance.white((3,))
        step = (direction / direction.norm() * away).tolist()
        place = [round(c + s) for c, s in zip(parent.centre, step, strict=True)]
        if any(not 0 <= p < n for p, n in zip(place, head.shape, strict=True)):
            continue
        i, p, left = place
        if int(head[i, p, left]) & TISSUE_MASK in (t.WHITE, t.CORTEX, t.STRIATUM, t.THALAMUS):
            kind: Kind = "ring" if chance.happens(0.5) else "solid"
            plans.append(Plan(kind, (i, p, left), chance.uniform(2, 6), 0.0, False))
    return plans


def push_aside(
    head: Tensor, plan: Plan, chance: Chance, scan: Tensor | None = None
) -> tuple[Tensor, Tensor | None]:
    """Mass effect: what lies around the centre displaced outwards, decaying with distance.

    Returns the classes and the real images below them, if there are any.
    """
    strength = chance.uniform(0.0, 0.65) * min(1.0, plan.radius / 12.0)
    if strength < 0.05:
        return head, scan
    width = plan.radius * chance.uniform(0.9, 1.6) + 4.0
    window = box_around(plan.centre, 3.0 * width, head.shape)
    part = head[window]
    lengths = torch.tensor(part.shape, dtype=torch.float32)
    middle = (lengths - 1) / 2
    centre = torch.tensor(
        [c - w.start for c, w in zip(plan.centre, window, strict=True)], dtype=torch.float32
    )
    axes = [torch.arange(n, dtype=torch.float32) for n in part.shape]
    offset = (torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1) - centre).to(head.device)
    distance2 = (offset**2).sum(-1, keepdim=True)
    places = offset * (1 - strength * torch.exp(-distance2 / width**2)) + (centre - middle).to(
        head.device
    )
    pushed = head.clone()
    pushed[window] = sample_nearest(part, places, lengths)
    if scan is not None:
        before = scan[(slice(None), *window)]
        scan = scan.clone()
        scan[(slice(None), *window)] = sample_linear(before, places, lengths)
    return pushed, scan


def box_around(
    centre: tuple[int, int, int], reach: float, shape: torch.Size
) -> tuple[slice, slice, slice]:
    """Slices of the cube of half-width `reach` around `centre`, cut to the volume."""
    lows = [max(0, int(c - reach)) for c in centre]
    highs = [min(n, int(c + reach) + 1) for c, n in zip(centre, shape, strict=True)]
    a, b, c = (slice(low, high) for low, high in zip(lows, highs, strict=True))
    return a, b, c


def draw_tumour(head: Tensor, lesion: Tensor, plan: Plan, chance: Chance) -> None:
    """Write one tumour into `lesion` (in place), core first, then oedema around it."""
    window = box_around(plan.centre, 1.7 * plan.radius + plan.reach + MARGIN_MM, head.shape)
    tissue = head[window] & TISSUE_MASK
    side = head[window] >> t.SIDE_SHIFT
    shape: Shape = (tissue.shape[0], tissue.shape[1], tissue.shape[2])
    depth = _warped_distance(shape, plan, window, chance)
    allowed = (tissue != t.OUTSIDE) & (tissue != t.RESIDUE)
    if chance.happens(0.75):
        allowed &= tissue != t.VENTRICLE
    if not chance.happens(0.5):
        allowed &= tissue != t.CSF
    home = int(head[plan.centre]) >> t.SIDE_SHIFT
    crosses = chance.happens(0.2)
    if home and not crosses:
        allowed &= (side == home) | (side == 0)
    if int(head[plan.centre] & TISSUE_MASK) not in (t.CEREBELLAR_CORTEX, t.CEREBELLAR_WHITE):
        allowed &= (tissue != t.CEREBELLAR_CORTEX) & (tissue != t.CEREBELLAR_WHITE)
    patch = _core(depth, plan, chance)
    patch[~allowed] = t.NORMAL
    if plan.reach > 0 and bool((patch > 0).any()):
        blocked = ~allowed | (tissue == t.CSF) | (tissue == t.VENTRICLE) | (tissue == t.PLEXUS)
        oedema = _oedema(tissue, patch > 0, blocked, plan, chance)
        patch[oedema & (patch == 0)] = t.OEDEMA
    old = lesion[window]
    # Where two foci meet the deeper class wins: enhancing over core over oedema.
    rank = torch.from_numpy(t.DEPTH_OF_LESION).to(head.device)
    lesion[window] = torch.where(rank[patch.long()] > rank[old.long()], patch, old)


def _warped_distance(
    shape: Shape, plan: Plan, window: tuple[slice, slice, slice], chance: Chance
) -> Tensor:
    """Distance from the centre in units of the radius: an ellipsoid bent by noise."""
    axes = [
        torch.arange(n, dtype=torch.float32, device=chance.device) - (c - w.start)
        for n, c, w in zip(shape, plan.centre, window, strict=True)
    ]
    offset = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)
    basis, _ = torch.linalg.qr(chance.white((3, 3)))
    stretch = torch.tensor([chance.uniform(0.72, 1.35) for _ in range(3)], device=chance.device)
    radius = (offset @ (basis / stretch)).norm(dim=-1) / plan.radius
    coarse = max(6.0, plan.radius * chance.uniform(0.6, 1.1))
    bend = chance.field(shape, coarse)[0] * chance.uniform(0.05, 0.3)
    bend += chance.field(shape, max(3.0, coarse / 3))[0] * chance.uniform(0.0, 0.14)
    return radius * torch.exp(bend)


def _core(depth: Tensor, plan: Plan, chance: Chance) -> Tensor:
    """Classes of the tumour core (and of the infiltrated rim of low-grade kinds), uint8."""
    shape: Shape = (depth.shape[0], depth.shape[1], depth.shape[2])
    patch = torch.zeros(shape, dtype=torch.uint8, device=depth.device)
    scale = max(3.0, plan.radius * 0.5)
    noise = chance.cloud(shape, scale)
    if plan.kind in ("ring", "multifocal"):
        patch[depth < 1] = t.ENHANCING
        rim = max(chance.uniform(0.08, 0.6), chance.uniform(1.0, 1.8) / plan.radius)
        inner = depth < 1 - rim * (1 + 0.5 * noise).clamp(0.35, 2.2)
        patch[inner] = t.NECROSIS
        if chance.happens(0.35):
            patch[inner & (chance.cloud(shape, scale) > chance.uniform(0.3, 1.2))] = t.ENHANCING
        if chance.happens(0.5):  # a broken rim
            gap = chance.field(shape, max(5.0, plan.radius * 0.8))[0] > chance.uniform(0.5, 1.8)
            patch[gap & (patch == t.ENHANCING)] = t.NECROSIS if chance.happens(0.5) else t.SOLID
        if chance.happens(0.2):  # lacy: sheets of enhancement through the core
            sheets = chance.field(shape, max(4.0, plan.radius * 0.35))[0].abs()
            patch[(depth < 1) & (sheets < chance.uniform(0.1, 0.4))] = t.ENHANCING
        if chance.happens(0.25):
            patch[(patch == t.NECROSIS) & (noise > 0.8)] = t.BLEED
        if chance.happens(0.06):  # non-enhancing tumour beyond part of the rim
            beyond = (depth >= 1) & (depth < 1.35) & (chance.field(shape, scale * 2)[0] > 0.3)
            patch[beyond] = t.SOLID
    elif plan.kind == "solid":
        patch[depth < 1] = t.ENHANCING
        if chance.happens(0.4):
            patch[(depth < 0.8) & (noise > chance.uniform(0.9, 1.8))] = t.NECROSIS
    elif plan.kind == "patchy":
        patch[depth < 1] = t.SOLID if chance.happens(0.6) else t.NECROSIS
        clumps = chance.cloud(shape, max(3.5, plan.radius * chance.uniform(0.2, 0.6)), 3)
        patch[(depth < 1) & (clumps > chance.uniform(-0.3, 1.2))] = t.ENHANCING
        if chance.happens(0.3):
            patch[(depth < 0.9) & (noise > 1.0)] = t.CYST
        if chance.happens(0.35):
            patch[(patch == t.SOLID) & (noise < -0.8)] = t.BLEED
        if chance.happens(0.2):
            _calcify(patch, chance)
    else:
        _low_grade(patch, depth, noise, plan, chance)
    return patch


def _low_grade(patch: Tensor, depth: Tensor, noise: Tensor, plan: Plan, chance: Chance) -> None:
    """Solid or cystic core without (or with hardly any) enhancement, written into `patch`."""
    shape: Shape = (depth.shape[0], depth.shape[1], depth.shape[2])
    patch[depth < 1] = t.INFILTRATED
    # From a core that is nearly all of the tumour to one that is a small part of it.
    share = chance.uniform(0.8, 1.0) if chance.happens(0.5) else chance.uniform(0.4, 0.85)
    core = depth < share * torch.exp(0.12 * noise)
    patch[core] = t.SOLID
    if plan.kind == "cystic":
        bubbles = chance.cloud(shape, max(5.0, plan.radius * chance.uniform(0.5, 1.0)), 1)
        inside = depth < share * chance.uniform(0.75, 0.98)
        if chance.happens(0.4):  # one chamber, with a nodule or walls left standing
            walls = chance.field(shape, max(5.0, plan.radius * chance.uniform(0.4, 0.9)))[0].abs()
            patch[inside & (walls > chance.uniform(0.0, 0.12))] = t.CYST
            patch[inside & (bubbles > chance.uniform(1.0, 3.0))] = t.SOLID
        else:
            patch[inside & (bubbles > chance.uniform(-1.6, 0.5))] = t.CYST
        if chance.happens(0.4):  # fluid of different kinds beside each other
            patch[(patch == t.CYST) & (noise > chance.uniform(-0.5, 1.2))] = t.NECROSIS
        if chance.happens(0.25):
            patch[core & ~inside] = t.ENHANCING
        elif chance.happens(0.25):
            patch[(depth < 0.45) & (bubbles < 0)] = t.ENHANCING
    elif plan.kind == "tiny-et":
        for _ in range(chance.integer(1, 4)):
            spots = chance.cloud(shape, chance.uniform(4, 9), 1)
            spots[depth >= share] = -9
            level = float(spots.max()) - chance.uniform(0.25, 0.9)
            patch[(spots > level) & core] = t.ENHANCING
    elif chance.happens(0.15):
        patch[core & (noise > 1.1)] = t.NECROSIS
    elif chance.happens(0.15):
        _calcify(patch, chance)


def _calcify(patch: Tensor, chance: Chance) -> None:
    """Clumps of calcium in the solid core, written into `patch`."""
    shape: Shape = (patch.shape[0], patch.shape[1], patch.shape[2])
    clumps = chance.cloud(shape, chance.uniform(3, 6), 1) > chance.uniform(1.2, 2.0)
    patch[clumps & (patch == t.SOLID)] = t.CALCIUM


def _oedema(tissue: Tensor, core: Tensor, blocked: Tensor, plan: Plan, chance: Chance) -> Tensor:
    """Voxels reached within `plan.reach` mm of white-matter-equivalent travel from the core.

    A fast-marching-like arrival time on a 2 mm grid: cheap in white matter, dear in cortex and
    deep nuclei, no passage through fluid, falx or skull.
    """
    shape: Shape = (tissue.shape[0], tissue.shape[1], tissue.shape[2])
    cost = torch.full((256,), 2.5)
    cost[t.WHITE] = 1.0
    cost[t.CEREBELLAR_WHITE] = 1.2
    cost[t.CORTEX] = chance.uniform(1.2, 2.5) if plan.cortical else chance.uniform(3, 9)
    cost[t.STRIATUM] = cost[t.THALAMUS] = chance.uniform(1.5, 5)
    cost[t.PALLIDUM] = cost[t.BRAINSTEM] = cost[t.HIPPOCAMPUS] = chance.uniform(1.3, 4)
    slow = cost.to(tissue.device)[tissue[::2, ::2, ::2].long()]
    coarse: Shape = (slow.shape[0], slow.shape[1], slow.shape[2])
    slow = slow * torch.exp(chance.uniform(0.1, 0.6) * chance.cloud(coarse, chance.uniform(5, 12)))
    wall = blocked[::2, ::2, ::2]
    source = core[::2, ::2, ::2]
    if not bool(source.any()):
        return torch.zeros_like(core)
    far = 1e3
    time = torch.where(source, 0.0, far)[None, None]
    step = (2.0 * slow)[None, None]
    for turn in range(int(plan.reach / 2 * 1.6) + 3):
        straight = turn % 2 == 0
        best = over_faces(time, torch.minimum) if straight else eroded(time)
        time = torch.minimum(time, best + (step if straight else 1.5 * step))
        time[0, 0][wall] = far
        time[0, 0][source] = 0.0
    time = time.clamp(max=3 * plan.reach + 10)
    fine = functional.interpolate(time, size=shape, mode="trilinear", align_corners=False)[0, 0]
    fine = fine + chance.field(shape, 4.0)[0] * chance.uniform(0.2, 1.5)
    return (fine < plan.reach) & ~blocked
