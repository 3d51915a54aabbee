"""Where voxels lie: array shape, affine, and the lossless way to the display orientation."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import GeometryError

#: Array axes on screen and in the program: towards Inferior, Posterior, Left (right-handed in 3D,
#: radiological axial slices, head-up coronal).
DISPLAY_ORIENTATION = "IPL"

#: Two grids are the same when no corner voxel is further apart than this share of a voxel's edge.
SAME_GRID_TOLERANCE_VOXELS = 0.01

#: Axes further than this from the patient's axes make a grid oblique (degrees).
OBLIQUE_TOLERANCE_DEG = 0.05

#: Direction cosines that agree to so many digits are equal, for choosing the nearest axes.
_TIE_DIGITS = 5

#: Axes that span less than this share of a cube's volume lie in one plane: no place can be told.
SINGULAR_BELOW = 1e-6

_RAS_LETTERS = (("L", "R"), ("P", "A"), ("I", "S"))  # (towards negative, towards positive)


@dataclass(frozen=True)
class Reorientation:
    """A permutation of the axes followed by flips: lossless, and so is its inverse.

    `axes[i]` is the source axis that becomes axis i; `flips[i]` tells whether it then runs
    backwards.
    """

    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    @property
    def is_identity(self) -> bool:
        return self.axes == (0, 1, 2) and not any(self.flips)

    def apply(self, array: NDArray[Any]) -> NDArray[Any]:
        """A view of `array` (source axes first, any further axes kept) in the new orientation."""
        rest = tuple(range(3, array.ndim))
        step = tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)
        return array.transpose(self.axes + rest)[step]

    def invert(self, array: NDArray[Any]) -> NDArray[Any]:
        """A view of `array` back in the source orientation."""
        rest = tuple(range(3, array.ndim))
        step = tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)
        back = tuple(int(i) for i in np.argsort(self.axes))
        return array[step].transpose(back + rest)


@dataclass(frozen=True, eq=False)
class Grid:
    """A regular voxel grid in patient space.

    Parameters
    ----------
    shape
        Voxels along the three array axes.
    affine
        4x4, maps array indices to RAS+ millimetres (NIfTI's convention).

    Raises
    ------
    GeometryError
        When the affine is not finite, not invertible or not 4x4, or a side has no voxel.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    def __post_init__(self) -> None:
        affine = np.array(self.affine, dtype=np.float64)
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise GeometryError(
                "the affine is not a 4x4 matrix of finite numbers: convert the image again"
            )
        with np.errstate(all="ignore"):
            lengths = np.linalg.norm(affine[:3, :3], axis=0)
            volume = abs(np.linalg.det(affine[:3, :3] / lengths)) if lengths.all() else 0.0
        if not volume > SINGULAR_BELOW:
            raise GeometryError(
                "the affine maps different voxels to one place: convert the image again"
            )
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise GeometryError(f"a grid has three sides of at least one voxel, not {self.shape}")
        affine.flags.writeable = False
        object.__setattr__(self, "affine", affine)
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Grid):
            return NotImplemented
        return self.shape == other.shape and bool(np.array_equal(self.affine, other.affine))

    def __hash__(self) -> int:
        return hash((self.shape, self.affine.tobytes()))

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Edge lengths of a voxel in mm, by array axis."""
        a, b, c = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(a), float(b), float(c)

    @property
    def voxel_volume_ml(self) -> float:
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    @property
    def orientation(self) -> str:
        """Where the array axes point, such as "LPS" or "RAS" (the nearest patient axes)."""
        return "".join(
            _RAS_LETTERS[axis][1 if sign > 0 else 0] for axis, sign in self._nearest_axes()
        )

    @property
    def obliquity_deg(self) -> float:
        """The largest angle between an array axis and its nearest patient axis, in degrees."""
        directions = self.affine[:3, :3] / np.linalg.norm(self.affine[:3, :3], axis=0)
        cosines = [abs(directions[axis, i]) for i, (axis, _) in enumerate(self._nearest_axes())]
        return float(np.degrees(np.arccos(np.clip(min(cosines), -1.0, 1.0))))

    @property
    def is_oblique(self) -> bool:
        return self.obliquity_deg > OBLIQUE_TOLERANCE_DEG

    @property
    def display_translate(self) -> tuple[float, float, float]:
        """Where the first voxel of a grid in display orientation is drawn, in mm along I, P, L.

        For a grid that is not oblique this is its true position; an oblique one is drawn
        unrotated about the same first voxel.
        """
        right, anterior, superior = self.affine[:3, 3]
        return float(-superior), float(-anterior), float(-right)

    def to_orientation(self, letters: str = DISPLAY_ORIENTATION) -> Reorientation:
        """The lossless reorientation that makes the axes point to `letters`."""
        nearest = self._nearest_axes()
        axes: list[int] = []
        flips: list[bool] = []
        for letter in letters.upper():
            axis = next(i for i, pair in enumerate(_RAS_LETTERS) if letter in pair)
            wanted = 1 if _RAS_LETTERS[axis][1] == letter else -1
            source = next(i for i, (world, _) in enumerate(nearest) if world == axis)
            axes.append(source)
            flips.append(nearest[source][1] != wanted)
        return Reorientation(
            (axes[0], axes[1], axes[2]),
            (flips[0], flips[1], flips[2]),
        )

    def reoriented(self, change: Reorientation) -> Grid:
        """The grid of an array after `change.apply`."""
        matrix = np.zeros((4, 4))
        matrix[3, 3] = 1.0
        for new, (old, flip) in enumerate(zip(change.axes, change.flips, strict=True)):
            matrix[old, new] = -1.0 if flip else 1.0
            matrix[old, 3] = self.shape[old] - 1 if flip else 0.0
        a, b, c = (self.shape[axis] for axis in change.axes)
        return Grid((a, b, c), self.affine @ matrix)

    def to_world(self, indices: NDArray[Any]) -> NDArray[np.float64]:
        """RAS+ millimetres of array indices; both of shape (..., 3)."""
        return np.asarray(indices, dtype=np.float64) @ self.affine[:3, :3].T + self.affine[:3, 3]

    def to_index(self, world: NDArray[Any]) -> NDArray[np.float64]:
        """Array indices (not rounded) of RAS+ millimetres; both of shape (..., 3)."""
        inverse = np.linalg.inv(self.affine)
        return np.asarray(world, dtype=np.float64) @ inverse[:3, :3].T + inverse[:3, 3]

    def same_as(self, other: Grid, tolerance: float = SAME_GRID_TOLERANCE_VOXELS) -> bool:
        """Do the two grids put every voxel in the same place (up to `tolerance` voxels)?"""
        if self.shape != other.shape:
            return False
        apart = np.abs(self.to_world(self._corners()) - other.to_world(other._corners()))
        return bool(apart.max() <= tolerance * min(self.spacing))

    def overlaps(self, other: Grid) -> bool:
        """Does any part of `other`'s bounding box (in this grid's axes) lie inside this grid?"""
        inside = self.to_index(other.to_world(other._corners()))
        low, high = inside.min(axis=0), inside.max(axis=0)
        return bool((high >= -0.5).all() and (low <= np.array(self.shape) - 0.5).all())

    def _corners(self) -> NDArray[np.float64]:
        ends = np.array(self.shape) - 1
        return np.array(
            [[i, j, k] for i in (0, ends[0]) for j in (0, ends[1]) for k in (0, ends[2])],
            dtype=np.float64,
        )

    def _nearest_axes(self) -> list[tuple[int, int]]:
        """For each array axis its nearest patient axis (0 R, 1 A, 2 S) and the sign along it.

        The assignment with the largest sum of direction cosines, as nibabel's for all but axes
        near 45 degrees. There the choice rests on the lines in space alone, so that an image and
        its own flipped or transposed copy always come to the same display orientation.
        """
        cosines = self.affine[:3, :3] / np.linalg.norm(self.affine[:3, :3], axis=0)
        lines = np.round(cosines, _TIE_DIGITS)

        def fit(order: tuple[int, ...]) -> tuple[bool, float, list[list[float]]]:
            along = [abs(lines[world, axis]) for world, axis in enumerate(order)]
            leaning = [(lines[:, axis] * np.roll(lines[:, axis], 1)).tolist() for axis in order]
            return min(along) > 0, round(float(sum(along)), _TIE_DIGITS), leaning

        order = max(permutations(range(3)), key=fit)
        return [
            (order.index(axis), 1 if cosines[order.index(axis), axis] > 0 else -1)
            for axis in range(3)
        ]
