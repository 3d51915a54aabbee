"""What the Disagreements section says of a dispute, of all of them, and of a decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .raters_dispute_keys import rater_key
from .raters_group import Rater
from .widgets.dispute_box import Side
from .widgets.dispute_list import DisputeRow

if TYPE_CHECKING:
    from ..agreement.decisions import Decision
    from ..agreement.disputes import Dispute

_MM3_PER_ML = 1000.0

#: A rater who counts in this share of a piece or more is listed with it.
_MOST = 0.5


def side(rater: Rater, dispute: Dispute) -> Side:
    share = dispute.share.get(rater.name, 0.0)
    return Side(rater.letter, rater.name, rater.colour, share, rater_key(rater.letter))


def row(dispute: Dispute, decision: Decision | None, letters: dict[str, str]) -> DisputeRow:
    """What the list says of a dispute; `letters` by the raters' names."""
    who = " ".join(letters.get(n, n) for n, share in dispute.share.items() if share >= _MOST)
    taken = word_taken(decision, letters)
    return DisputeRow(dispute.key, dispute.region, dispute.kind, dispute.volume_mm3, who, taken)


def described(dispute: Dispute) -> str:
    where = (
        "an island that only some see"
        if dispute.lesion is None
        else f"at the boundary of agreed piece {dispute.lesion}"
    )
    return f"{dispute.key}: {dispute.volume_mm3:.0f} mm³, {where}."


def counted(listed: list[DisputeRow], total: int) -> str:
    if not total:
        return "The raters do not differ by more than that."
    ml = sum(row.volume_mm3 for row in listed) / _MM3_PER_ML
    of = "" if len(listed) == total else f" of {total}"
    word = "disagreement" if len(listed) == 1 and not of else "disagreements"
    return f"{len(listed)}{of} {word}, {ml:.1f} ml, the largest first."


def word_taken(decision: Decision | None, letters: dict[str, str]) -> str:
    if decision is None:
        return ""
    if decision.taken == "rater" and decision.rater is not None:
        return letters.get(decision.rater, decision.rater)
    return {"majority": "majority", "painted": "by hand"}.get(decision.taken, decision.taken)
