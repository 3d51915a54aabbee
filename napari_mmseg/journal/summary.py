"""What a work file tells about the work: its steps one by one, and the effort in one row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..editing.act import Deed
from ..editing.patch import PackedPatch
from ..editing.tally import Tally
from ..errors import InputError
from ..protocol import Protocol
from .journal import load_work
from .replay import Entry, Work
from .schema import SUFFIX


def steps_of(work: Work) -> Iterator[dict[str, Any]]:
    """Every act as plain values: time, deed, label, tool, regions, plane, voxels by region."""
    protocol = work.header.load_protocol()
    for entry in work.entries:
        step = entry.step
        assert step is not None
        yield {
            "time": moment(entry.at),
            "deed": str(entry.deed),
            "label": step.label,
            "tool": step.tool,
            "regions": step.regions,
            "plane": step.plane,
            "voxels": _changed(entry, protocol),
        }


def effort_of(work: Work, protocol: Protocol | None = None) -> dict[str, Any]:
    """The effort as plain values.

    `voxels` counts every stroke, `net` only what differs from the proposal now, `untouched` is
    the share of each region's proposed voxels that are still in it (None: none were proposed).
    """
    protocol = protocol or work.header.load_protocol()
    memory, effort = work.memory, work.memory.effort
    tally = Tally(protocol, memory.codes, memory.proposal)
    ml = work.header.grid.voxel_volume_ml
    return {
        "case": work.header.fingerprint,
        "rater": work.header.rater,
        "layer": work.header.layer,
        "begun": moment(work.begun),
        "ended": moment(work.entries[-1].at if work.entries else work.begun),
        "active_s": round(effort.active_seconds, 1),
        "strokes": effort.strokes,
        "undos": effort.undos,
        "redos": effort.redos,
        "voxels": effort.voxels(protocol),
        "net": tally.edits(),
        "untouched": tally.kept(),
        "volumes_ml": {name: round(n * ml, 4) for name, n in tally.voxels().items()},
    }


def efforts_in(folder: Path) -> list[dict[str, Any]]:
    """One row of plain columns for each work file below a folder, by name.

    A file that cannot be used has its reason in the column "problem".

    Raises
    ------
    InputError
        When there is no work file.
    """
    files = sorted(folder.rglob(f"*{SUFFIX}"))
    files = [file for file in files if not file.name.startswith(".")]
    if not files:
        raise InputError(f'the folder "{folder.name}" holds no work file ({SUFFIX})')
    rows = []
    for file in files:
        try:
            work, is_damaged = load_work(file)
            row = flat(effort_of(work))
            row["problem"] = "damaged: run napari-mmseg recover" if is_damaged else ""
        except InputError as refusal:
            row = {"problem": str(refusal)}
        rows.append({"file": file.relative_to(folder).as_posix(), **row})
    return rows


def flat(effort: dict[str, Any]) -> dict[str, Any]:
    """Nested values as columns, such as `voxels.WT.added`."""
    columns: dict[str, Any] = {}
    for name, value in effort.items():
        if isinstance(value, dict):
            columns.update({f"{name}.{k}": v for k, v in flat(value).items()})
        else:
            columns[name] = value
    return columns


def moment(seconds: float) -> str:
    """A time in UTC, ISO 8601, to the second."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _changed(entry: Entry, protocol: Protocol) -> dict[str, dict[str, int]]:
    """Voxels that an act added to and removed from each region, children included."""
    step = entry.step
    packed: PackedPatch | None = step.codes if step is not None else None
    found = {}
    patch = packed.patch() if packed is not None else None
    for region in protocol.regions:
        added = removed = 0
        if patch is not None:
            inside = protocol.inside_table(region.name)
            old, new = inside[patch.old], inside[patch.new]
            added, removed = int((new & ~old).sum()), int((old & ~new).sum())
        if entry.deed is Deed.UNDO:
            added, removed = removed, added
        found[region.name] = {"added": added, "removed": removed}
    return found
