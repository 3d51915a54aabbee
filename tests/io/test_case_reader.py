"""From files to a case: recognised, said, refused."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from napari_mmseg.errors import GeometryError, InputError, MmsegError
from napari_mmseg.io import export, looks_like_case, open_case, read_annotation
from napari_mmseg.volume import Modality

T1, T1CE, T2, FLAIR = Modality
Writer = Callable[..., Path]


def _refused(path: Path | list[Path], *words: str, kind: type[MmsegError] = InputError) -> None:
    with pytest.raises(kind) as caught:
        open_case(path)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_brats_folder(brats_folder: Path) -> None:
    said: list[str] = []
    case = open_case(brats_folder, progress=said.append)
    assert case.id == "BraTS2021_00001"
    assert case.modalities == (T1, T1CE, T2, FLAIR)
    assert case.missing == case.warnings == ()
    assert case.reference is T1CE
    [label] = case.labels
    assert label.encoding == "brats2017"
    assert any("T1ce" in words for words in said)
    for volume in case.volumes.values():
        assert volume.path is not None
        assert volume.array.flags.c_contiguous
        assert not volume.array.flags.writeable
        assert volume.sha256 == hashlib.sha256(volume.path.read_bytes()).hexdigest()


def test_files_and_text_paths(brats_folder: Path) -> None:
    files = sorted(brats_folder.iterdir())
    assert open_case(files).modalities == (T1, T1CE, T2, FLAIR)
    assert open_case([str(f) for f in files[:2]]).missing
    assert open_case(str(brats_folder)).modalities == (T1, T1CE, T2, FLAIR)
    [single] = [f for f in files if "t1ce" in f.name]
    assert open_case(single).modalities == (T1CE,)


def test_spaces_and_other_letters(tmp_path: Path, write_nifti: Writer) -> None:
    folder = tmp_path / "Größe 研究 (2)"
    write_nifti(folder / "Müller Ünal T1 C+.nii.gz")
    array = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    write_nifti(folder / "Müller Ünal FLAIR.nii.gz", array.repeat(2, 0))
    case = open_case(folder)
    assert set(case.modalities) == {T1CE, FLAIR}


def test_two_of_one_contrast(tmp_path: Path, write_nifti: Writer) -> None:
    write_nifti(tmp_path / "FLAIR.nii.gz")
    second = write_nifti(tmp_path / "flair_2.nii.gz")
    _refused(
        tmp_path, "FLAIR.nii.gz", "flair_2.nii.gz", "both look like FLAIR", "--modality FLAIR="
    )
    case = open_case(tmp_path, modalities={FLAIR: second})
    assert case.volumes[FLAIR].path == second
    assert any('"FLAIR.nii.gz" was left out' in w for w in case.warnings)


def test_a_file_named_twice_is_one_file(tmp_path: Path, write_nifti: Writer) -> None:
    path = write_nifti(tmp_path / "t1.nii.gz")
    assert open_case([path, path]).modalities == (T1,)


def test_packed_and_plain_of_one_name(tmp_path: Path, write_nifti: Writer) -> None:
    write_nifti(tmp_path / "t1.nii.gz")
    write_nifti(tmp_path / "t1.nii")
    _refused(tmp_path, "t1.nii", "t1.nii.gz", "both look like T1")


def test_the_users_word_goes_first(tmp_path: Path, write_nifti: Writer) -> None:
    first = write_nifti(tmp_path / "image_1.nii.gz")
    second = write_nifti(tmp_path / "t2.nii.gz")
    case = open_case(tmp_path, modalities={T1CE: first, FLAIR: second})
    assert {m: v.path for m, v in case.volumes.items()} == {T1CE: first, FLAIR: second}


def test_a_contrast_that_is_none(tmp_path: Path, write_nifti: Writer) -> None:
    path = write_nifti(tmp_path / "t1.nii.gz")
    with pytest.raises(InputError, match="'T9': choose one of T1, T1ce, T2, FLAIR"):
        open_case(path, modalities={"T9": path})  # type: ignore[dict-item]


def test_folders_without_a_case(
    tmp_path: Path, write_nifti: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    _refused(tmp_path / "empty", "empty", "holds no image")
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "t1.txt").write_text("not an image")
    _refused(tmp_path / "text", "holds no image")
    _refused(tmp_path / "absent", "absent")
    write_nifti(tmp_path / "labels" / "seg.nii.gz", np.ones((3, 4, 5), np.uint8))
    _refused(tmp_path / "labels", "only labels")
    _refused([], "no file")
    monkeypatch.chdir(tmp_path / "empty")
    _refused(Path(), '"."', "holds no image")
    for name in ("a", "b"):
        for contrast in ("t1", "t2"):
            write_nifti(tmp_path / "cohort" / name / f"{contrast}.nii.gz")
    _refused(tmp_path / "cohort", "holds 2 cases")


def test_no_contrast_is_ignored_and_said(tmp_path: Path, write_nifti: Writer) -> None:
    write_nifti(tmp_path / "t1.nii.gz")
    write_nifti(tmp_path / "coverage.nii.gz")
    case = open_case(tmp_path)
    assert case.modalities == (T1,)
    assert any('"coverage.nii.gz" was left out' in w for w in case.warnings)


def test_a_folder_a_contrast(tmp_path: Path) -> None:
    """BraTS 2013 to 2015 as downloaded, in MHA."""
    folder = tmp_path / "brats_2013_pat0001_1"
    rng = np.random.default_rng(0)
    for name in ("O.MR_Flair.54512", "O.MR_T1.54513", "O.MR_T1c.54514", "O.MR_T2.54515"):
        sub = folder / f"VSD.Brain.XX.{name}"
        sub.mkdir(parents=True)
        image = sitk.GetImageFromArray(rng.integers(0, 99, (3, 4, 5)).astype(np.int16))
        sitk.WriteImage(image, str(sub / f"VSD.Brain.XX.{name}.mha"))
        (sub / f"VSD.Brain.XX.{name}.txt").write_text("licence")
    sub = folder / "VSD.Brain_3more.XX.O.OT.54517"
    sub.mkdir()
    labels = sitk.GetImageFromArray(np.full((3, 4, 5), 3, np.uint8))
    sitk.WriteImage(labels, str(sub / "VSD.Brain_3more.XX.O.OT.54517.mha"))
    case = open_case(folder)
    assert case.missing == ()
    assert [label.encoding for label in case.labels] == ["brats2015"]
    assert case.source.file_format == "mha"


def test_files_named_by_their_folder(tmp_path: Path, write_nifti: Writer) -> None:
    for name in ("T1", "T1 post", "FLAIR"):
        write_nifti(tmp_path / name / "image.nii.gz")
    assert set(open_case(tmp_path).modalities) == {T1, T1CE, FLAIR}


# -- four dimensions ---------------------------------------------------------------------------


def _channels(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 500, (4, 5, 6, count)).astype(np.int16)


def test_decathlon_order_is_said(tmp_path: Path, write_nifti: Writer) -> None:
    array = _channels(4)
    path = write_nifti(tmp_path / "BRATS_007.nii.gz", array)
    case = open_case(path)
    assert any("FLAIR, T1, T1ce, T2 is assumed" in w for w in case.warnings)
    for number, modality in enumerate((FLAIR, T1, T1CE, T2)):
        shown = case.volumes[modality]
        np.testing.assert_array_equal(
            case.source.to_display.invert(shown.array), array[..., number]
        )


def test_decathlon_dataset_names_channels_and_labels(tmp_path: Path, write_nifti: Writer) -> None:
    array = _channels(4)
    path = write_nifti(tmp_path / "imagesTr" / "BRATS_007.nii.gz", array)
    write_nifti(tmp_path / "labelsTr" / "BRATS_007.nii.gz", np.ones((4, 5, 6), np.uint8))
    dataset = {
        "modality": {"0": "T2w", "1": "T1gd", "2": "T1w", "3": "FLAIR"},
        "labels": {"0": "background", "1": "edema", "2": "non-enhancing tumor",
                   "3": "enhancing tumour"},
    }  # fmt: skip
    (tmp_path / "dataset.json").write_text(json.dumps(dataset))
    case = open_case(path)
    assert case.warnings == ()
    np.testing.assert_array_equal(
        case.source.to_display.invert(case.volumes[T2].array), array[..., 0]
    )
    assert [(label.path.parent.name, label.encoding) for label in case.labels] == [
        ("labelsTr", "msd")
    ]


def test_other_channels_are_refused(tmp_path: Path, write_nifti: Writer) -> None:
    path = write_nifti(tmp_path / "a" / "scan.nii.gz", _channels(3))
    _refused(path, "3 channels", "--modality FLAIR=scan.nii.gz:0")
    case = open_case(path, modalities={T2: (path, 2)})
    np.testing.assert_array_equal(
        case.source.to_display.invert(case.volumes[T2].array), _channels(3)[..., 2]
    )
    with pytest.raises(InputError, match="no channel 3"):
        open_case(path, modalities={T2: (path, 3)})
    with pytest.raises(InputError, match="3 channels: say which is T1"):
        open_case(path, modalities={T1: path})
    (tmp_path / "a" / "dataset.json").write_text('{"modality": {"0": "CT"}}')
    _refused(path, "names the channels CT")


def test_one_channel_without_a_name(tmp_path: Path, write_nifti: Writer) -> None:
    path = write_nifti(tmp_path / "scan.nii.gz")
    _refused(path, "not named as a contrast", "--modality")
    write_nifti(tmp_path / "other.nii.gz")
    _refused(tmp_path, "no file", "is named as a contrast")


# -- voxels ------------------------------------------------------------------------------------


def test_what_is_not_finite_is_replaced_and_said(tmp_path: Path, write_nifti: Writer) -> None:
    array = np.linspace(-3, 5, 60, dtype=np.float32).reshape(3, 4, 5)
    array[0, 0, 0], array[1, 1, 1], array[2, 2, 2] = np.nan, np.inf, -np.inf
    case = open_case(write_nifti(tmp_path / "t1.nii.gz", array))
    shown = case.source.to_display.invert(case.volumes[T1].array)
    lowest = array[np.isfinite(array)].min()
    assert shown[0, 0, 0] == shown[1, 1, 1] == shown[2, 2, 2] == lowest
    np.testing.assert_array_equal(shown[np.isfinite(array)], array[np.isfinite(array)])
    assert any("3 voxels were no finite numbers" in w for w in case.warnings)


def test_numbers_beyond_float32_are_replaced_and_said(tmp_path: Path, write_nifti: Writer) -> None:
    array = np.linspace(1, 5, 60).reshape(3, 4, 5)
    array[1, 1, 1] = 1e300
    case = open_case(write_nifti(tmp_path / "t1.nii.gz", array))
    assert case.volumes[T1].array.max() == 5
    assert any("1 voxels were no finite numbers" in w for w in case.warnings)


def test_a_constant_image_is_missing(tmp_path: Path, write_nifti: Writer) -> None:
    write_nifti(tmp_path / "t1.nii.gz")
    write_nifti(tmp_path / "t2.nii.gz", np.full((5, 6, 7), 3, np.int16))
    write_nifti(tmp_path / "flair.nii.gz", np.full((5, 6, 7), np.nan, np.float32))
    case = open_case(tmp_path)
    assert case.modalities == (T1,)
    assert any("t2.nii.gz" in w and "all its voxels are 3" in w for w in case.warnings)
    assert any("flair.nii.gz" in w and "no number" in w for w in case.warnings)
    _refused(tmp_path / "t2.nii.gz", "shows anything", "same value everywhere")


@pytest.mark.parametrize("background", [0.0, -2.7, -1000.0])
def test_background_stays_as_it_is(tmp_path: Path, write_nifti: Writer, background: float) -> None:
    array = np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float32)
    array[:2] = background
    case = open_case(write_nifti(tmp_path / "t1.nii.gz", array))
    np.testing.assert_array_equal(case.source.to_display.invert(case.volumes[T1].array), array)
    assert case.warnings == ()


# -- grids -------------------------------------------------------------------------------------


def test_another_axis_order_is_the_same_grid(tmp_path: Path, write_nifti: Writer) -> None:
    array = np.arange(210, dtype=np.int16).reshape(5, 6, 7)
    write_nifti(tmp_path / "t1.nii.gz", array)
    turned = nib.as_closest_canonical(nib.Nifti1Image(array, np.eye(4)))
    turned = turned.as_reoriented([[2, -1], [0, 1], [1, -1]])
    nib.save(turned, tmp_path / "t2.nii.gz")
    case = open_case(tmp_path)
    np.testing.assert_array_equal(case.volumes[T1].array, case.volumes[T2].array)
    assert not case.volumes[T2].resampled
    assert case.warnings == ()


def test_another_grid_is_resampled_and_said(tmp_path: Path, write_nifti: Writer) -> None:
    """Linear interpolation returns a linear ramp of world coordinates exactly."""

    def ramp(affine: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
        index = np.moveaxis(np.indices(shape), 0, -1)
        world = nib.affines.apply_affine(affine, index)
        return (world @ (1.0, 2.0, -3.0) + 100).astype(np.float32)

    fine = np.diag([1.0, 1, 1, 1])
    coarse = np.array([[0, -2, 0, 14], [0, 0, 3.0, -6], [2, 0, 0, -4], [0, 0, 0, 1]])
    for name in ("t1", "t1ce"):
        write_nifti(tmp_path / f"{name}.nii.gz", ramp(fine, (8, 9, 7)), fine)
    write_nifti(tmp_path / "flair.nii.gz", ramp(coarse, (8, 12, 10)), coarse)
    case = open_case(tmp_path)
    assert case.reference is T1CE
    assert case.volumes[FLAIR].resampled
    # The numbers are those of the file, not of the display orientation.
    assert any("FLAIR lies on another grid (8 x 12 x 10 voxels)" in w for w in case.warnings)
    np.testing.assert_allclose(case.volumes[FLAIR].array, case.volumes[T1].array, atol=1e-3)


def test_most_volumes_choose_the_grid(tmp_path: Path, write_nifti: Writer) -> None:
    rng = np.random.default_rng(0)
    for name in ("t1", "t2", "flair"):
        write_nifti(tmp_path / f"{name}.nii.gz", rng.normal(size=(6, 6, 6)).astype("f4"))
    write_nifti(
        tmp_path / "t1ce.nii.gz",
        rng.normal(size=(9, 9, 9)).astype("f4"),
        np.diag([0.6, 0.6, 0.6, 1]),
    )
    case = open_case(tmp_path)
    assert case.grid.shape == (6, 6, 6)
    assert case.reference is FLAIR
    assert case.volumes[T1CE].resampled


def test_a_hair_beside_is_not_interpolated(tmp_path: Path, write_nifti: Writer) -> None:
    array = np.arange(210, dtype=np.int16).reshape(5, 6, 7)
    beside = np.eye(4)
    beside[0, 3] = 0.05
    write_nifti(tmp_path / "t1ce.nii.gz", array)
    write_nifti(tmp_path / "t2.nii.gz", array, beside)
    case = open_case(tmp_path)
    assert not case.volumes[T2].resampled
    assert case.volumes[T2].array.dtype == np.int16
    assert any("taken as the same grid" in w for w in case.warnings)


def test_no_overlap_is_refused(tmp_path: Path, write_nifti: Writer) -> None:
    away = np.eye(4)
    away[2, 3] = 500
    write_nifti(tmp_path / "t1.nii.gz")
    write_nifti(tmp_path / "t2.nii.gz", affine=away)
    _refused(tmp_path, '"t1.nii.gz" (T1)', '"t2.nii.gz" (T2)', "leave one", kind=GeometryError)


# -- labels beside the images ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "encoding", "words"),
    [
        ([0, 1, 2, 4], "brats2017", None),
        ([0, 1, 2, 3], None, "name one of brats2023, brats2015, msd, depth"),
        ([0, 1, 7], "absent", "7, which no encoding of glioma has"),
        ([0, 0.5], "absent", "0.5"),
    ],
)
def test_labels_are_never_guessed(
    tmp_path: Path, write_nifti: Writer, values: list[float], encoding: str | None, words: str
) -> None:
    write_nifti(tmp_path / "t1.nii.gz")
    labels = np.resize(np.array(values), (5, 6, 7))
    write_nifti(tmp_path / "seg.nii.gz", labels, dtype="uint8" if max(values) > 0.5 else "float32")
    case = open_case(tmp_path)
    if encoding == "absent":
        assert case.labels == ()
    else:
        assert [label.encoding for label in case.labels] == [encoding]
    if words:
        assert any(words in w for w in case.warnings)
    else:
        assert case.warnings == ()


# -- what the reader claims ----------------------------------------------------------------------


def test_looks_like_case(tmp_path: Path, write_nifti: Writer, brats_folder: Path) -> None:
    assert looks_like_case([brats_folder])
    assert looks_like_case(sorted(brats_folder.iterdir()))
    other = write_nifti(tmp_path / "x" / "bold.nii.gz")
    assert not looks_like_case([other])
    assert not looks_like_case([other.parent])
    assert not looks_like_case([tmp_path / "absent"])
    assert not looks_like_case([])
    assert looks_like_case([write_nifti(tmp_path / "y" / "BRATS_123.nii.gz")])
    text = tmp_path / "t1.txt"
    text.touch()
    assert not looks_like_case([text])
    assert not looks_like_case([*sorted(brats_folder.iterdir()), text])


def test_two_of_a_contrast_are_still_claimed(tmp_path: Path) -> None:
    """So that the user reads the sentence about them."""
    for name in ("flair.nii.gz", "flair_2.nii.gz"):
        (tmp_path / name).touch()
    assert looks_like_case([tmp_path])


def test_the_files_of_single_regions_are_left_out(tmp_path: Path, brats_folder: Path) -> None:
    case = open_case(brats_folder)
    annotation = read_annotation(case.labels[0].path, like=case)
    export(annotation, brats_folder / "mine_seg.nii.gz", per_region=True)
    again = open_case(brats_folder)
    assert again.labels == case.labels
    assert sum("alone of an export" in w for w in again.warnings) == 3


def test_other_tasks_of_the_decathlon_are_not_claimed(tmp_path: Path, write_nifti: Writer) -> None:
    path = write_nifti(tmp_path / "imagesTr" / "prostate_00.nii.gz", _channels(2))
    (tmp_path / "dataset.json").write_text('{"modality": {"0": "T2", "1": "ADC"}}')
    assert not looks_like_case([path])
    _refused(path, "T2, ADC")


def test_a_folder_of_files_with_channels(tmp_path: Path, write_nifti: Writer) -> None:
    for name in ("BRATS_001", "BRATS_002"):
        write_nifti(tmp_path / f"{name}.nii.gz", _channels(4))
    _refused(tmp_path, "holds 2 cases, one a file")


def test_other_units_are_said(tmp_path: Path, write_nifti: Writer) -> None:
    path = write_nifti(tmp_path / "t1.nii")
    data = bytearray(path.read_bytes())
    data[123] = 3  # xyzt_units: micrometres
    path.write_bytes(data)
    assert any("micrometres" in w for w in open_case(path).warnings)


def test_images_that_are_no_files_are_said(tmp_path: Path, write_nifti: Writer) -> None:
    write_nifti(tmp_path / "p_t1.nii.gz")
    (tmp_path / "p_t1ce.nii.gz").symlink_to(tmp_path / "moved.nii.gz")
    case = open_case(tmp_path)
    assert case.missing == (T1CE, T2, FLAIR)
    assert '"p_t1ce.nii.gz" is a link that leads nowhere and was left out' in case.warnings
    (tmp_path / "p_t1.nii.gz").unlink()
    _refused(tmp_path, "holds no image", "p_t1ce.nii.gz", "leads nowhere")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_pipes_are_refused_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "t1.nii.gz")
    _refused(tmp_path / "t1.nii.gz", "t1.nii.gz", "pipe")


def test_names_that_no_file_can_have(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 300 + ".nii.gz")
    _refused(path, "cannot be opened", "check its name")
    assert not looks_like_case([path])


def test_one_file_for_two_contrasts(tmp_path: Path, write_nifti: Writer) -> None:
    path = write_nifti(tmp_path / "a.nii.gz")
    with pytest.raises(InputError, match=r'"a.nii.gz" is named as T1 and as T2'):
        open_case(path, modalities={T1: path, T2: path})


@pytest.mark.parametrize(
    ("affine", "words"),
    [
        (np.diag([0.01, 0.01, 0.01, 1]), "voxels of 0.01 x 0.01 x 0.01 mm"),
        (np.diag([100, 100, 100, 1]), "voxels of 100 x 100 x 100 mm"),
        ([[1, 0.5, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], "26.6 degrees off"),
    ],
)
def test_unlikely_grids_are_said(
    tmp_path: Path, write_nifti: Writer, affine: object, words: str
) -> None:
    path = write_nifti(tmp_path / "t1.nii.gz", affine=affine, qform=0)
    assert any(words in warning for warning in open_case(path).warnings)
