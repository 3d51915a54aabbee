"""What a model says of a case: probabilities that can be thresholded again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ..annotation import Annotation, Provenance
from ..errors import InputError
from ..grid import Grid
from ..models.calibration import TOP_LEVEL, Calibration, expected_dice
from ..protocol import Protocol
from ..volume import SourceSpace
from .components import drop_doubtful_components, drop_small_components
from .prepare import Box

#: Probabilities are kept in this many steps.
STEPS = TOP_LEVEL

#: Probabilities are told apart this finely in the entropy.
_ENTROPY_STEPS = 4096


@dataclass(frozen=True, eq=False)
class Prediction:
    """Probabilities of each region in a box of the case's grid, and how they came to be.

    Parameters
    ----------
    grid, source
        The case's grid and the file space that exports go back to.
    protocol
        Names the regions and their nesting.
    regions
        The regions that the model knows, in the order of `probabilities`.
    probabilities
        (regions, I, P, L) in 255ths. On creation each is cut down to its parent's:
        P(TC) = min(P(TC), P(WT)), P(ET) = min(P(ET), P(TC)).
    box
        Where they lie in the grid; elsewhere they are 0.
    thresholds
        The probability from which on a voxel is in a region, unless others are asked for.
    smallest_component_mm3
        Components smaller than this are dropped after thresholding, by region.
    peaks
        By region: components that nowhere reach this probability are dropped too. Asking for a
        lower threshold lowers the peak in proportion, so that what is asked for is shown.
    calibration
        What turns the network's numbers into probabilities; None for a model without.
    spread
        (regions, I, P, L) in 255ths: how far the answers of several looks lie apart, None where
        there was one only.
    seconds
        Wall time by stage.
    provenance
        Model, weights, device, modalities, warnings: what an annotation made from this carries.
    """

    grid: Grid
    source: SourceSpace
    protocol: Protocol
    regions: tuple[str, ...]
    probabilities: NDArray[np.uint8]
    box: Box
    thresholds: Mapping[str, float]
    provenance: Provenance
    smallest_component_mm3: Mapping[str, float] = field(default_factory=dict)
    peaks: Mapping[str, float] = field(default_factory=dict)
    calibration: Calibration | None = None
    spread: NDArray[np.uint8] | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        nested = nest(self.probabilities, self.regions, self.protocol)
        nested.flags.writeable = False
        object.__setattr__(self, "probabilities", nested)
        object.__setattr__(self, "thresholds", MappingProxyType(dict(self.thresholds)))

    @property
    def model(self) -> str | None:
        return self.provenance.model

    @property
    def weights_sha256(self) -> str | None:
        return self.provenance.weights_sha256

    @property
    def device(self) -> str | None:
        return self.provenance.device

    @property
    def engine(self) -> str | None:
        """The library and its precision, such as "openvino bf16"."""
        return self.provenance.engine

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities that were used."""
        return self.provenance.modalities

    @property
    def missing(self) -> tuple[str, ...]:
        """The modalities that the model takes and the case lacks."""
        return self.provenance.missing

    @property
    def warnings(self) -> tuple[str, ...]:
        return self.provenance.warnings

    def probability(self, region: str) -> NDArray[np.float32]:
        """The network's number for a region (0 to 1) on the whole grid, axes (I, P, L).

        This is what thresholds are of; `calibrated_probability` is what it means.
        """
        whole = np.zeros(self.grid.shape, dtype=np.float32)
        np.divide(
            self.probabilities[self._index(region)], STEPS, out=whole[self.box], casting="unsafe"
        )
        return whole

    def calibrated_probability(self, region: str) -> NDArray[np.float32]:
        """The share of such voxels that belong to a region (0 to 1), axes (I, P, L).

        As seen on the cases that the calibration was fitted on; never above a parent's. The
        network's own number for a model without calibration.
        """
        whole = np.zeros(self.grid.shape, dtype=np.float32)
        whole[self.box] = self._calibrated(region)
        return whole

    def uncertainty(self, region: str | None = None) -> NDArray[np.float32]:
        """How unsure the model is (0 to 1) of a region's voxels, axes (I, P, L).

        The entropy of the calibrated probability in bits (1: it may as well be outside), or, where
        that is larger, twice the standard deviation of the answers of several looks (1: half of
        them say inside, half outside). None: the largest over all regions.
        """
        names = self.regions if region is None else (region,)
        inside = np.zeros(self.probabilities.shape[1:], dtype=np.float32)
        for name in names:
            np.maximum(inside, _entropy_bits(self._calibrated(name)), out=inside)
            if self.spread is not None:
                apart = self.spread[self._index(name)] / np.float32(STEPS)
                np.maximum(inside, apart, out=inside)
        whole = np.zeros(self.grid.shape, dtype=np.float32)
        whole[self.box] = inside
        return whole

    def expected_dice(self, codes: NDArray[np.uint8]) -> dict[str, float]:
        """The Dice that `codes` (I, P, L; the whole grid) can hope for, by region.

        See `models.calibration.expected_dice` for what it rests on. Empty for a model without
        calibration; regions without a voxel in `codes` are left out.
        """
        if self.calibration is None:
            return {}
        expected = {}
        inside_box = codes[self.box]
        for number, region in enumerate(self.regions):
            mask = self.protocol.inside(inside_box, region)
            levels = np.bincount(self.probabilities[number][mask], minlength=STEPS + 1)
            if levels.any():
                meaning = self.calibration.curves[region].levels()
                expected[region] = expected_dice(levels, self._level_counts[region], meaning)
        return expected

    def annotation(self, thresholds: Mapping[str, float] | None = None) -> Annotation:
        """The regions at `thresholds` (those left out keep the prediction's own).

        A voxel is in a region only if it passes the thresholds of the region and of all its
        parents.

        Raises
        ------
        InputError
            On a region that the model does not have, or a threshold outside 0 to 1.
        """
        chosen = {**self.thresholds, **self._checked(thresholds or {})}
        spacing = self.grid.spacing
        masks = {}
        for region, probability in zip(self.regions, self.probabilities, strict=True):
            mask = probability >= threshold_in_steps(chosen[region])
            if smallest := self.smallest_component_mm3.get(region, 0.0):
                mask = drop_small_components(mask, smallest, spacing)
            if peak := self.peaks.get(region, 0.0):
                lowered = min(1.0, chosen[region] / max(self.thresholds[region], 1 / STEPS))
                peak_steps = threshold_in_steps(peak * lowered)
                mask = drop_doubtful_components(mask, probability, peak_steps)
            masks[region] = mask
        codes = np.zeros(self.grid.shape, dtype=np.uint8)
        codes[self.box] = self.protocol.from_masks(with_ancestors(masks, self.protocol))
        provenance = replace(
            self.provenance,
            thresholds=dict(chosen),
            expected_dice=self.expected_dice(codes),
        )
        return Annotation(
            codes=codes,
            grid=self.grid,
            protocol=self.protocol,
            source=self.source,
            author=f"model:{self.model}",
            provenance=provenance,
        )

    def _calibrated(self, region: str) -> NDArray[np.float32]:
        """Calibrated probability within the box, cut down to the parents'."""
        number = self._index(region)
        if self.calibration is None:
            return self.probabilities[number] / np.float32(STEPS)
        found = self.calibration.curves[region].levels()[self.probabilities[number]]
        for parent in self.protocol.ancestors(region):
            if parent.name in self.regions:
                levels = self.calibration.curves[parent.name].levels()
                above = self.probabilities[self._index(parent.name)]
                np.minimum(found, levels[above], out=found)
        return found

    @cached_property
    def _level_counts(self) -> dict[str, NDArray[np.intp]]:
        """Voxels of the box by level, by region; kept, since moving a threshold asks again."""
        return {
            region: np.bincount(levels.ravel(), minlength=STEPS + 1)
            for region, levels in zip(self.regions, self.probabilities, strict=True)
        }

    def _checked(self, thresholds: Mapping[str, float]) -> Mapping[str, float]:
        for region, value in thresholds.items():
            self._index(region)
            if not 0.0 <= value <= 1.0:
                raise InputError(f"the threshold of {region} is {value}: it lies between 0 and 1")
        return thresholds

    def _index(self, region: str) -> int:
        try:
            return self.regions.index(region)
        except ValueError:
            raise InputError(
                f"the model {self.model} has no region {region!r}: it has {', '.join(self.regions)}"
            ) from None


def threshold_in_steps(threshold: float) -> int:
    """The least 255th that counts as at or above `threshold`; 1 at least, so that 0 is outside."""
    return max(1, int(np.ceil(threshold * STEPS - 1e-9)))


def nest(
    probabilities: NDArray[np.uint8], regions: Sequence[str], protocol: Protocol
) -> NDArray[np.uint8]:
    """A copy (regions, I, P, L) in which no region is more probable than any of its parents."""
    nested = probabilities.copy()
    place = {name: i for i, name in enumerate(regions)}
    for region in protocol.regions:  # parents come before children
        if region.name not in place:
            continue
        parent = next((a.name for a in protocol.ancestors(region.name) if a.name in place), None)
        if parent is not None:
            mine = nested[place[region.name]]
            np.minimum(mine, nested[place[parent]], out=mine)
    return nested


def with_ancestors(
    masks: Mapping[str, NDArray[np.bool_]], protocol: Protocol
) -> dict[str, NDArray[np.bool_]]:
    """`masks` and, for parents that the model does not know, all that lies in their children."""
    complete = dict(masks)
    for name in masks:
        for parent in protocol.ancestors(name):
            if parent.name not in masks:
                known = complete.get(parent.name)
                complete[parent.name] = masks[name] if known is None else known | masks[name]
    return complete


def _entropy_bits(probability: NDArray[np.float32]) -> NDArray[np.float32]:
    """The entropy of yes or no, 0 to 1; same shape. Looked up in steps: logarithms take seconds."""
    steps = np.linspace(0.0, 1.0, _ENTROPY_STEPS + 1)[1:-1]
    between = -(steps * np.log2(steps) + (1.0 - steps) * np.log2(1.0 - steps))
    table = np.concatenate([[0.0], between, [0.0]]).astype(np.float32)
    return table[(probability * _ENTROPY_STEPS + np.float32(0.5)).astype(np.uint16)]
