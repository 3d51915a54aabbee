"""Other people's weights: read from what the user downloaded, checked, nothing in it executed.

`open_source` gives a folder from a folder or zip, `read_foreign` what it holds. Installing it as
a model of this program is `napari_mmseg.inference.adopt`.
"""

from __future__ import annotations

from .foreign import ForeignModel
from .read import read_foreign
from .source import open_source

__all__ = ["ForeignModel", "open_source", "read_foreign"]
