"""What an origin tells survives being written as JSON."""

from __future__ import annotations

import json
from types import MappingProxyType

from napari_mmseg.annotation import Provenance
from napari_mmseg.editing.history import Origin
from napari_mmseg.journal.codec import pack_origin, unpack_origin


def test_read_only_mappings_within_each_other_are_written() -> None:
    edits = MappingProxyType({"WT": MappingProxyType({"added": 3, "removed": 1})})
    provenance = Provenance(model="m", thresholds=MappingProxyType({"WT": 0.5}), edits=edits)
    facts, data = pack_origin(Origin("model:m", provenance, None))
    back = unpack_origin(json.loads(json.dumps(facts)), data)
    assert back.author == "model:m"
    assert back.provenance == Provenance(
        model="m", thresholds={"WT": 0.5}, edits={"WT": {"added": 3, "removed": 1}}
    )
