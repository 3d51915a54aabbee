"""Files in and out: one function opens a case, one reads labels, one writes an export."""

from .annotation_reader import read_annotation
from .case_reader import open_case
from .discover import looks_like_case
from .exporter import ExportReceipt, export, write_volume
from .volume_reader import read_volume

__all__ = [
    "ExportReceipt",
    "export",
    "looks_like_case",
    "open_case",
    "read_annotation",
    "read_volume",
    "write_volume",
]
