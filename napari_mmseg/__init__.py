"""Segment brain tumours in multi-modal MRI, correct the nested regions, export them."""

__version__ = "0.1.0"
