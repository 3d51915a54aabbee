"""Every pose a NIfTI file can tell: opens upright, exports voxel for voxel with forms and codes."""

from __future__ import annotations

from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_mmseg.annotation import Annotation
from napari_mmseg.io import export, open_case
from napari_mmseg.io.verify import GEOMETRY_FIELDS
from napari_mmseg.protocol import load_protocol

SHAPE = (4, 5, 6)
SPACING = (0.8, 1.1, 3.0)
ORIENTATIONS = [
    (axes, signs) for axes in permutations(range(3)) for signs in product((1, -1), repeat=3)
]

#: name: (sform code, qform code, whether the qform tells another place)
FORMS = {
    "sform only": (1, 0, False),
    "qform only": (0, 1, False),
    "both": (1, 1, False),
    "conflict 1 over 1": (1, 1, True),
    "conflict 2 over 1": (2, 1, True),
    "conflict 4 over 1": (4, 1, True),
    "conflict 1 over 2": (1, 2, True),
    "neither": (0, 0, False),
}


def _rotation(degrees: tuple[float, float, float]) -> np.ndarray:
    x, y, z = np.radians(degrees)
    about_x = [[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]]
    about_y = [[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]]
    about_z = [[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]]
    return np.array(about_x) @ np.array(about_y) @ np.array(about_z)


def _affine(axes: tuple[int, ...], signs: tuple[int, ...], oblique: bool) -> np.ndarray:
    """Array axis i points along patient axis `axes[i]`, towards `signs[i]`."""
    affine = np.eye(4)
    affine[:3, :3] = 0
    for i in range(3):
        affine[axes[i], i] = signs[i] * SPACING[i]
    if oblique:
        affine[:3, :3] = _rotation((12, -9, 7)) @ affine[:3, :3]
    affine[:3, 3] = (-31.5, 12.25, 40)
    return affine


def _image(affine: np.ndarray, sform: int, qform: int, conflict: bool) -> nib.Nifti1Image:
    """Every voxel another value, so that a swapped pair of voxels cannot hide."""
    array = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE) + 1
    image = nib.Nifti1Image(array, None)
    other = affine.copy()
    other[:3, 3] += (20, -15, 5)
    image.header.set_sform(affine, sform)
    image.header.set_qform(other if conflict else affine, qform, strip_shears=True)
    image.header["pixdim"][1:4] = SPACING
    image.header["descrip"] = b"Jane Doe 1970-01-01"
    image.header["db_name"] = b"Jane Doe"
    return image


def _comes_back(image: nib.Nifti1Image, folder: Path) -> None:
    """Open upright, export, and compare both with what nibabel reads."""
    (folder / "t1.nii").write_bytes(image.to_bytes())
    truth = nib.load(folder / "t1.nii")
    voxels = np.asarray(truth.dataobj)
    case = open_case(folder / "t1.nii")
    volume = case.volumes[case.reference]

    # Upright by nibabel's own judgement, and every voxel at its true place.
    assert nib.aff2axcodes(volume.grid.affine) == ("I", "P", "L")
    index = np.argwhere(np.ones(SHAPE, dtype=bool))
    by_value = dict(zip(voxels[tuple(index.T)].tolist(), index.tolist(), strict=True))
    shown = np.argwhere(np.ones(volume.array.shape, dtype=bool))
    original = np.array([by_value[v] for v in volume.array[tuple(shown.T)].tolist()])
    np.testing.assert_allclose(
        volume.grid.to_world(shown), nib.affines.apply_affine(truth.affine, original), atol=1e-4
    )

    codes = (volume.array % 4).astype(np.uint8)
    annotation = Annotation(codes, case.grid, load_protocol(), case.source)
    export(annotation, folder / "seg.nii.gz", encoding="depth")
    back = nib.load(folder / "seg.nii.gz")
    np.testing.assert_array_equal(np.asarray(back.dataobj), voxels % 4)
    np.testing.assert_array_equal(back.affine, truth.affine)
    for field in GEOMETRY_FIELDS:
        np.testing.assert_array_equal(back.header[field], truth.header[field], err_msg=field)
    np.testing.assert_array_equal(back.header["pixdim"][:4], truth.header["pixdim"][:4])
    assert b"Doe" not in back.header.binaryblock


@pytest.mark.parametrize("oblique", [False, True], ids=["orthogonal", "oblique"])
@pytest.mark.parametrize("forms", FORMS)
def test_all_orientations(tmp_path: Path, forms: str, oblique: bool) -> None:
    for number, (axes, signs) in enumerate(ORIENTATIONS):
        folder = tmp_path / str(number)
        folder.mkdir()
        _comes_back(_image(_affine(axes, signs, oblique), *FORMS[forms]), folder)


@settings(max_examples=40, deadline=None)
@given(
    orientation=st.sampled_from(ORIENTATIONS),
    oblique=st.booleans(),
    qform=st.sampled_from([0, 1]),
    shear=arrays(np.float64, (3, 3), elements=st.floats(-2e-3, 2e-3)),
)
def test_sform_sheared_by_rounding(
    tmp_path_factory: pytest.TempPathFactory,
    orientation: tuple[tuple[int, ...], tuple[int, ...]],
    oblique: bool,
    qform: int,
    shear: np.ndarray,
) -> None:
    affine = _affine(*orientation, oblique)
    affine[:3, :3] = (np.eye(3) + shear) @ affine[:3, :3]
    _comes_back(_image(affine, 1, qform, False), tmp_path_factory.mktemp("sheared"))


@pytest.mark.parametrize(
    ("forms", "words"),
    [
        ("neither", "says nothing about its position"),
        ("conflict 2 over 1", "an sform and a qform that differ"),
    ],
)
def test_odd_forms_are_said(tmp_path: Path, forms: str, words: str) -> None:
    image = _image(_affine((0, 1, 2), (1, 1, 1), False), *FORMS[forms])
    (tmp_path / "t1.nii").write_bytes(image.to_bytes())
    assert any(words in w for w in open_case(tmp_path / "t1.nii").warnings)


@pytest.mark.parametrize("forms", ["sform only", "qform only", "both"])
def test_plain_forms_are_silent(tmp_path: Path, forms: str) -> None:
    image = _image(_affine((0, 1, 2), (1, 1, 1), True), *FORMS[forms])
    (tmp_path / "t1.nii").write_bytes(image.to_bytes())
    assert open_case(tmp_path / "t1.nii").warnings == ()


def test_a_quaternion_without_handedness_is_read_as_nibabel_reads_it(tmp_path: Path) -> None:
    """`pixdim[0]` of 0 is common in old files; it is written back as it was."""
    image = _image(_affine((0, 1, 2), (1, 1, 1), False), *FORMS["qform only"])
    data = bytearray(image.to_bytes())
    data[76:80] = bytes(4)  # pixdim[0]
    (tmp_path / "t1.nii").write_bytes(data)
    case = open_case(tmp_path / "t1.nii")
    np.testing.assert_allclose(case.source.grid.affine, _affine((0, 1, 2), (1, 1, 1), False))
    codes = np.zeros(case.grid.shape, dtype=np.uint8)
    export(Annotation(codes, case.grid, load_protocol(), case.source), tmp_path / "seg.nii")
    raw = nib.Nifti1Header((tmp_path / "seg.nii").read_bytes()[:348], check=False)
    assert raw["pixdim"][0] == 0


def test_nifti2_and_big_endian_return(tmp_path: Path) -> None:
    affine = _affine((2, 0, 1), (-1, 1, -1), True)
    array = np.arange(np.prod(SHAPE), dtype=">i2").reshape(SHAPE)
    for number, kind in enumerate((nib.Nifti2Image, nib.Nifti1Image)):
        header = kind.header_class(endianness=">")
        image = kind(array, affine, header)
        image.header.set_data_dtype(">i2")
        folder = tmp_path / str(number)
        folder.mkdir()
        nib.save(image, folder / "t1.nii.gz")
        case = open_case(folder)
        codes = (case.volumes[case.reference].array % 4).astype(np.uint8)
        annotation = Annotation(codes, case.grid, load_protocol(), case.source)
        export(annotation, folder / "seg.nii.gz", encoding="depth")
        back = nib.load(folder / "seg.nii.gz")
        assert isinstance(back, kind)
        np.testing.assert_array_equal(np.asarray(back.dataobj), array % 4)
        np.testing.assert_array_equal(back.affine, nib.load(folder / "t1.nii.gz").affine)
