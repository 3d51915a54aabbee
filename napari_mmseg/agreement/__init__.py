"""How far two raters, or a model and a rater, agree."""

from __future__ import annotations

from .lesions import LesionAgreement, lesion_wise
from .many import CaseAgreement, PairAgreement, RatersAgreement, agree
from .metrics import RegionAgreement, compare, evaluate

__all__ = [
    "CaseAgreement",
    "LesionAgreement",
    "PairAgreement",
    "RatersAgreement",
    "RegionAgreement",
    "agree",
    "compare",
    "evaluate",
    "lesion_wise",
]
