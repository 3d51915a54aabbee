"""A study as a dataset for others: consensus, all raters' labels, and how reliable they are."""

from __future__ import annotations

from .export import DatasetReceipt, export_study
from .layouts import LAYOUTS, Images, Layout

__all__ = ["LAYOUTS", "DatasetReceipt", "Images", "Layout", "export_study"]
