"""Volumes, steps and origins as the facts and data of rows, and back."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..annotation import FileCodes, Provenance
from ..editing.history import Origin, Step
from ..editing.patch import PackedPatch
from ..editing.stroke import Footprint
from ..editing.ticks import Tick, Ticks
from ..io.sidecar import without_names

_FAST = 1  # zlib level: labels compress some hundredfold at any level

Volume = NDArray[np.uint8]


def pack_volumes(codes: Volume, proposal: Volume) -> tuple[dict[str, Any], bytes]:
    """Facts and data of a pair of volumes of one shape."""
    first = zlib.compress(codes.tobytes(), _FAST)
    same = np.array_equal(codes, proposal)
    second = b"" if same else zlib.compress(proposal.tobytes(), _FAST)
    return {"shape": list(codes.shape), "codes_bytes": len(first), "same": same}, first + second


def unpack_volumes(facts: Mapping[str, Any], data: bytes) -> tuple[Volume, Volume]:
    """Codes and proposal, each an array of its own."""
    size = facts["codes_bytes"]
    codes = _volume(facts["shape"], data[:size])
    proposal = codes.copy() if facts["same"] else _volume(facts["shape"], data[size:])
    return codes, proposal


def pack_origin(origin: Origin) -> tuple[dict[str, Any], bytes]:
    """Facts and data of an origin; file names are taken out of its warnings."""
    told = {f.name: _plain(getattr(origin.provenance, f.name)) for f in fields(Provenance)}
    told["warnings"] = [without_names(w) for w in origin.provenance.warnings]
    facts: dict[str, Any] = {"author": origin.author, "provenance": told, "encoding": None}
    if origin.file_codes is None:
        return facts, b""
    facts["encoding"] = origin.file_codes.encoding
    facts["shape"] = list(origin.file_codes.values.shape)
    return facts, zlib.compress(np.ascontiguousarray(origin.file_codes.values).tobytes(), _FAST)


def _plain(value: object) -> object:
    """Read-only mappings as dicts, which JSON can hold."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return value


def unpack_origin(facts: Mapping[str, Any], data: bytes) -> Origin:
    known = {field.name for field in fields(Provenance)}
    told = {k: v for k, v in facts["provenance"].items() if k in known}
    for name in ("modalities", "missing", "warnings"):
        told[name] = tuple(told.get(name) or ())
    file_codes = None
    if facts["encoding"] is not None:
        file_codes = FileCodes(_volume(facts["shape"], data), facts["encoding"])
    return Origin(facts["author"], Provenance(**told), file_codes)


def pack_step(step: Step) -> tuple[dict[str, Any], bytes]:
    """Facts and data of a step, without its origins."""
    facts: dict[str, Any] = {"label": without_names(step.label)}
    if step.regions:
        facts["regions"] = step.regions
    if step.plane:
        facts["plane"] = step.plane
    data = b""
    for name, patch in (("codes", step.codes), ("proposal", step.proposal)):
        if patch is not None:
            box = [n for side in patch.box for n in (side.start, side.stop)]
            facts[name] = [box, patch.count, patch.compressed, len(patch.data)]
            data += patch.data
    return facts, data


def unpack_step(facts: Mapping[str, Any], data: bytes, before: Origin, after: Origin) -> Step:
    patches: dict[str, PackedPatch | None] = {}
    for name in ("codes", "proposal"):
        if name not in facts:
            patches[name] = None
            continue
        (a, b, c, d, e, f), count, compressed, size = facts[name]
        box = (slice(a, b), slice(c, d), slice(e, f))
        patches[name] = PackedPatch(box, count, data[:size], compressed)
        data = data[size:]
    return Step(
        facts["label"],
        patches["codes"],
        patches["proposal"],
        before,
        after,
        facts.get("regions", ""),
        facts.get("plane", ""),
    )


def _volume(shape: list[int], data: bytes) -> Volume:
    return np.frombuffer(zlib.decompress(data), dtype=np.uint8).reshape(shape).copy()


def pack_ticks(ticks: Ticks) -> tuple[dict[str, Any], bytes]:
    """Facts and data of all ticks: region, corner, shape and length of each, and its voxels."""
    told, data = [], b""
    for tick in ticks.items:
        corner, mask = tick.footprint
        packed = zlib.compress(np.packbits(mask).tobytes(), _FAST)
        told.append([tick.region, [int(n) for n in corner], list(mask.shape), len(packed)])
        data += packed
    return {"ticks": told}, data


def unpack_ticks(facts: Mapping[str, Any], data: bytes) -> Ticks:
    """What `pack_ticks` has packed."""
    found, at = [], 0
    for region, corner, shape, length in facts["ticks"]:
        bits = np.frombuffer(zlib.decompress(data[at : at + length]), np.uint8)
        at += length
        mask = np.unpackbits(bits, count=int(np.prod(shape))).astype(bool).reshape(shape)
        found.append(Tick(region, Footprint((corner[0], corner[1], corner[2]), mask)))
    return Ticks(tuple(found))
