"""Where raters disagree: how many say yes, and how undecided they are, voxel by voxel.

Entropy is that of the raters' answers in bits (Shannon): 0 where all say the same, 1 where they
are halved between yes and no. Over all regions together the answers are the protocol's codes, so
it can reach the logarithm of how many there are: 2 bits for background, WT, TC and ET.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..annotation import Annotation
from .panel import Panel, panel_of


@dataclass(frozen=True, eq=False)
class Disagreement:
    """Maps over the whole image, axes (I, P, L).

    Parameters
    ----------
    raters
        How many there are.
    count
        For each region how many say yes; uint8.
    entropy
        For each region, in bits; float32.
    dissent
        How many raters do not give a voxel the code that most give it; uint8.
    overall_entropy
        Of the codes, in bits; float32.
    """

    raters: int
    count: Mapping[str, NDArray[np.uint8]]
    entropy: Mapping[str, NDArray[np.float32]]
    dissent: NDArray[np.uint8]
    overall_entropy: NDArray[np.float32]


def disagreement(annotations: Mapping[str, Annotation]) -> Disagreement:
    """How far raters differ at each voxel, by region and overall.

    Raises
    ------
    InputError, GeometryError
        As `panel.panel_of`.
    """
    panel = panel_of(annotations)
    raters = len(panel.names)
    bits = _bits(raters)
    count: dict[str, NDArray[np.uint8]] = {}
    entropy: dict[str, NDArray[np.float32]] = {}
    for region in panel.protocol.regions:
        votes = panel.votes(region.name)
        count[region.name] = panel.whole(votes)
        entropy[region.name] = panel.whole((bits + bits[::-1])[votes])
    dissent, overall = _of_codes(panel, bits)
    return Disagreement(raters, count, entropy, panel.whole(dissent), panel.whole(overall))


def _bits(raters: int) -> NDArray[np.float32]:
    """What an answer that 0, 1, ... all raters give adds to the entropy."""
    share = np.arange(raters + 1) / raters
    found = np.zeros(raters + 1)
    found[1:] = -share[1:] * np.log2(share[1:])
    return (found + 0.0).astype(np.float32)  # no negative zero


def _of_codes(
    panel: Panel, bits: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Dissent and entropy of the codes, in the panel's box."""
    shape = panel.codes.shape[1:]
    most = np.zeros(shape, dtype=np.uint8)
    entropy = np.zeros(shape, dtype=np.float32)
    for code in range(panel.protocol.highest_code + 1):
        given = np.zeros(shape, dtype=np.uint8)
        for codes in panel.codes:
            given += (codes == code).view(np.uint8)
        np.maximum(most, given, out=most)
        entropy += bits[given]
    return np.uint8(len(panel.names)) - most, entropy
