"""What other people call the contrasts, the regions and the classes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from ...errors import ModelError
from ...volume import Modality

T = TypeVar("T")

_MODALITIES = {
    Modality.T1: ("t1", "t1n", "t1w", "t1native", "t1weighted"),
    Modality.T1CE: ("t1c", "t1ce", "t1gd", "t1post", "t1wce", "t1cw", "t1contrast",
                    "t1contrastenhanced"),
    Modality.T2: ("t2", "t2w", "t2weighted"),
    Modality.FLAIR: ("flair", "t2f", "t2flair", "fla"),
}  # fmt: skip

_REGIONS = {
    "WT": ("wt", "wholetumor", "wholetumour"),
    "TC": ("tc", "tumorcore", "tumourcore"),
    "ET": ("et", "enhancingtumor", "enhancingtumour", "enhancingcore"),
}

#: The regions that a voxel of each class lies in.
_CLASSES = {
    (): ("background", "bg", "healthy", "none"),
    ("WT",): ("ed", "edema", "oedema", "peritumoraledema", "peritumouraloedema"),
    ("WT", "TC"): ("ncr", "net", "ncrnet", "necrosis", "necrotic", "necroticcore",
                   "nonenhancingtumor", "nonenhancingtumour", "nonenhancingcore"),
    ("WT", "TC", "ET"): _REGIONS["ET"],
}  # fmt: skip


def modalities_of(names: Sequence[str], where: str) -> tuple[Modality, ...]:
    """The modalities that `names` mean, in order.

    Raises
    ------
    ModelError
        When a name is not known or one comes twice.
    """
    known = {spelling: m for m, spellings in _MODALITIES.items() for spelling in spellings}
    found = tuple(_look_up(known, name, "input channel", list(Modality), where) for name in names)
    _check_once([m.value for m in found], "input channel", where)
    return found


def regions_of(names: Sequence[str], where: str) -> dict[str, tuple[int, ...]]:
    """By region, the one output channel that `names` give it.

    Raises
    ------
    ModelError
        When a name is not known or one comes twice.
    """
    known = {spelling: r for r, spellings in _REGIONS.items() for spelling in spellings}
    found = [_look_up(known, name, "output", list(_REGIONS), where) for name in names]
    _check_once(found, "output", where)
    return {region: (channel,) for channel, region in enumerate(found)}


def classes_of(names: Sequence[str], where: str) -> dict[str, tuple[int, ...]]:
    """By region, the output channels of the classes that lie in it.

    Raises
    ------
    ModelError
        When a name is not known, there is no background, or no class is of a region.
    """
    known = {spelling: r for r, spellings in _CLASSES.items() for spelling in spellings}
    asked = ["background", "ED", "NCR", "ET"]
    found = [_look_up(known, name, "class", asked, where) for name in names]
    if () not in found:
        raise ModelError(f"the classes in {where} have no background: name every output channel")
    membership = {
        region: tuple(channel for channel, regions in enumerate(found) if region in regions)
        for region in _REGIONS
    }
    named = {region: channels for region, channels in membership.items() if channels}
    if not named:
        raise ModelError(f"the classes in {where} are all background: name every output channel")
    return named


def _look_up(known: dict[str, T], name: str, what: str, asked: Sequence[str], where: str) -> T:
    try:
        return known[re.sub(r"[^a-z0-9]", "", name.lower())]
    except KeyError:
        raise ModelError(
            f"the {what} {name!r} in {where} is not known: it should be one of {', '.join(asked)}"
        ) from None


def _check_once(found: Sequence[str], what: str, where: str) -> None:
    for name in found:
        if found.count(name) > 1:
            raise ModelError(f"the {what} {name} is named twice in {where}: correct that file")
