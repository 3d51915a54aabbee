"""The JSON file beside an exported annotation: how it came to be, and no patient's name."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import __version__
from ..annotation import Annotation, Provenance
from .image import file_bytes, stem_of

#: Names the layout; a reader refuses nothing, it only trusts what it knows.
FORMAT = "napari-mmseg annotation sidecar 1"

NOTICE = (
    "For research use only. Not a medical device: not for diagnosis or for decisions about "
    "treatment."
)

_MAX_SIDECAR_BYTES = 4_000_000

_NAMED_FILE = re.compile(r'"[^"]*"')
_PATH_LIKE = re.compile(r"\S*[/\\]\S*|\S+\.(?:nii(?:\.gz)?|nrrd|mha|json|dcm)\b", re.IGNORECASE)


def sidecar_path(path: Path) -> Path:
    """`seg.json` for `seg.nii.gz`."""
    return path.with_name(stem_of(path) + ".json")


def describe(
    annotation: Annotation, encoding: str, files: Mapping[str, str], values: Mapping[str, int]
) -> dict[str, Any]:
    """The sidecar of an annotation.

    Parameters
    ----------
    encoding
        The name of the encoding written, or "binary, one file per region".
    files
        SHA-256 of each file written: "labels", or the region's name.
    values
        What each value in the file means: compartment to value.
    """
    how = annotation.provenance
    grid = annotation.source.grid
    return {
        "format": FORMAT,
        "software": "napari-mmseg",
        "version": __version__,
        "created": how.created or now(),
        "exported": now(),
        "author": annotation.author,
        "protocol": annotation.protocol.name,
        "encoding": encoding,
        "values": dict(values),
        "sha256": dict(files),
        "model": how.model,
        "weights_sha256": how.weights_sha256,
        "device": how.device,
        "engine": how.engine,
        "modalities": list(how.modalities),
        "missing": list(how.missing),
        "inputs": dict(how.inputs),
        "sources": dict(how.sources),
        "thresholds": dict(how.thresholds),
        "looks": how.looks,
        "adapted": how.adapted,
        "expected_dice_of_proposal": {r: round(d, 4) for r, d in how.expected_dice.items()},
        "edits": {region: dict(counts) for region, counts in how.edits.items()},
        "effort": dict(how.effort),
        "volumes_ml": {name: round(ml, 4) for name, ml in annotation.volumes_ml.items()},
        "grid": {
            "shape": list(grid.shape),
            "spacing_mm": [round(s, 6) for s in grid.spacing],
            "orientation": grid.orientation,
        },
        "warnings": [without_names(w) for w in how.warnings],
        "notice": NOTICE,
    }


def without_names(sentence: str) -> str:
    """A warning without the file names and paths in it, which may name a patient."""
    return _PATH_LIKE.sub("a file", _NAMED_FILE.sub("a file", sentence))


def load(path: Path) -> dict[str, Any] | None:
    """The sidecar of a label file, or None when there is none that belongs to it.

    A sidecar that knows the hash of other bytes does not: another program has written the file
    since, and may have used other values.
    """
    data = _json(sidecar_path(path))
    if data is None:
        return None
    hashes = data.get("sha256")
    if isinstance(hashes, dict) and hashes.get("labels") != file_bytes(path)[1]:
        return None
    return data


def encoding_in(path: Path) -> str | None:
    """The encoding that a label file's sidecar names, or None."""
    data = load(path)
    if data is None or not isinstance(data.get("encoding"), str):
        return None
    return str(data["encoding"])


def region_in(path: Path) -> str | None:
    """The region that a file of an export of one file per region holds, or None for other files."""
    stem, dash, region = stem_of(path).rpartition("-")
    if not dash:
        return None
    data = _json(path.with_name(f"{stem}.json"))
    hashes = data.get("sha256") if data and data.get("format") == FORMAT else None
    return region if isinstance(hashes, dict) and region in hashes else None


def provenance_in(data: Mapping[str, Any]) -> Provenance:
    """What a sidecar of our own tells about how an annotation came to be; nothing if damaged."""
    if data.get("format") != FORMAT:
        return Provenance()
    try:
        return _provenance(data)
    except (TypeError, ValueError):  # edited by hand: lists where there were objects
        return Provenance()


def _provenance(data: Mapping[str, Any]) -> Provenance:
    return Provenance(
        model=data.get("model"),
        weights_sha256=data.get("weights_sha256"),
        modalities=tuple(data.get("modalities") or ()),
        missing=tuple(data.get("missing") or ()),
        inputs=dict(data.get("inputs") or {}),
        thresholds=dict(data.get("thresholds") or {}),
        device=data.get("device"),
        engine=data.get("engine"),
        created=data.get("created"),
        edits=dict(data.get("edits") or {}),
        warnings=tuple(data.get("warnings") or ()),
        looks=str(data.get("looks") or "single"),
        adapted=data.get("adapted") is True,
        expected_dice=dict(data.get("expected_dice_of_proposal") or {}),
        sources=dict(data.get("sources") or {}),
    )


def _json(file: Path) -> dict[str, Any] | None:
    try:
        if file.stat().st_size > _MAX_SIDECAR_BYTES:
            return None
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
