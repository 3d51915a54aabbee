"""Small annotations under nested, flat and branching protocols."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from napari_mmseg.annotation import Annotation
from napari_mmseg.grid import Grid
from napari_mmseg.protocol import Encoding, Protocol, Region, load_protocol
from napari_mmseg.volume import SourceSpace

SHAPE = (4, 5, 6)

_PLAIN = Encoding("plain", "as coded", {i: i for i in range(5)}, {i: i for i in range(5)})


def _region(name: str, code: int, parent: str | None) -> Region:
    return Region(name, name, code, parent, f"rest of {name}", (1.0, 0.0, 0.0), str(code))


#: A holds B and C side by side, B holds D: codes that are not depths.
FOREST = Protocol(
    "forest",
    "a forest",
    (_region("A", 1, None), _region("B", 3, "A"), _region("C", 2, "A"), _region("D", 4, "B")),
    {"plain": _PLAIN},
    "plain",
)
GLIOMA = load_protocol("glioma")
PROTOCOLS = (GLIOMA, FOREST, load_protocol("ms_lesion"))


def annotation(
    codes: np.ndarray | None = None,
    protocol: Protocol = GLIOMA,
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> Annotation:
    """An annotation in display orientation: empty unless codes are given."""
    if codes is None:
        codes = np.zeros(SHAPE, np.uint8)
    matrix = np.zeros((4, 4))
    matrix[2, 0], matrix[1, 1], matrix[0, 2] = -spacing[0], -spacing[1], -spacing[2]
    matrix[3, 3] = 1.0
    grid = Grid(codes.shape, matrix)  # type: ignore[arg-type]
    assert grid.orientation == "IPL"
    return Annotation(codes, grid, protocol, SourceSpace.of(grid))


def random_codes(seed: int, protocol: Protocol = GLIOMA) -> np.ndarray:
    """Codes with long runs, drawn from a seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, protocol.highest_code + 1, (2, 3, 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((2, 2, 2), np.uint8))[: SHAPE[0], : SHAPE[1], : SHAPE[2]].copy()


@st.composite
def boxes(draw: st.DrawFn) -> tuple[tuple[int, int, int], np.ndarray]:
    """A corner, perhaps outside the volume, and a mask."""
    corner = tuple(draw(st.integers(-3, n + 1)) for n in SHAPE)
    sides = tuple(draw(st.integers(1, 4)) for _ in SHAPE)
    seed = draw(st.integers(0, 2**16))
    mask = np.random.default_rng(seed).random(sides) < 0.7
    return corner, mask  # type: ignore[return-value]


def covered(corner: tuple[int, int, int], mask: np.ndarray) -> np.ndarray:
    """The footprint as a mask of the whole volume, voxel by voxel."""
    whole = np.zeros(SHAPE, bool)
    for at in np.argwhere(mask):
        voxel = tuple(int(i) for i in at + corner)
        if all(0 <= i < n for i, n in zip(voxel, SHAPE, strict=True)):
            whole[voxel] = True
    return whole
