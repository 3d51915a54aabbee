"""How far two raters, or a model and a rater, agree."""

from __future__ import annotations

from .metrics import RegionAgreement, compare, evaluate

__all__ = ["RegionAgreement", "compare", "evaluate"]
