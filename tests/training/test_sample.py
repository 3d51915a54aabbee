"""Label maps in, sample cases out: orientation, units, codes."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform
from numpy.typing import NDArray

from napari_mmseg.training.sample import CODE_OF_DEPTH, SUFFIXES, write_sample
from napari_mmseg.training.simulate import tissues as t
from napari_mmseg.training.simulate.anatomy import (
    HELD_OUT_FILES,
    anatomy_files,
    procedural_head,
    read_head,
)

CODES = {
    t.CSF: (24, 24, 24), t.WHITE: (2, 2, 41), t.CORTEX: (3, 3, 42), t.THALAMUS: (10, 10, 49),
    t.STRIATUM: (11, 11, 50), t.VENTRICLE: (4, 4, 43), t.RESIDUE: (507, 507, 507),
}  # fmt: skip


def label_map() -> NDArray[np.int32]:
    """The made-up head in FreeSurfer codes, (I, P, L)."""
    head = procedural_head(0, 64)
    codes = np.zeros(head.shape, dtype=np.int32)
    for tissue, by_side in CODES.items():
        for side, code in enumerate(by_side):
            codes[head == tissue + (side << t.SIDE_SHIFT)] = code
    return codes


def write_map(folder: Path, name: str, codes: NDArray[np.int32]) -> Path:
    """Store (I, P, L) codes as the shared maps are: LIA."""
    lia = np.ascontiguousarray(np.transpose(codes, (2, 0, 1))[:, :, ::-1])
    affine = np.array([[-1, 0, 0, 9], [0, 0, 1, -4], [0, -1, 0, 5], [0, 0, 0, 1]], dtype=float)
    path = folder / f"{name}.nii.gz"
    nibabel.save(nibabel.Nifti1Image(lia, affine), path)
    return path


def test_a_label_map_is_read_into_inferior_posterior_left(tmp_path: Path) -> None:
    codes = label_map()
    path = write_map(tmp_path, "head", codes)
    assert nibabel.aff2axcodes(nibabel.load(path).affine) == ("L", "I", "A")
    head = read_head(path)
    expected = t.lookup()[codes]
    # The reader crops to brain and margin; here that is nearly everything.
    assert head.shape[0] <= expected.shape[0]
    for code in np.unique(head)[1:]:
        if (code & 31) not in (t.RESIDUE, t.CSF):
            assert (head == code).sum() == (expected == code).sum()
    left = np.argwhere((head >> t.SIDE_SHIFT) == t.LEFT)[:, 2].mean()
    right = np.argwhere((head >> t.SIDE_SHIFT) == t.RIGHT)[:, 2].mean()
    assert left > right


def test_held_out_maps_are_not_training_maps(tmp_path: Path) -> None:
    codes = label_map()[::4, ::4, ::4]
    for name in ("training_seg_01", HELD_OUT_FILES[0]):
        write_map(tmp_path, name, codes)
    training = {p.name for p in anatomy_files(tmp_path)}
    held_out = {p.name for p in anatomy_files(tmp_path, held_out=True)}
    assert training == {"training_seg_01.nii.gz"}
    assert held_out == {f"{HELD_OUT_FILES[0]}.nii.gz"}


def test_a_folder_without_maps_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="label map"):
        anatomy_files(tmp_path)


def test_a_sample_is_a_challenge_like_case(tmp_path: Path) -> None:
    write_map(tmp_path, HELD_OUT_FILES[0], label_map())
    folder = write_sample(tmp_path, 3, tmp_path / "simulated-009")
    images = {s: nibabel.load(folder / f"simulated-009-{s}.nii.gz") for s in (*SUFFIXES, "seg")}
    grids = {(i.shape, i.affine.tobytes()) for i in images.values()}
    assert len(grids) == 1
    for image in images.values():
        assert nibabel.aff2axcodes(image.affine) == ("L", "P", "S")
        assert image.get_data_dtype() == np.int16
        assert image.header.get_xyzt_units()[0] == "mm"
    labels = np.asarray(images["seg"].dataobj)
    assert set(np.unique(labels).tolist()) <= {0, 1, 2, 3}
    assert (labels > 0).any()
    brain = np.asarray(images["t1n"].dataobj) > 0
    assert not labels[~brain].any()
    # The same case again, from the simulator's orientation.
    transform = ornt_transform(io_orientation(images["seg"].affine), axcodes2ornt(("I", "P", "L")))
    assert transform[:, 0].tolist() == [2, 1, 0]


def test_codes_are_those_of_brats_2023() -> None:
    assert CODE_OF_DEPTH.tolist() == [0, 2, 1, 3]


def test_a_seed_writes_the_same_images(tmp_path: Path) -> None:
    write_map(tmp_path, HELD_OUT_FILES[1], label_map())
    first, second = (write_sample(tmp_path, 5, tmp_path / n, "x") for n in ("a", "b"))
    one, other = (np.asarray(nibabel.load(f / "x-t1c.nii.gz").dataobj) for f in (first, second))
    np.testing.assert_array_equal(one, other)
