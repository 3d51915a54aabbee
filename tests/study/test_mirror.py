"""Mirroring is exact, cannot be seen on the screen, and is undone on the way out."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_mmseg.annotation import Annotation, FileCodes
from napari_mmseg.grid import Grid
from napari_mmseg.io import export, open_case, read_annotation
from napari_mmseg.protocol import load_protocol
from napari_mmseg.study.mirror import (
    left_right_axis,
    mirrored_annotation,
    mirrored_case,
    mirrored_codes,
    mirrored_space,
)
from napari_mmseg.volume import SourceSpace

ANGLES = st.floats(-40.0, 40.0)


def rotation(a: float, b: float, c: float) -> np.ndarray:
    whole = np.eye(3)
    for (i, j), angle in zip(((0, 1), (0, 2), (1, 2)), np.radians((a, b, c)), strict=True):
        turn = np.eye(3)
        turn[i, i] = turn[j, j] = np.cos(angle)
        turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
        whole = whole @ turn
    return whole


@st.composite
def spaces(draw: st.DrawFn) -> SourceSpace:
    """A file's space: any axis order, flips, spacing and tilt."""
    shape = draw(st.tuples(*[st.integers(1, 5)] * 3))
    order = draw(st.permutations([0, 1, 2]))
    signs = draw(st.tuples(*[st.sampled_from([-1.0, 1.0])] * 3))
    matrix = np.eye(4)
    turned = rotation(draw(ANGLES) / 3, draw(ANGLES) / 3, draw(ANGLES) / 3)
    matrix[:3, :3] = turned @ (np.eye(3)[:, order] * signs)
    matrix[:3, :3] *= draw(st.tuples(*[st.floats(0.3, 6.0)] * 3))
    matrix[:3, 3] = draw(st.tuples(*[st.floats(-200, 200)] * 3))
    return SourceSpace.of(Grid(shape, matrix))


@settings(max_examples=60, deadline=None)
@given(space=spaces(), seed=st.integers(0, 99))
def test_twice_is_where_it_was(space, seed):
    grid = space.display_grid
    codes = np.random.default_rng(seed).integers(0, 4, grid.shape, dtype=np.uint8)
    once = mirrored_codes(codes, grid)
    np.testing.assert_array_equal(mirrored_codes(once, grid), codes)
    np.testing.assert_array_equal(once, codes[:, :, ::-1])
    assert left_right_axis(grid) == 2
    assert mirrored_space(mirrored_space(space)) == space
    file = FileCodes(codes.copy(), "msd")
    one = Annotation(codes, grid, load_protocol(), space, file_codes=file)
    two = mirrored_annotation(mirrored_annotation(one))
    np.testing.assert_array_equal(two.codes, one.codes)
    np.testing.assert_array_equal(two.file_codes.values, file.values)
    assert two.source == one.source


@settings(max_examples=60, deadline=None)
@given(space=spaces(), seed=st.integers(0, 99))
def test_what_is_drawn_on_a_mirrored_case_goes_back_to_its_place_in_the_file(space, seed):
    stored = np.random.default_rng(seed).integers(0, 4, space.grid.shape, dtype=np.uint8)
    shown = mirrored_codes(np.ascontiguousarray(space.to_display.apply(stored)), space.display_grid)
    back = mirrored_space(space).to_display.invert(shown)
    np.testing.assert_array_equal(back, stored)


def test_only_the_content_is_mirrored_not_the_letters_and_positions(cases):
    case = open_case(cases[0])
    seen = mirrored_case(case)
    assert seen.grid == case.grid
    assert seen.grid.orientation == "IPL"
    assert seen.grid.display_translate == case.grid.display_translate
    for modality, volume in case.volumes.items():
        np.testing.assert_array_equal(seen.volumes[modality].array, volume.array[:, :, ::-1])
    again = mirrored_case(seen)
    for modality, volume in case.volumes.items():
        np.testing.assert_array_equal(again.volumes[modality].array, volume.array)
        assert again.volumes[modality].source == volume.source


def test_an_export_from_a_mirrored_case_lies_right_in_the_patient(cases, tmp_path: Path):
    case = open_case(cases[0])
    codes = np.zeros(case.grid.shape, np.uint8)
    codes[1, 2, 0] = 3  # rightmost column of what is seen mirrored
    seen = mirrored_case(case)
    drawn = Annotation(codes, seen.grid, load_protocol(), seen.source)
    export(drawn, tmp_path / "seg.nii.gz", encoding="msd")
    back = read_annotation(tmp_path / "seg.nii.gz", encoding="msd", like=case)
    np.testing.assert_array_equal(back.codes, codes[:, :, ::-1])
    image = nib.load(tmp_path / "seg.nii.gz")
    np.testing.assert_array_equal(image.affine, case.source.grid.affine)
