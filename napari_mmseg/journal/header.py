"""What a work file says about itself: case, grid, protocol and rater, and no patient's name."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from .. import __version__
from ..errors import InputError
from ..grid import Grid
from ..protocol import Protocol, load_protocol


@dataclass(frozen=True, eq=False)
class Header:
    """The metadata of a work file.

    Parameters
    ----------
    fingerprint
        The case's (`identity.fingerprint_of`).
    rater
        A pseudonym.
    grid
        Where the voxels lie (display orientation).
    protocol, protocol_sha256
        What the codes mean: the protocol's name and a hash of its regions.
    software, created
        The version that began the file, and when (UTC, ISO 8601).
    layer
        What further labels of a case are called; empty for the first.
    """

    fingerprint: str
    rater: str
    grid: Grid
    protocol: str
    protocol_sha256: str
    software: str
    created: str
    layer: str = ""

    @classmethod
    def new(
        cls, fingerprint: str, rater: str, grid: Grid, protocol: Protocol, layer: str = ""
    ) -> Header:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        digest = protocol_digest(protocol)
        return cls(fingerprint, rater, grid, protocol.name, digest, __version__, now, layer)

    def facts(self) -> dict[str, Any]:
        facts = {
            "fingerprint": self.fingerprint,
            "rater": self.rater,
            "shape": list(self.grid.shape),
            "affine": self.grid.affine.tolist(),
            "protocol": self.protocol,
            "protocol_sha256": self.protocol_sha256,
            "software": self.software,
            "created": self.created,
        }
        return {**facts, "layer": self.layer} if self.layer else facts

    @classmethod
    def of_facts(cls, facts: dict[str, Any]) -> Header:
        a, b, c = facts["shape"]
        return cls(
            facts["fingerprint"],
            facts["rater"],
            Grid((int(a), int(b), int(c)), np.array(facts["affine"], dtype=np.float64)),
            facts["protocol"],
            facts["protocol_sha256"],
            facts["software"],
            facts["created"],
            str(facts.get("layer", "")),
        )

    def fits(self, grid: Grid, protocol: Protocol) -> bool:
        """Can the work be gone on with on this grid under this protocol?"""
        return self.grid.same_as(grid) and self.protocol_sha256 == protocol_digest(protocol)

    def load_protocol(self) -> Protocol:
        """The protocol of the codes.

        Raises
        ------
        InputError
            When this program knows no such protocol, or knows another of that name.
        """
        protocol = load_protocol(self.protocol)
        if protocol_digest(protocol) != self.protocol_sha256:
            raise InputError(
                f"the work file follows another protocol {self.protocol} than this program's: "
                f"open it with version {self.software}"
            )
        return protocol


def protocol_digest(protocol: Protocol) -> str:
    """A hash of what the codes mean: regions, their codes and parents; colours may change."""
    told = [protocol.name, [[r.name, r.code, r.parent] for r in protocol.regions]]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()
