"""What a card says about fitting a network's answer to how the tissues of one case look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from ..volume import Modality


@dataclass(frozen=True)
class Brighter:
    """A region is brighter in `modality` than `percentile` per cent of the case's normal tissue.

    With `minus`: in the difference of the two, both normalised.
    """

    modality: Modality
    percentile: float
    minus: Modality | None = None


@dataclass(frozen=True)
class Sparse:
    """How a region is judged in a case where little of it is the region inside it.

    Around an enhancing part what does not enhance is oedema more often than core; a core that
    hardly enhances is nearly all of it such tissue.

    Parameters
    ----------
    below, above
        The inner region's share of this one's volume. Up to `below` the region is judged as said
        here, from `above` on as usual, and in between by a mean that goes from one to the other.
    offset, power
        In place of the region's own in `Appearance`.
    seen_in
        The contrast in which the inner region is seen. Without it nobody knows how much of it
        there is, and the region is judged as usual.
    """

    below: float
    above: float
    offset: float
    power: float
    seen_in: Modality

    def weight(self, share: float) -> float:
        """How much this way of judging counts where the inner region has such a share (0 to 1)."""
        return min(1.0, max(0.0, (self.above - share) / (self.above - self.below)))


@dataclass(frozen=True)
class Appearance:
    """How much the intensities of the case at hand may move a network's answer.

    Parameters
    ----------
    gaussians
        How many normal distributions describe the tissue outside all regions, and then, by
        region, the tissue of that region that lies in none of its children.
    weights
        By region: the share of the intensities' log likelihood ratio that counts. Neighbouring
        voxels tell much the same, so it is well below 1.
    offsets
        By region: added to the logit of being in it, given its parent.
    powers
        By region: the network's answer is raised to this power before the looks are learnt by
        which the region is judged. Above 1, what the network doubts teaches less.
    brighter
        By region: what a piece of it must look like, in every respect, to be believed.
    sure
        By region: a piece in which the median of the network's own answer is this high is
        believed whatever it looks like.
    sparse
        By region: how it is judged where little of it is the region inside it.
    """

    gaussians: tuple[int, ...]
    weights: tuple[float, ...]
    offsets: tuple[float, ...]
    powers: tuple[float, ...]
    brighter: Mapping[str, tuple[Brighter, ...]]
    sure: Mapping[str, float] = field(default_factory=dict)
    sparse: Mapping[str, Sparse] = field(default_factory=dict)

    def where_sparse(self, number: int, sparse: Sparse) -> Appearance:
        """The same with what `sparse` says of the region of that number."""
        offsets, powers = list(self.offsets), list(self.powers)
        offsets[number], powers[number] = sparse.offset, sparse.power
        return replace(self, offsets=tuple(offsets), powers=tuple(powers))


def read_appearance(
    data: Mapping[str, Any], regions: Sequence[str], channels: Sequence[Modality]
) -> Appearance:
    """The `appearance` of a card whose `regions` are each nested in the one before.

    Raises
    ------
    KeyError, TypeError, ValueError
        When it lacks a part, or one is out of range.
    """
    gaussians = (int(data["gaussians"]["outside"]), *(int(data["gaussians"][r]) for r in regions))
    weights = tuple(float(data["weights"][region]) for region in regions)
    powers = tuple(float(data.get("powers", {}).get(region, 1.0)) for region in regions)
    brighter = {
        str(region): tuple(_brighter(told) for told in several)
        for region, several in data.get("brighter", {}).items()
    }
    sure = {str(region): float(value) for region, value in data.get("sure", {}).items()}
    if unknown := [region for region in sure if region not in regions]:
        raise ValueError(f"appearance tells of {', '.join(unknown)}, which the card does not have")
    if not all(0.0 <= value <= 1.0 for value in sure.values()):
        raise ValueError("what is sure in appearance lies between 0 and 1")
    if min(gaussians) < 1:
        raise ValueError("appearance needs one gaussian or more for each tissue")
    if not all(0.0 <= weight <= 1.0 for weight in weights):
        raise ValueError("the weights of appearance lie between 0 and 1")
    if not all(power > 0.0 for power in powers):
        raise ValueError("the powers of appearance are positive")
    sparse = {str(region): _sparse(told) for region, told in data.get("sparse", {}).items()}
    for region, way in sparse.items():
        if region not in regions[:-1]:
            raise ValueError(f"appearance tells of what is inside {region}: the card has nothing")
        if way.seen_in not in channels:
            raise ValueError(f"appearance tells of {way.seen_in}, which the card does not have")
        if not 0.0 <= way.below < way.above <= 1.0 or not way.power > 0.0:
            raise ValueError(
                "sparse in appearance goes from a share below to one above, both between 0 and 1, "
                "and its power is positive"
            )
    for region, told in [(name, told) for name, several in brighter.items() for told in several]:
        named = (told.modality, *([told.minus] if told.minus else []))
        unknown = [str(m) for m in named if m not in channels]
        if region not in regions or unknown:
            raise ValueError(
                f"appearance tells of {', '.join(unknown) or region}, which the card does not have"
            )
        if not 0.0 <= told.percentile <= 100.0:
            raise ValueError("the percentiles of appearance lie between 0 and 100")
    return Appearance(
        gaussians=gaussians,
        weights=weights,
        offsets=tuple(float(data.get("offsets", {}).get(region, 0.0)) for region in regions),
        powers=powers,
        brighter=MappingProxyType(brighter),
        sure=MappingProxyType(sure),
        sparse=MappingProxyType(sparse),
    )


def _sparse(told: Mapping[str, Any]) -> Sparse:
    return Sparse(
        below=float(told["below"]),
        above=float(told["above"]),
        offset=float(told["offset"]),
        power=float(told["power"]),
        seen_in=Modality(told["seen_in"]),
    )


def _brighter(told: Mapping[str, Any]) -> Brighter:
    minus = told.get("minus")
    return Brighter(
        Modality(told["modality"]),
        float(told["percentile"]),
        None if minus is None else Modality(minus),
    )
