"""What a folder holds: a MONAI bundle, or weights with a manifest."""

from __future__ import annotations

from pathlib import Path

from ...errors import ModelError
from .bundle import METADATA, is_bundle, read_bundle
from .foreign import ForeignModel
from .manifest import find_manifest, read_manifest


def read_foreign(folder: Path) -> ForeignModel:
    """The model in `folder`, or in the one folder below it (as zips of folders unpack).

    Raises
    ------
    ModelError
        When there is none, or it cannot be used here.
    """
    for place in (folder, *_only_folder(folder)):
        if is_bundle(place):
            return read_bundle(place)
        manifest = find_manifest(place)
        if manifest is not None:
            return read_manifest(manifest)
    raise ModelError(
        f"no model was found: there is neither a MONAI bundle ({METADATA.as_posix()}) nor a "
        "manifest.toml beside an .onnx or .safetensors file"
    )


def _only_folder(folder: Path) -> list[Path]:
    below = [path for path in folder.iterdir() if path.is_dir() and path.name[0] not in "._"]
    return below if len(below) == 1 else []
