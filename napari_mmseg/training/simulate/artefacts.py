"""What scanners, patients and pipelines do to an image: each modality spoilt on its own.

Every field is defined over the whole head on a coarse grid, so that a crop and a coarse overview
of one rendering agree. Axes (I, P, L), 1 mm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from napari_mmseg.training.simulate.between import between
from napari_mmseg.training.simulate.chance import Chance, Shape

MAX_SHIFT_MM = 2.0
FIELD_CUT_SHARE = 0.06
GHOST_SHARE = 0.05

#: How many planes of an image are blurred at once.
PLANES = 8

#: How much of a glow at the lower end each of the four nodes of the profile has, from the vertex.
LOWER_END = (0.0, 0.0, 0.5, 1.0)
NODES = len(LOWER_END)

#: Share of cases whose coil makes one side darker, up to this logarithm at either end.
SHADED_SHARE = 0.25
SHADE = 0.35

#: Share of cases whose middle is brighter or darker than their rim, and by how much (logarithm).
GLOWING_SHARE = 0.35
GLOW = (-0.2, 0.6)


@dataclass(frozen=True)
class Spoiling:
    """Artefacts of one modality.

    bias (1, 1, a, b, c): logarithm of the coil profile over the head; blur_mm: Gaussian sigma;
    slab: (axis, mm) of thick slices or None; noise: Rician sigma relative to white matter;
    gamma; ghost: (axis, voxels, strength) of a moving head's echoes, or None; shift_mm:
    misregistration; window: first and last voxel kept along each axis.
    """

    bias: Tensor
    blur_mm: float
    slab: tuple[int, float] | None
    noise: float
    gamma: float
    ghost: tuple[int, int, float] | None
    shift_mm: tuple[float, float, float]
    window: tuple[tuple[int, int], ...]


def draw_spoiling(shape: Shape, chance: Chance) -> tuple[Spoiling, ...]:
    """Artefacts of the four modalities of one case."""
    spoilt = tuple(_draw_one(shape, chance) for _ in range(4))
    if chance.happens(SHADED_SHARE):
        # Front to back most often: heads lie on the coil.
        axis = chance.pick((0.2, 0.6, 0.2))
        spoilt = _shaded(spoilt, _places()[axis] * chance.uniform(-SHADE, SHADE), chance)
    if chance.happens(GLOWING_SHARE):
        away = torch.stack(_places()).square().sum(dim=0)
        spoilt = _shaded(spoilt, torch.exp(-away) * chance.uniform(*GLOW), chance)
    return spoilt


def _places() -> tuple[Tensor, ...]:
    """Where the nodes of a coil profile lie along each axis, from -1 to 1: (4, 4, 4) each."""
    line = torch.linspace(-1, 1, NODES)
    return torch.meshgrid(line, line, line, indexing="ij")


def _shaded(spoilt: tuple[Spoiling, ...], profile: Tensor, chance: Chance) -> tuple[Spoiling, ...]:
    """A coil's `profile` (4, 4, 4) on the images of a case, more or less by contrast."""
    return tuple(
        one
        if chance.happens(0.3)
        else replace(one, bias=one.bias + (profile * chance.uniform(0.4, 1.2)).to(one.bias.device))
        for one in spoilt
    )


def _draw_one(shape: Shape, chance: Chance) -> Spoiling:
    bias = chance.white((1, 1, NODES, NODES, NODES)) * chance.uniform(0.0, 0.06)
    # Coils fall off towards the neck: cerebellum and temporal poles differ from the vertex.
    slope = torch.linspace(-1, 1, NODES, device=chance.device) * float(chance.normal(0.06))
    if chance.happens(0.5):  # the coil's lower end shines on what lies next to it
        slope = slope + torch.tensor(LOWER_END, device=chance.device) * chance.uniform(-0.1, 0.35)
    bias = bias + slope.view(1, 1, 4, 1, 1)
    slab = None
    if chance.happens(0.15):
        slab = (chance.pick((0.5, 0.25, 0.25)), chance.uniform(2.0, 6.5))
    ghost = None
    if chance.happens(GHOST_SHARE):
        axis = chance.integer(1, 3)
        ghost = (axis, int(chance.uniform(0.1, 0.5) * shape[axis]), chance.uniform(0.02, 0.12))
    shift = (0.0, 0.0, 0.0)
    if chance.happens(0.25):
        a, b, c = (chance.uniform(-MAX_SHIFT_MM, MAX_SHIFT_MM) * 0.7 for _ in range(3))
        shift = (a, b, c)
    window = [(0, length) for length in shape]
    if chance.happens(FIELD_CUT_SHARE):
        axis = chance.integer(0, 3)
        cut = int(chance.uniform(0.03, 0.25) * shape[axis])
        first, last = ((cut, 0), (0, cut), (cut // 2, cut // 2))[chance.integer(0, 3)]
        window[axis] = (first, shape[axis] - last)
    return Spoiling(
        bias=bias,
        blur_mm=chance.uniform(0.25, 0.8) if chance.happens(0.9) else chance.uniform(0.8, 1.5),
        slab=slab,
        noise=chance.log_uniform(0.006, 0.035),
        gamma=chance.log_uniform(0.85, 1.18),
        ghost=ghost,
        shift_mm=shift,
        window=tuple(window),
    )


def bias_field(spoiling: Spoiling, shape: Shape, places: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Multiplicative coil profile at voxel `places` (one index tensor per axis) of the head."""
    field = spoiling.bias[0]
    for axis in (3, 2, 1):
        count = field.shape[axis]
        position = places[axis - 1].float() / max(1, shape[axis - 1] - 1) * (count - 1)
        low = position.floor().clamp(0, count - 2).long()
        # Smoothstep between the nodes: linear interpolation would leave visible kinks.
        part = position - low
        field = between(field, axis, low, part * part * (3 - 2 * part))
    return torch.exp_(field[0])


def gaussian_reach(sigma_mm: float) -> int:
    """How many voxels to either side `gaussian` mixes."""
    return 0 if sigma_mm < 0.2 else max(1, int(2.5 * sigma_mm + 0.5))


def gaussian(volume: Tensor, sigma_mm: float) -> Tensor:
    """Separable Gaussian over (C, I, P, L), edges replicated."""
    reach = gaussian_reach(sigma_mm)
    if reach == 0:
        return volume
    steps = torch.arange(-reach, reach + 1, device=volume.device, dtype=torch.float32)
    weights = torch.exp(-0.5 * (steps / sigma_mm) ** 2)
    weights = weights / weights.sum()
    share = weights.tolist()
    result = torch.empty_like(volume)
    length = volume.shape[1]
    # A few planes at a time stay in the processor's cache.
    for low in range(0, length, PLANES):
        high = min(low + PLANES, length)
        rows = torch.arange(low - reach, high + reach, device=volume.device)
        part = _mixed(volume.index_select(1, rows.clamp(0, length - 1)), 1, share)
        for axis in (2, 3):
            padding = [0, 0, 0, 0, 0, 0]
            padding[2 * (3 - axis)] = padding[2 * (3 - axis) + 1] = reach
            part = _mixed(functional.pad(part[None], padding, mode="replicate")[0], axis, share)
        result[:, low:high] = part
    return result


def _mixed(padded: Tensor, axis: int, share: Sequence[float]) -> Tensor:
    """Neighbours along an axis mixed by their share; shorter by what was padded.

    Shifted sums: a grouped conv3d with a line kernel is five times slower here.
    """
    reach = len(share) // 2
    length = padded.shape[axis] - 2 * reach
    result = padded.narrow(axis, reach, length) * share[reach]
    for step in range(reach):
        pair = padded.narrow(axis, step, length) + padded.narrow(axis, 2 * reach - step, length)
        result.add_(pair, alpha=share[step])
    return result


def shifted(volume: Tensor, shift_mm: tuple[float, float, float]) -> Tensor:
    """(I, P, L) moved by a fraction of voxels, linear interpolation, edges replicated."""
    result = volume
    for axis, amount in enumerate(shift_mm):
        if amount == 0.0:
            continue
        whole = int(amount // 1)
        part = amount - whole
        index = torch.arange(volume.shape[axis], device=volume.device) - whole
        last = volume.shape[axis] - 1
        here = result.index_select(axis, index.clamp(0, last))
        before = result.index_select(axis, (index - 1).clamp(0, last))
        result = here * (1 - part) + before * part
    return result


def ghosted(volume: Tensor, ghost: tuple[int, int, float]) -> Tensor:
    """(I, P, L) with faint copies of itself to both sides along the phase-encoding axis."""
    axis, distance, strength = ghost
    if not 0 < distance < volume.shape[axis]:
        return volume
    result = volume * (1 - strength)
    length = volume.shape[axis] - distance
    for into, source in ((distance, 0), (0, distance)):
        copy = volume.narrow(axis, source, length)
        result.narrow(axis, into, length).add_(copy, alpha=strength / 2)
    return result


def thick_slices(volume: Tensor, slab: tuple[int, float]) -> Tensor:
    """(I, P, L) averaged into slices of `slab` mm along an axis and interpolated back."""
    axis, thickness = slab
    shape = list(volume.shape)
    thin = list(shape)
    thin[axis] = max(2, round(shape[axis] / thickness))
    coarse = functional.interpolate(volume[None, None], size=thin, mode="area")
    return functional.interpolate(coarse, size=shape, mode="trilinear")[0, 0]


def spoil(volume: Tensor, spoiling: Spoiling, bias: Tensor, chance: Chance) -> Tensor:
    """One modality (I, P, L), white matter about 1, with its artefacts except the field cut."""
    image = gaussian(volume[None], spoiling.blur_mm)[0]
    if spoiling.slab is not None:
        image = thick_slices(image, spoiling.slab)
    image = shifted(image, spoiling.shift_mm)
    if spoiling.ghost is not None:
        image = ghosted(image, spoiling.ghost)
    first = chance.white(image.shape) * spoiling.noise
    second = chance.white(image.shape) * spoiling.noise
    # Magnitude of a complex signal with Gaussian noise in both parts: Rician.
    image = torch.sqrt((image + first) ** 2 + second**2)
    return (image * bias).clamp(min=1e-3) ** spoiling.gamma
