"""Raters made up of known habits, who outline made-up tumours: the ground of `planted_study`.

A tumour is a wavering ball in a 40^3 grid of 2 mm, its regions one inside the other. A reading is
the tumour's own distance map plus smooth noise, cut where it encloses exactly the volume that the
rater's bias, drift and spread ask for: noise of the outline and error of the volume are planted
apart. Half of the noise belongs to the rater and the case and comes back in a repeat.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from napari_mmseg.agreement.effects import Rated
from napari_mmseg.annotation import Annotation
from napari_mmseg.grid import Grid
from napari_mmseg.protocol import load_protocol
from napari_mmseg.volume import SourceSpace

Field = NDArray[np.float32]

SIDE = 40
SPACING_MM = 2.0
PROTOCOL = load_protocol("glioma")
REGIONS = tuple(region.name for region in PROTOCOL.regions)

#: Radii of the regions as shares of the tumour's, and how it wavers (voxels).
_SHARES = (1.0, 0.7, 0.45)
_WAVER = 1.0

#: How far a proposal's outline lies off, in voxels, and its volume, as a logarithm.
_PROPOSAL_NOISE, _PROPOSAL_VOLUME = 2.0, 0.10

#: Spread of a rater's outline (voxels), and of volumes by rater and case, as a logarithm.
_NOISE, _CASE_VOLUME = 0.8, 0.04

#: Spread of time within a rater and case, in doublings.
_TIME_SPREAD = 0.6

_BANK, _SMOOTH = 48, 2.5


@dataclass(frozen=True)
class Habits:
    """What is planted in a rater.

    `noise` scales the spread of the outline, which grows by `noise_drift` every ten readings and
    shrinks by 2^-`care` for each doubling of time; `bias` and `drift` (every ten readings) are
    logarithms of volume, `wobble` is its spread from reading to reading; `trust` is the share of
    the proposal in a reading that began with it.
    """

    noise: float = 1.0
    bias: float = 0.0
    drift: float = 0.0
    noise_drift: float = 0.0
    wobble: float = 0.03
    trust: float = 0.0
    care: float = 0.0


@dataclass(frozen=True, eq=False)
class Tumour:
    """Distance maps (voxels) and volumes (voxels) of the regions, true and proposed."""

    truth: Annotation
    proposal: Annotation
    distance: Field
    proposed: tuple[Field, ...]
    voxels: tuple[int, ...]
    proposed_voxels: tuple[float, ...]


@dataclass(frozen=True)
class Workshop:
    """Makes tumours and readings; all that is drawn at random comes from `random`."""

    random: np.random.Generator
    bank: Field = field(repr=False)

    @classmethod
    def of(cls, seed: int) -> Workshop:
        from scipy import ndimage

        random = np.random.default_rng(seed)
        bank = random.standard_normal((_BANK, SIDE, SIDE, SIDE), dtype=np.float32)
        for one in bank:
            ndimage.gaussian_filter(one, _SMOOTH, mode="wrap", output=one)
            one /= one.std()
        return cls(random, bank)

    def noise(self) -> Field:
        """A smooth field of mean 0 and variance 1: two of the bank, moved and turned at random."""
        parts = []
        for number in self.random.choice(_BANK, 2, replace=False):
            moved = np.roll(self.bank[number], self.random.integers(0, SIDE, 3), (0, 1, 2))
            parts.append(moved.transpose(self.random.permutation(3)))
        first, second = parts
        return np.asarray((first + second) * np.float32(np.sqrt(0.5)))

    def tumour(self) -> Tumour:
        """A case and the model's proposal for it."""
        radius = self.random.uniform(10.0, 14.0)
        middle = (SIDE - 1) / 2
        axes = np.arange(SIDE, dtype=np.float32) - middle
        ball = np.sqrt(
            axes[:, None, None] ** 2 + axes[None, :, None] ** 2 + axes[None, None, :] ** 2
        )
        distance = np.asarray(ball + _WAVER * self.noise() - radius, np.float32)
        voxels = tuple(round(4.19 * (radius * share) ** 3) for share in _SHARES)
        proposed = tuple(distance + _PROPOSAL_NOISE * self.noise() for _ in REGIONS)
        off = np.exp(self.random.normal(0, _PROPOSAL_VOLUME, len(REGIONS)))
        proposed_voxels = tuple(float(n * f) for n, f in zip(voxels, off, strict=True))
        return Tumour(
            nested([distance] * 3, voxels),
            nested(proposed, proposed_voxels),
            distance, proposed, voxels, proposed_voxels,
        )  # fmt: skip

    def own_way(self, habits: Habits) -> OwnWay:
        """What one rater makes of one case every time."""
        return OwnWay(
            habits,
            tuple(self.noise() for _ in REGIONS),
            tuple(self.random.normal(0, _CASE_VOLUME, len(REGIONS))),
        )

    def read(
        self, tumour: Tumour, way: OwnWay, *, order: int, middle: float, shown: bool
    ) -> tuple[Annotation, float]:
        """The labels of one reading, and its seconds; `middle` is that of the rater's sequence."""
        habits = way.habits
        doublings = float(self.random.normal(0, _TIME_SPREAD))
        late = (order - middle) / 10.0
        spread = _NOISE * habits.noise * 2.0 ** (-habits.care * doublings)
        spread *= max(0.2, 1.0 + habits.noise_drift * late)
        trust = habits.trust if shown else 0.0
        maps, voxels = [], []
        for n in range(len(REGIONS)):
            noise = np.float32(np.sqrt(0.5)) * (way.noise[n] + self.noise())
            seen = tumour.distance + np.float32(trust) * (tumour.proposed[n] - tumour.distance)
            maps.append(seen + np.float32(spread) * noise)
            log = (1 - trust) * np.log(tumour.voxels[n]) + trust * np.log(tumour.proposed_voxels[n])
            log += habits.bias + habits.drift * late + way.volume[n]
            voxels.append(float(np.exp(log + self.random.normal(0, habits.wobble))))
        return nested(maps, voxels), 300.0 * 2.0**doublings


@dataclass(frozen=True, eq=False)
class OwnWay:
    """A rater's habits, with the noise and the volumes that belong to one case."""

    habits: Habits
    noise: tuple[Field, ...]
    volume: tuple[float, ...]


_GRID = Grid((SIDE,) * 3, np.diag([-SPACING_MM] * 3 + [1.0])[[2, 1, 0, 3]])  # axes I, P, L
_SOURCE = SourceSpace.of(_GRID)


def nested(maps: Sequence[Field], voxels: Sequence[float]) -> Annotation:
    """Labels whose regions are the nearest voxels of each map, each within its parent."""
    codes = np.zeros((SIDE,) * 3, np.uint8)
    inside = np.ones(codes.shape, bool)
    for region, distance, wanted in zip(PROTOCOL.regions, maps, voxels, strict=True):
        among = np.where(inside, distance, np.float32(np.inf))
        count = min(max(round(wanted), 1), int(np.count_nonzero(inside)))
        inside = among <= np.partition(among, count - 1, axis=None)[count - 1]
        codes[inside] = region.code
    return Annotation(codes, _GRID, PROTOCOL, _SOURCE)


def sequence(
    random: np.random.Generator, cases: int, repeats: int
) -> tuple[list[tuple[int, int]], list[bool]]:
    """(case, repeat) in one rater's order, and to which cases the proposal is shown.

    Repeats come in the second half, after their first reading.
    """
    firsts = [(int(case), 0) for case in random.permutation(cases)]
    early = firsts[: cases // 2]
    again = [early[n][0] for n in random.choice(len(early), min(repeats, len(early)), False)]
    later = firsts[cases // 2 :] + [(case, 1) for case in again]
    order = early + [later[n] for n in random.permutation(len(later))]
    shown = np.zeros(cases, bool)
    shown[random.permutation(cases)[: cases // 2]] = True
    return order, shown.tolist()


def study(
    raters: Mapping[str, Habits], cases: int, repeats: int, seed: int, length: int | None = None
) -> Iterator[tuple[str, list[Rated], Tumour]]:
    """Every case with its readings; `length` cuts the raters' sequences into several of that."""
    workshop = Workshop.of(seed)
    plans = {name: sequence(workshop.random, cases, repeats) for name in raters}
    places: dict[str, dict[int, list[tuple[int, int]]]] = {}
    for name, (order, _) in plans.items():
        by_case = places.setdefault(name, {})
        for place, (case, repeat) in enumerate(order):
            by_case.setdefault(case, []).append((repeat, place))
    long = length or cases + repeats
    for case in range(cases):
        tumour = workshop.tumour()
        rated = []
        for name, habits in raters.items():
            way = workshop.own_way(habits)
            shown = plans[name][1][case]
            for repeat, place in sorted(places[name][case]):
                labels, seconds = workshop.read(
                    tumour, way, order=place % long, middle=(long - 1) / 2, shown=shown
                )
                labels = replace(labels, author=name)
                rated.append(Rated(name, labels, repeat, shown, place % long, seconds))
        yield f"case-{case + 1}", rated, tumour
