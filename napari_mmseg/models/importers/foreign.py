"""What an importer understood of somebody else's model, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...volume import Modality
from ..card import Network

if TYPE_CHECKING:
    from torch import Tensor

#: What the channels of a network's output are. "logits" and "probabilities" are of regions, each
#: on its own; the others of classes that exclude each other.
OUTPUT_FORMS = ("logits", "probabilities", "class-logits", "class-probabilities")

DEFAULT_THRESHOLD = 0.5


@dataclass(frozen=True, eq=False)
class ForeignModel:
    """A model of somebody else, checked.

    Parameters
    ----------
    name
        What it calls itself.
    network
        Its kind, size and channels; `outputs` counts the channels of the file, not the regions.
    weights
        Tensors by name, checked against the network; or an ONNX file's bytes.
    membership
        For each region, in order: the output channels whose probabilities sum to it. One channel
        each where the network gives regions.
    output_form
        One of `OUTPUT_FORMS`.
    window
        As in `Card`.
    terms
        The terms of use that came with it, in full.
    facts
        What the card tells besides: licence, intended use, what it was made from.
    """

    name: str
    network: Network
    weights: Mapping[str, Tensor] | bytes
    channels: tuple[Modality, ...]
    membership: Mapping[str, tuple[int, ...]]
    output_form: str
    orientation: str
    spacing_mm: float
    stride: int
    normalisation: str
    window: tuple[int, int, int] | None
    thresholds: Mapping[str, float]
    terms: str
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def regions(self) -> tuple[str, ...]:
        return tuple(self.membership)
