"""Label files: integers recovered, encodings never guessed, grids never interpolated."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_mmseg.annotation import Provenance
from napari_mmseg.errors import (
    AmbiguousEncodingError,
    EncodingError,
    GeometryError,
    InputError,
    MmsegError,
)
from napari_mmseg.io import open_case, read_annotation
from napari_mmseg.io.sidecar import FORMAT
from napari_mmseg.protocol import load_protocol

Writer = Callable[..., Path]
SHAPE = (5, 6, 7)


def _labels(*values: int) -> np.ndarray:
    return np.random.default_rng(0).choice(values, SHAPE).astype(np.uint8)


def _refused(
    path: Path, *words: str, kind: type[MmsegError] = EncodingError, **how: object
) -> None:
    with pytest.raises(kind) as caught:
        read_annotation(path, **how)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    for word in (path.name, *words):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("encoding", "reads"),
    [
        ("brats2017", {1: 2, 2: 1, 4: 3}),
        ("brats2023", {1: 2, 2: 1, 3: 3}),
        ("brats2015", {1: 2, 2: 1, 3: 2, 4: 3}),
        ("msd", {1: 1, 2: 2, 3: 3}),
        ("depth", {1: 1, 2: 2, 3: 3}),
    ],
)
def test_every_encoding(
    tmp_path: Path, write_nifti: Writer, encoding: str, reads: dict[int, int]
) -> None:
    stored = _labels(0, *reads)
    annotation = read_annotation(write_nifti(tmp_path / "seg.nii.gz", stored), encoding=encoding)
    upright = annotation.source.to_display.apply(stored)
    for value, code in ({0: 0} | reads).items():
        assert (annotation.codes[upright == value] == code).all()
    assert annotation.file_codes is not None
    np.testing.assert_array_equal(annotation.file_codes.values, upright)
    assert annotation.file_codes.encoding == encoding
    assert nib.aff2axcodes(annotation.grid.affine) == ("I", "P", "L")


def test_labels_that_went_through_scaling(tmp_path: Path, write_nifti: Writer) -> None:
    stored = _labels(0, 1, 2, 4)
    near = stored * 1.0000153
    floats = write_nifti(tmp_path / "float.nii.gz", near.astype(np.float32))
    scaled = write_nifti(tmp_path / "scaled.nii.gz", stored.astype(np.int16), slope=1.0000153)
    halved = write_nifti(tmp_path / "halved.nii.gz", stored.astype(np.int16) * 2, slope=0.5)
    for path in (floats, scaled, halved):
        annotation = read_annotation(path, encoding="brats2017")
        assert annotation.file_codes is not None
        np.testing.assert_array_equal(
            annotation.source.to_display.invert(annotation.file_codes.values), stored
        )


@pytest.mark.parametrize("dtype", ["uint16", "int16", "int32", "float32", "float64"])
def test_number_types(tmp_path: Path, write_nifti: Writer, dtype: str) -> None:
    stored = _labels(0, 1, 2, 4)
    path = write_nifti(tmp_path / "seg.nii.gz", stored, dtype=dtype)
    annotation = read_annotation(path)
    np.testing.assert_array_equal(
        annotation.source.to_display.invert(annotation.codes) == 3, stored == 4
    )


@pytest.mark.parametrize(
    ("array", "word"),
    [
        (np.full(SHAPE, 0.5, np.float32), "0.5"),
        (np.full(SHAPE, np.nan, np.float32), "nan"),
        (np.full(SHAPE, np.inf, np.float32), "inf"),
        (np.full(SHAPE, -1, np.int16), "-1"),
        (np.full(SHAPE, 1000, np.int16), "1000"),
    ],
)
def test_values_that_are_no_labels(
    tmp_path: Path, write_nifti: Writer, array: np.ndarray, word: str
) -> None:
    _refused(write_nifti(tmp_path / "seg.nii.gz", array), word)


def test_unknown_label_values(tmp_path: Path, write_nifti: Writer) -> None:
    path = write_nifti(tmp_path / "seg.nii.gz", _labels(0, 1, 7))
    _refused(path, "seg.nii.gz", "7", "no encoding of glioma", "other labels")
    _refused(path, "7", encoding="brats2017")
    _refused(write_nifti(tmp_path / "s.nii.gz", np.ones((*SHAPE, 2), np.uint8)), kind=InputError)


def test_ambiguous_files_name_the_choices(tmp_path: Path, write_nifti: Writer) -> None:
    path = write_nifti(tmp_path / "seg.nii.gz", _labels(0, 1, 2))
    _refused(path, "brats2023, brats2017, brats2015, msd, depth")
    with pytest.raises(AmbiguousEncodingError) as caught:
        read_annotation(path)
    assert set(caught.value.choices) == {"brats2023", "brats2017", "brats2015", "msd", "depth"}
    with pytest.raises(EncodingError, match="no encoding of glioma"):
        read_annotation(path, encoding="brats1999")


def test_another_protocol(tmp_path: Path, write_nifti: Writer) -> None:
    path = write_nifti(tmp_path / "GOLD_STANDARD.nii.gz", _labels(0, 1))
    annotation = read_annotation(path, protocol=load_protocol("ms_lesion"))
    assert annotation.volumes_ml["lesion"] > 0


@pytest.mark.parametrize(
    ("name", "values", "encoding"),
    [
        ("BraTS2021_00001_seg.nii.gz", (0, 1, 2), "brats2017"),
        ("BraTS20_Training_001_seg.nii", (0, 1, 2), "brats2017"),
        ("Brats18_CBICA_AAB_1_seg.nii.gz", (0, 1, 2), "brats2017"),
        ("BraTS-GLI-00000-000-seg.nii.gz", (0, 1, 2, 3), "brats2023"),
        ("VSD.Brain_3more.XX.O.OT.54517.nii.gz", (0, 1, 2, 3), "brats2015"),
        ("seg.nii.gz", (0, 1, 2, 4), "brats2017"),
    ],
)
def test_what_names_and_values_tell(
    tmp_path: Path, write_nifti: Writer, name: str, values: tuple[int, ...], encoding: str
) -> None:
    annotation = read_annotation(write_nifti(tmp_path / name, _labels(*values)))
    expected = load_protocol().encoding(encoding).decode(_labels(*values))
    np.testing.assert_array_equal(annotation.source.to_display.invert(annotation.codes), expected)


def test_paediatric_names_tell_nothing(tmp_path: Path, write_nifti: Writer) -> None:
    _refused(write_nifti(tmp_path / "BraTS-PED-00001-000-seg.nii.gz", _labels(0, 1, 2)), "name one")


def test_a_resection_cavity_is_explained(tmp_path: Path, write_nifti: Writer) -> None:
    path = write_nifti(tmp_path / "BraTS-GLI-00000-000-seg.nii.gz", _labels(0, 1, 2, 3, 4))
    _refused(path, "resection cavity")


def test_a_sidecar_tells_until_the_file_changes(tmp_path: Path, write_nifti: Writer) -> None:
    import hashlib

    path = write_nifti(tmp_path / "seg.nii.gz", _labels(0, 1, 2))
    sidecar = tmp_path / "seg.json"
    sidecar.write_text(json.dumps({"encoding": "msd"}))
    assert read_annotation(path).file_codes.encoding == "msd"  # type: ignore[union-attr]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    sidecar.write_text(json.dumps({"encoding": "msd", "sha256": {"labels": digest}}))
    assert read_annotation(path).file_codes.encoding == "msd"  # type: ignore[union-attr]
    write_nifti(path, _labels(0, 1))
    _refused(path, "name one")
    sidecar.write_text("not json")
    _refused(path, "name one")


def test_a_sidecar_damaged_by_hand_tells_the_encoding_alone(
    tmp_path: Path, write_nifti: Writer
) -> None:
    path = write_nifti(tmp_path / "seg.nii.gz", _labels(0, 1, 2))
    told = {"format": FORMAT, "encoding": "msd", "model": "m", "modalities": 4, "inputs": ["T1"]}
    (tmp_path / "seg.json").write_text(json.dumps(told))
    annotation = read_annotation(path)
    assert annotation.file_codes.encoding == "msd"  # type: ignore[union-attr]
    assert annotation.provenance == Provenance()


# -- on the grid of a case ---------------------------------------------------------------------


def test_turned_labels_are_turned_back(tmp_path: Path, write_nifti: Writer) -> None:
    stored = _labels(0, 1, 2, 4)
    write_nifti(tmp_path / "t1.nii.gz")
    case = open_case(tmp_path)
    turned = nib.Nifti1Image(stored, np.eye(4)).as_reoriented([[1, -1], [2, 1], [0, -1]])
    nib.save(turned, tmp_path / "seg.nii.gz")
    annotation = read_annotation(tmp_path / "seg.nii.gz", like=case)
    np.testing.assert_array_equal(case.source.to_display.invert(annotation.codes) == 3, stored == 4)
    assert annotation.source is case.source
    assert annotation.grid is case.grid
    on_grid = read_annotation(tmp_path / "seg.nii.gz", like=case.grid)
    np.testing.assert_array_equal(on_grid.codes, annotation.codes)
    assert on_grid.source.grid.shape == (7, 5, 6)


def test_other_voxels_are_refused(tmp_path: Path, write_nifti: Writer) -> None:
    write_nifti(tmp_path / "t1.nii.gz")
    case = open_case(tmp_path)
    other = write_nifti(tmp_path / "a.nii.gz", np.zeros((5, 6, 8), np.uint8))
    _refused(other, "not interpolated", kind=GeometryError, like=case)
    shifted = np.eye(4)
    shifted[0, 3] = 1
    other = write_nifti(tmp_path / "b.nii.gz", np.zeros(SHAPE, np.uint8), shifted)
    _refused(other, "elsewhere in space", kind=GeometryError, like=case)
