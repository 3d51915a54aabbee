"""`napari-mmseg info`: what a case is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .arguments import CasePaths, Json, ModalityFiles, open_from
from .output import print_fields, print_json, print_warnings, quiet_stdout

if TYPE_CHECKING:
    from ..case import Case


def info(case: CasePaths = None, modality: ModalityFiles = None, json: Json = False) -> None:
    """Show a case's modalities, grid, orientation and what is odd about it."""
    with quiet_stdout():
        opened = open_from(case, modality)
    facts = describe(opened)
    if json:
        print_json(facts)
        return
    print_fields(_readable(facts))
    print_warnings(opened.warnings)


def describe(case: Case) -> dict[str, Any]:
    """A case as plain values: the JSON object that `info --json` prints.

    The grid is that of the reference volume's file, in the file's own axis order.
    """
    grid = case.source.grid
    return {
        "case": case.id,
        "modalities": {
            modality.value: {
                "file": volume.path.name if volume.path else None,
                "type": str(volume.array.dtype),
                "orientation": volume.source.grid.orientation,
                "resampled": volume.resampled,
            }
            for modality, volume in case.volumes.items()
        },
        "missing": [m.value for m in case.missing],
        "reference": case.reference.value,
        "grid": {
            "shape": list(grid.shape),
            "spacing_mm": list(grid.spacing),
            "affine": grid.affine.tolist(),
        },
        "orientation": grid.orientation,
        "oblique": grid.is_oblique,
        "obliquity_deg": grid.obliquity_deg,
        "labels": [
            {"file": label.path.name, "encoding": label.encoding, "said_by": label.said_by}
            for label in case.labels
        ],
        "warnings": list(case.warnings),
    }


def _readable(facts: dict[str, Any]) -> dict[str, str]:
    grid = facts["grid"]
    fields = {"case": facts["case"]}
    for name, volume in facts["modalities"].items():
        notes = [volume["type"]] + (["resampled"] if volume["resampled"] else [])
        fields[name] = f"{volume['file']} ({', '.join(notes)})"
    fields["missing"] = ", ".join(facts["missing"]) or "nothing"
    fields["grid"] = (
        f"{' x '.join(map(str, grid['shape']))} voxels of "
        f"{' x '.join(f'{mm:.3g}' for mm in grid['spacing_mm'])} mm"
    )
    fields["orientation"] = facts["orientation"]
    fields["oblique"] = f"yes, {facts['obliquity_deg']:.1f} degrees" if facts["oblique"] else "no"
    for label in facts["labels"]:
        encoding = label["encoding"] or "encoding not known: name it when you use the file"
        fields.setdefault("labels", "")
        fields["labels"] += ("; " if fields["labels"] else "") + f"{label['file']} ({encoding})"
    return fields
