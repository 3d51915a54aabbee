"""Nesting restored where each region was decided by itself.

Majorities nest by themselves: whoever says TC also says WT. STAPLE and SIMPLE trust other raters
in each region, so that a child may come out larger than its parent. The rule: parents decide
first. A voxel lies in a region if the region's own consensus says so and it lies in the parent;
its probability is at most the parent's. Where several children of one parent claim a voxel the
most probable has it, among equals the one that the protocol names first.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...protocol import Protocol
from ..surfaces import Mask


def nested(
    protocol: Protocol,
    probabilities: Mapping[str, NDArray[np.float64]],
    masks: Mapping[str, Mask],
) -> tuple[NDArray[np.uint8], dict[str, NDArray[np.float32]]]:
    """Codes and nested probabilities of regions that were decided one by one.

    Parameters
    ----------
    probabilities, masks
        For every region of the protocol, of one shape.
    """
    own = {name: _without_rivals(protocol, name, probabilities, masks) for name in masks}
    soft: dict[str, NDArray[np.float32]] = {}
    for region in protocol.regions:  # parents come before children
        probability = probabilities[region.name].astype(np.float32)
        if region.parent is not None:
            probability = np.minimum(probability, soft[region.parent])
        soft[region.name] = probability
    return protocol.from_masks(own), soft


def _without_rivals(
    protocol: Protocol,
    name: str,
    probabilities: Mapping[str, NDArray[np.float64]],
    masks: Mapping[str, Mask],
) -> Mask:
    mask = masks[name]
    order = [region.name for region in protocol.regions]
    for rival in protocol.regions:
        if rival.name == name or rival.parent != protocol[name].parent:
            continue
        if order.index(rival.name) < order.index(name):
            lost = probabilities[rival.name] >= probabilities[name]
        else:
            lost = probabilities[rival.name] > probabilities[name]
        mask = mask & ~(masks[rival.name] & lost)
    return mask
