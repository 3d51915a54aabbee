"""How far two raters, or a model and a rater, agree."""

from __future__ import annotations

from .lesions import LesionAgreement, lesion_wise
from .metrics import RegionAgreement, compare, evaluate

__all__ = ["LesionAgreement", "RegionAgreement", "compare", "evaluate", "lesion_wise"]
