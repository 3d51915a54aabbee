"""Further networks of a model: their answers are averaged with its own.

A model's folder may hold others in sub-folders, each with a card of its own. Networks of different
build fail in different places, so a mean of their answers is right oftener than any of them
(Kamnitsas K et al., BrainLes 2017, won BraTS 2017 so).
"""

from __future__ import annotations

from dataclasses import replace

from ..errors import ModelError
from .card import Card, Member, read_card

#: In what members must agree with the model that they belong to: they are given the same images.
SAME = ("channels", "regions", "orientation", "spacing_mm", "normalisation", "window", "resize")


def members_of(card: Card) -> tuple[Card, ...]:
    """The cards of the further networks of `card`'s model, in the order of their names.

    Raises
    ------
    ModelError
        When one is missing, was replaced by another or takes other images.
    """
    return tuple(_member(card, name, told) for name, told in sorted(card.members.items()))


def _member(card: Card, name: str, told: Member) -> Card:
    folder = card.folder / name
    member = read_card(folder)
    if member.weights_sha256 != told.sha256:
        raise ModelError(
            f"{folder} is not the network that the model {card.name} was put together with (its "
            "weights have another SHA-256): copy the whole model folder again or reinstall "
            "napari-mmseg"
        )
    other = [what for what in SAME if getattr(member, what) != getattr(card, what)]
    if card.stride % member.stride:
        other.append("stride")
    if member.members:
        other.append("members")
    if other:
        raise ModelError(
            f"{folder} cannot be a member of the model {card.name}: its card says otherwise of "
            f"{', '.join(other)}"
        )
    return replace(member, part=told.share)
