"""napari's writers: what `Save Selected Layers` does with the layers of a case."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..annotation import Annotation
from ..errors import ExportError
from ..grid import Grid
from ..io import export, write_volume
from ..protocol import load_protocol
from ..volume import SourceSpace
from .layers import ORIGIN, Origin
from .session import blank

LayerData = tuple[Any, dict[str, Any], str]

#: Layers that napari or another plugin made have no source grid; what they know is their place.
_SUFFIX = ".nii.gz"


def write_labels(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Export a labels layer in the protocol's default encoding, verified, with its sidecar.

    Raises
    ------
    ExportError
        When it cannot be written, or holds labels that the protocol does not know.
    """
    receipt = export(_annotation(data, meta), Path(path))
    origin = _origin(meta)
    if origin is not None and origin.edit is not None and origin.edit.codes is data:
        origin.edit.mark_saved()
    return [str(file) for file in (*receipt.files, receipt.sidecar)]


def write_image(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Write an image layer on the grid of the file that its case came from."""
    origin = _origin(meta)
    array = _volume(data)
    if origin is None:
        write_volume(array, Path(path), _grid_of(array, meta))
    else:
        write_volume(array, Path(path), origin.case.source)
    return [path]


def write_layers(path: str, layer_data: list[LayerData]) -> list[str]:
    """Write several layers into a folder, one file a layer, named by the layer."""
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    written: list[str] = []
    for data, meta, kind in layer_data:
        target = str(folder / (_file_name(meta["name"], written) + _SUFFIX))
        written += (write_labels if kind == "labels" else write_image)(target, data, meta)
    return written


def _annotation(data: Any, meta: dict[str, Any]) -> Annotation:
    codes = _volume(data)
    origin = _origin(meta)
    base = _base(origin)
    protocol = base.protocol if base is not None else load_protocol()
    highest = int(codes.max(initial=0))
    if int(codes.min(initial=0)) < 0 or highest > protocol.highest_code:
        raise ExportError(
            f"the layer {meta['name']} has the label {highest}, which {protocol.name} does not "
            f"know: its labels are 0 to {protocol.highest_code}"
        )
    codes = codes.astype(np.uint8)
    if base is not None:
        return base.with_codes(codes)
    grid = _grid_of(codes, meta)
    return Annotation(codes, grid, protocol, SourceSpace.of(grid))


def _base(origin: Origin | None) -> Annotation | None:
    """What is known of a case's labels besides their voxels."""
    if origin is None:
        return None
    if origin.edit is not None:
        return origin.edit.annotation()
    return origin.annotation or blank(origin.case)


def _origin(meta: dict[str, Any]) -> Origin | None:
    found = meta.get("metadata", {}).get(ORIGIN)
    return found if isinstance(found, Origin) else None


def _volume(data: Any) -> NDArray[Any]:
    array = np.asarray(data)
    if array.ndim != 3:
        raise ExportError(f"only volumes can be written, not an image of {array.ndim} dimensions")
    return array


def _grid_of(array: NDArray[Any], meta: dict[str, Any]) -> Grid:
    """The grid of a layer that no case made: axes (I, P, L) in mm, as all layers here."""
    scale = np.asarray(meta.get("scale", (1, 1, 1)), dtype=float)
    translate = np.asarray(meta.get("translate", (0, 0, 0)), dtype=float)
    affine = np.zeros((4, 4))
    affine[[2, 1, 0], [0, 1, 2]] = -scale
    affine[:3, 3] = -translate[::-1]
    affine[3, 3] = 1.0
    a, b, c = array.shape
    return Grid((a, b, c), affine)


def _file_name(name: str, written: list[str]) -> str:
    plain = re.sub(r"[^\w.-]+", "_", name).strip("_") or "layer"
    taken = {Path(w).name for w in written}
    number, chosen = 1, plain
    while f"{chosen}{_SUFFIX}" in taken:
        number += 1
        chosen = f"{plain}_{number}"
    return chosen
