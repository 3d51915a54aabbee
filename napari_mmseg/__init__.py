"""Segment brain tumours in multi-modal MRI, correct the nested regions, export them.

Three lines do the job without a screen::

    case = napari_mmseg.open_case("BraTS2021_01659")
    annotation = napari_mmseg.segment(case)
    napari_mmseg.export(annotation, "segmentation.nii.gz")

Names are loaded when they are first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .agreement import evaluate
    from .annotation import Annotation
    from .case import Case
    from .errors import MmsegError
    from .grid import Grid
    from .inference import predict, segment
    from .io import export, open_case, read_annotation
    from .protocol import Protocol, load_protocol
    from .volume import Modality, Volume

__version__ = "0.1.0"

__all__ = [
    "Annotation",
    "Case",
    "Grid",
    "MmsegError",
    "Modality",
    "Protocol",
    "Volume",
    "__version__",
    "evaluate",
    "export",
    "load_protocol",
    "open_case",
    "predict",
    "read_annotation",
    "segment",
]

_HOMES = {
    "Annotation": "annotation",
    "Case": "case",
    "Grid": "grid",
    "MmsegError": "errors",
    "Modality": "volume",
    "Protocol": "protocol",
    "Volume": "volume",
    "evaluate": "agreement",
    "export": "io",
    "load_protocol": "protocol",
    "open_case": "io",
    "predict": "inference",
    "read_annotation": "io",
    "segment": "inference",
}


def __getattr__(name: str) -> Any:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
