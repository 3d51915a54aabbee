"""How far two raters, or a model and a rater, agree."""

from __future__ import annotations

from .lesions import LesionAgreement, lesion_wise
from .many import CaseAgreement, RatersAgreement, agree
from .metrics import RegionAgreement, compare, evaluate
from .others import against_others
from .pair import PairAgreement

__all__ = [
    "CaseAgreement",
    "LesionAgreement",
    "PairAgreement",
    "RatersAgreement",
    "RegionAgreement",
    "against_others",
    "agree",
    "compare",
    "evaluate",
    "lesion_wise",
]
