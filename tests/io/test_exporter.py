"""Exports: what is written is what was meant, and says how it came to be."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_mmseg.annotation import Annotation, Provenance
from napari_mmseg.errors import EncodingError, ExportError, GeometryError
from napari_mmseg.grid import Grid
from napari_mmseg.io import export, open_case, read_annotation, write_volume
from napari_mmseg.io.verify import check_file
from napari_mmseg.protocol import load_protocol
from napari_mmseg.volume import Modality, SourceSpace

Writer = Callable[..., Path]
SHAPE = (5, 6, 7)
FORMATS = [".nii.gz", ".nii", ".nrrd", ".mha"]

#: Oblique, anisotropic, left-handed.
AFFINE = np.array(
    [[-0.78, 0.11, 0.31, 20.5], [0.13, 1.07, 0.52, -8.25], [-0.09, -0.2, 2.9, 3], [0, 0, 0, 1]]
)


@pytest.fixture
def annotation(tmp_path: Path, write_nifti: Writer) -> Annotation:
    """Labels of a case, from a file in brats2015 with both of the folded values."""
    rng = np.random.default_rng(0)
    write_nifti(tmp_path / "in" / "t1ce.nii.gz", rng.integers(0, 99, SHAPE).astype("i2"), AFFINE)
    labels = rng.choice([0, 1, 2, 3, 4], SHAPE).astype(np.uint8)
    write_nifti(tmp_path / "in" / "seg.nii.gz", labels, AFFINE)
    case = open_case(tmp_path / "in")
    return read_annotation(tmp_path / "in" / "seg.nii.gz", encoding="brats2015", like=case)


def _stored(annotation: Annotation) -> np.ndarray:
    return annotation.source.to_display.invert(annotation.codes)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("encoding", ["brats2023", "brats2017", "brats2015", "msd", "depth"])
def test_every_format_and_encoding_reads_back(
    tmp_path: Path, annotation: Annotation, suffix: str, encoding: str
) -> None:
    receipt = export(annotation, tmp_path / f"out{suffix}", encoding=encoding)
    assert receipt.files == (tmp_path / f"out{suffix}",)
    assert receipt.encoding == encoding
    back = read_annotation(tmp_path / f"out{suffix}")  # the sidecar tells the encoding
    np.testing.assert_array_equal(back.codes, annotation.codes)
    assert back.grid.same_as(annotation.grid, 1e-6)
    assert {p.name for p in tmp_path.iterdir()} == {"in", f"out{suffix}", "out.json"}


@pytest.mark.parametrize("suffix", FORMATS)
def test_names_in_capitals(tmp_path: Path, annotation: Annotation, suffix: str) -> None:
    path = tmp_path / f"OUT{suffix.upper()}"
    export(annotation, path)
    np.testing.assert_array_equal(read_annotation(path).codes, annotation.codes)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_itk_puts_voxels_where_nibabel_does(
    tmp_path: Path, annotation: Annotation, suffix: str
) -> None:
    export(annotation, tmp_path / f"out{suffix}", encoding="depth")
    image = sitk.ReadImage(str(tmp_path / f"out{suffix}"))
    codes = _stored(annotation)
    for index in [(0, 0, 0), (4, 0, 0), (0, 5, 0), (0, 0, 6), (1, 2, 3)]:
        left, posterior, superior = image.TransformIndexToPhysicalPoint(index)
        world = nib.affines.apply_affine(annotation.source.grid.affine, index)
        np.testing.assert_allclose((-left, -posterior, superior), world, atol=1e-6)
        assert image[index] == codes[index]


def test_nifti_tells_its_kind_and_no_names(tmp_path: Path, annotation: Annotation) -> None:
    head = bytearray(annotation.source.nifti_header or b"")
    head[148 : 148 + 8] = b"Jane Doe"  # descrip
    head[14 : 14 + 8] = b"Jane Doe"  # db_name
    head[228 : 228 + 8] = b"Jane Doe"  # aux_file
    head[328 : 328 + 8] = b"Jane Doe"  # intent_name
    source = replace(annotation.source, nifti_header=bytes(head))
    export(replace(annotation, source=source), tmp_path / "out.nii")
    assert b"Doe" not in (tmp_path / "out.nii").read_bytes()
    header = nib.load(tmp_path / "out.nii").header
    assert int(header["intent_code"]) == 1002
    assert header.get_data_dtype() == np.uint8
    raw = nib.Nifti1Header((tmp_path / "out.nii").read_bytes()[:348])  # nibabel forgets on load
    assert (raw["scl_slope"], raw["scl_inter"]) == (1, 0)


def test_default_encoding_is_brats2023(tmp_path: Path, annotation: Annotation) -> None:
    export(annotation, tmp_path / "out.nii.gz")
    stored = np.asarray(nib.load(tmp_path / "out.nii.gz").dataobj)
    codes = _stored(annotation)
    for code, value in {0: 0, 1: 2, 2: 1, 3: 3}.items():
        assert (stored[codes == code] == value).all()


def test_unedited_voxels_keep_their_folded_values(tmp_path: Path, annotation: Annotation) -> None:
    assert annotation.file_codes is not None
    codes = annotation.codes.copy()
    oedema = np.argwhere(codes == 1)
    edited = np.zeros(codes.shape, dtype=bool)
    edited[tuple(oedema[:9].T)] = True
    codes[edited] = 2
    receipt = export(annotation.with_codes(codes), tmp_path / "out.nii.gz", encoding="brats2015")
    values = annotation.source.to_display.apply(
        np.asarray(nib.load(tmp_path / "out.nii.gz").dataobj)
    )
    np.testing.assert_array_equal(values[~edited], annotation.file_codes.values[~edited])
    assert (values[edited] == 1).all()
    assert any("edited necrotic or non-enhancing core voxels get 1" in n for n in receipt.notes)
    assert export(annotation, tmp_path / "b.nii", encoding="brats2015").notes == ()
    folded = export(annotation, tmp_path / "c.nii", encoding="brats2017").notes
    assert any("1 and 3 of brats2015" in n for n in folded)


def test_one_file_per_region(tmp_path: Path, annotation: Annotation) -> None:
    receipt = export(annotation, tmp_path / "out.nii.gz", per_region=True)
    assert [p.name for p in receipt.files] == [f"out-{r}.nii.gz" for r in ("WT", "TC", "ET")]
    for region, path in zip(("WT", "TC", "ET"), receipt.files, strict=True):
        stored = np.asarray(nib.load(path).dataobj)
        expected = annotation.source.to_display.invert(annotation.region(region))
        np.testing.assert_array_equal(stored, expected)
    assert not (tmp_path / "out.nii.gz").exists()
    told = json.loads((tmp_path / "out.json").read_text())
    assert set(told["sha256"]) == {"WT", "TC", "ET"}


def test_sidecar(tmp_path: Path, annotation: Annotation) -> None:
    how = Provenance(
        model="simulated",
        weights_sha256="ab" * 32,
        modalities=("T1ce",),
        missing=("T1", "T2", "FLAIR"),
        inputs={"T1ce": "cd" * 32},
        thresholds={"WT": 0.5},
        device="cpu",
        created="2025-01-01T00:00:00+00:00",
        edits={"ET": {"added": 12, "removed": 3}},
        looks="mirrored",
        expected_dice={"WT": 0.8125},
        warnings=('"Jane Doe t1.nii.gz" was resampled', "see /home/jane/t1.nii.gz or doe.mha"),
    )
    path = tmp_path / "out.nii.gz"
    export(replace(annotation, provenance=how, author="rater 2"), path)
    text = (tmp_path / "out.json").read_text()
    told = json.loads(text)
    assert told["sha256"]["labels"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert told["encoding"] == "brats2023"
    assert told["values"] == {
        "oedema": 2, "necrotic or non-enhancing core": 1, "enhancing tumour": 3,
    }  # fmt: skip
    assert told["author"] == "rater 2"
    assert told["edits"] == {"ET": {"added": 12, "removed": 3}}
    assert told["volumes_ml"] == pytest.approx(annotation.volumes_ml, abs=1e-3)
    assert "research use only" in told["notice"]
    assert "Jane" not in text
    assert "jane" not in text
    assert "doe" not in text
    assert str(tmp_path) not in text
    again = read_annotation(path)
    assert again.author == "rater 2"
    assert replace(again.provenance, warnings=()) == replace(how, warnings=())


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**16), encoding=st.sampled_from(sorted(load_protocol().encodings)))
def test_round_trip_of_any_labels(
    tmp_path_factory: pytest.TempPathFactory, seed: int, encoding: str
) -> None:
    """Values that an encoding has return bit for bit when nothing was edited."""
    rng = np.random.default_rng(seed)
    folder = tmp_path_factory.mktemp("trip")
    known = sorted(load_protocol().encoding(encoding).read)
    labels = rng.choice(known, rng.integers(2, 7, 3)).astype(np.uint8)
    nib.save(nib.Nifti1Image(labels, AFFINE), folder / "seg.nii")
    annotation = read_annotation(folder / "seg.nii", encoding=encoding)
    export(annotation, folder / "out.nii", encoding=encoding)
    np.testing.assert_array_equal(np.asarray(nib.load(folder / "out.nii").dataobj), labels)


# -- spaces without a NIfTI header ---------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
@pytest.mark.parametrize("shear", [0.0, 1e-3])
def test_from_itk_to_nifti(tmp_path: Path, suffix: str, shear: float) -> None:
    affine = AFFINE.copy()
    affine[0, 1] += shear
    array = np.arange(210, dtype=np.int16).reshape(SHAPE)
    codes = (array % 4).astype(np.uint8)
    grid = Grid(SHAPE, affine)
    source = SourceSpace.of(grid)
    shown = np.ascontiguousarray(source.to_display.apply(array))
    write_volume(shown, tmp_path / f"t1{suffix}", source)
    case = open_case(tmp_path / f"t1{suffix}")
    np.testing.assert_array_equal(case.volumes[Modality.T1].array, shown)
    labels = np.ascontiguousarray(source.to_display.apply(codes))
    annotation = Annotation(labels, case.grid, load_protocol(), case.source)
    export(annotation, tmp_path / "seg.nii.gz", encoding="depth")
    back = nib.load(tmp_path / "seg.nii.gz")
    np.testing.assert_allclose(back.affine, affine, atol=1e-5)
    assert int(back.header["sform_code"]) == int(back.header["qform_code"]) == 1
    np.testing.assert_array_equal(np.asarray(back.dataobj), codes)


def test_from_a_file_with_channels(tmp_path: Path, write_nifti: Writer) -> None:
    array = np.random.default_rng(0).integers(0, 99, (*SHAPE, 4)).astype(np.int16)
    case = open_case(write_nifti(tmp_path / "BRATS_001.nii.gz", array, AFFINE))
    codes = np.ones(case.grid.shape, dtype=np.uint8)
    export(Annotation(codes, case.grid, load_protocol(), case.source), tmp_path / "s.nii.gz")
    assert nib.load(tmp_path / "s.nii.gz").shape == SHAPE


# -- images ------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", FORMATS)
def test_images_return_as_they_were(tmp_path: Path, write_nifti: Writer, suffix: str) -> None:
    array = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    case = open_case(write_nifti(tmp_path / "t2.nii.gz", array, AFFINE))
    write_volume(case.volumes[Modality.T2], tmp_path / f"copy_t2{suffix}")
    back = open_case(tmp_path / f"copy_t2{suffix}").volumes[Modality.T2]
    np.testing.assert_array_equal(back.source.to_display.invert(back.array), array)
    np.testing.assert_allclose(back.source.grid.affine, AFFINE, atol=1e-6)


def test_arrays_need_a_place(tmp_path: Path) -> None:
    array = np.zeros(SHAPE, dtype=bool)
    with pytest.raises(GeometryError):
        write_volume(array, tmp_path / "a.nii")
    with pytest.raises(GeometryError):
        write_volume(array, tmp_path / "a.nii", Grid((3, 3, 3), np.eye(4)))
    write_volume(array, tmp_path / "a.nii", Grid(SHAPE, AFFINE))
    np.testing.assert_allclose(nib.load(tmp_path / "a.nii").affine, AFFINE, atol=1e-5)
    with pytest.raises(ExportError, match="cannot be written"):
        write_volume(array.astype(np.int64), tmp_path / "a.nrrd", Grid(SHAPE, AFFINE))


# -- refusals ------------------------------------------------------------------------------------


def test_refusals(tmp_path: Path, annotation: Annotation) -> None:
    with pytest.raises(ExportError, match=r"end it in \.nii\.gz"):
        export(annotation, tmp_path / "out.png")
    with pytest.raises(EncodingError, match="brats2024"):
        export(annotation, tmp_path / "out.nii", encoding="brats2024")
    export(annotation, tmp_path / "out.nii")
    with pytest.raises(ExportError, match="there already"):
        export(annotation, tmp_path / "out.nii", overwrite=False)
    (tmp_path / "folder.nii").mkdir()
    with pytest.raises(ExportError, match="is a folder"):
        export(annotation, tmp_path / "folder.nii")
    small = replace(annotation, source=SourceSpace.of(Grid((2, 2, 2), np.eye(4))))
    with pytest.raises(GeometryError):
        export(small, tmp_path / "out.nii")


def test_the_images_themselves_are_never_replaced(tmp_path: Path, annotation: Annotation) -> None:
    image = tmp_path / "in" / "t1ce.nii.gz"
    before = image.read_bytes()
    how = Provenance(inputs={"T1ce": hashlib.sha256(before).hexdigest()})
    with pytest.raises(ExportError, match="one of the images"):
        export(replace(annotation, provenance=how), image)
    assert image.read_bytes() == before


@pytest.mark.parametrize("suffix", FORMATS)
def test_verification_notices(tmp_path: Path, annotation: Annotation, suffix: str) -> None:
    """One voxel, one place in space: each difference is found."""
    path = tmp_path / f"out{suffix}"
    export(annotation, path, encoding="depth")
    stored = _stored(annotation)
    source = annotation.source
    check_file(path, path, stored, source)
    changed = stored.copy()
    changed[1, 2, 3] ^= 1
    with pytest.raises(ExportError, match="the voxels"):
        check_file(path, path, changed, source)
    affine = source.grid.affine.copy()
    affine[0, 3] += 0.01
    moved = SourceSpace.of(Grid(SHAPE, affine))
    with pytest.raises(ExportError, match=r"the grid|header field"):
        check_file(path, path, stored, moved)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ExportError):
        check_file(path, path, stored, source)


def test_another_protocol(tmp_path: Path) -> None:
    codes = np.zeros(SHAPE, dtype=np.uint8)
    codes[1, 2, 3] = 1
    source = SourceSpace.of(Grid(SHAPE, AFFINE))
    upright = source.to_display.apply(codes)
    lesion = load_protocol("ms_lesion")
    annotation = Annotation(upright, source.display_grid, lesion, source)
    assert export(annotation, tmp_path / "out.nii").encoding == "binary"
    back = read_annotation(tmp_path / "out.nii", protocol=lesion)
    np.testing.assert_array_equal(back.codes, upright)
