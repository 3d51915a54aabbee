"""Raters that several tests let loose on one case."""

from __future__ import annotations

import numpy as np

from napari_mmseg.annotation import Annotation
from napari_mmseg.grid import Grid
from napari_mmseg.protocol import Encoding, Protocol, Region, load_protocol
from napari_mmseg.volume import SourceSpace

#: Axes towards inferior, posterior, left; 1 mm.
UPRIGHT = np.array([[0, 0, -1, 90], [0, -1, 0, 80], [-1, 0, 0, 70], [0, 0, 0, 1.0]])


def said(
    codes: np.ndarray, protocol: str | Protocol = "glioma", affine: np.ndarray = UPRIGHT
) -> Annotation:
    """What a rater said, from their codes."""
    grid = Grid(codes.shape, affine)
    named = load_protocol(protocol) if isinstance(protocol, str) else protocol
    return Annotation(np.asarray(codes, np.uint8), grid, named, SourceSpace.of(grid))


def ball(shape: tuple[int, int, int], centre: tuple[float, ...], radius: float) -> np.ndarray:
    index = np.indices(shape)
    return ((index - np.reshape(centre, (3, 1, 1, 1))) ** 2).sum(0) <= radius**2


def tumour(
    centre: tuple[float, ...] = (12, 12, 12), radius: float = 8, side: int = 24
) -> np.ndarray:
    """Codes by depth: three balls about one centre."""
    codes = np.zeros((side,) * 3, np.uint8)
    for depth, part in enumerate((1.0, 0.65, 0.35), start=1):
        codes[ball(codes.shape, centre, radius * part)] = depth
    return codes


def siblings() -> Protocol:
    """A forest: A with the children B and C beside each other, and D alone."""
    names = [("A", None), ("B", "A"), ("C", "A"), ("D", None)]
    regions = tuple(
        Region(name, name, code, parent, name, (1.0, 0.0, 0.0), str(code))
        for code, (name, parent) in enumerate(names, start=1)
    )
    same = {code: code for code in range(5)}
    return Protocol(
        "forest", "Forest", regions, {"codes": Encoding("codes", "", same, same)}, "codes"
    )
