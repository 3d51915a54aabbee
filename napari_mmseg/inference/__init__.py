"""Running a model: from a case to probabilities, and from probabilities to regions.

Importing this loads no engine; the first prediction does.
"""

from __future__ import annotations

from .prediction import Prediction
from .progress import Progress
from .run import predict, segment

__all__ = ["Prediction", "Progress", "predict", "segment"]
