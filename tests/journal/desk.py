"""Sessions with a work file, and hands that paint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from editing.volumes import annotation

from napari_mmseg.editing import EditSession, Footprint, Mode, Stroke
from napari_mmseg.journal import Journal

FINGERPRINT = "0123456789abcdef0123"


def opened(path: Path, session: EditSession | None = None, **more: object) -> tuple:
    """A session and its journal."""
    session = session or EditSession(annotation())
    return session, Journal(session, path, FINGERPRINT, "r1", **more)  # type: ignore[arg-type]


def blot(session: EditSession, seed: int, label: str = "brush: add") -> None:
    """One stroke somewhere in the volume, drawn from a seed; it always changes something."""
    rng = np.random.default_rng(seed)
    before = session.undo_depth
    while session.undo_depth == before:
        corner = tuple(int(rng.integers(0, n)) for n in session.codes.shape)
        mask = rng.random((1, 3, 3)) < 0.8
        region = ("WT", "TC", "ET")[int(rng.integers(0, 3))]
        mode = (Mode.PAINT, Mode.ERASE, Mode.SET)[int(rng.integers(0, 3))]
        session.apply(Stroke(region, mode, Footprint(corner, mask)), f"{label} {region}")
