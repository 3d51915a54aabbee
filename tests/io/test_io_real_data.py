"""Real scans of several sources: opened whole, labels read, exported voxel for voxel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_mmseg.errors import EncodingError, InputError
from napari_mmseg.io import export, looks_like_case, open_case, read_annotation
from napari_mmseg.io.verify import GEOMETRY_FIELDS
from napari_mmseg.protocol import load_protocol
from napari_mmseg.volume import Modality

Real = Callable[[str], Path]


@pytest.mark.parametrize(
    "name", ["brats2021/BraTS2021_01657", "tcga_du_7294", "msd_brats_009_slab", "ms_patient07"]
)
def test_four_contrasts_stand_upright(real_data: Real, name: str) -> None:
    folder = real_data(name)
    assert looks_like_case([folder])
    case = open_case(folder)
    assert case.missing == ()
    assert case.grid.orientation == "IPL"
    for volume in case.volumes.values():
        assert volume.path is not None
        image = nib.as_closest_canonical(nib.load(volume.path))
        expected = np.asarray(image.dataobj)[::-1, ::-1, ::-1].transpose(2, 1, 0)  # RAS to IPL
        np.testing.assert_array_equal(volume.array, expected)
        assert not volume.resampled


def test_brats_labels_return(real_data: Real, tmp_path: Path) -> None:
    case = open_case(real_data("brats2021/BraTS2021_01657"))
    [label] = case.labels
    assert label.encoding == "brats2017"
    annotation = read_annotation(label.path, like=case)
    export(annotation, tmp_path / "seg.nii.gz", encoding="brats2017")
    before, after = nib.load(label.path), nib.load(tmp_path / "seg.nii.gz")
    np.testing.assert_array_equal(np.asarray(after.dataobj), np.asarray(before.dataobj))
    image = nib.load(case.volumes[case.reference].path)
    for field in GEOMETRY_FIELDS:
        np.testing.assert_array_equal(after.header[field], image.header[field])


def test_decathlon_in_four_dimensions_is_the_slab(real_data: Real) -> None:
    """The same voxels as four files and as one: the channel order is right."""
    whole = open_case(real_data("msd_brats_009_4d"))
    slab = open_case(real_data("msd_brats_009_slab"))
    assert any("usual order" in w for w in whole.warnings)
    for modality in Modality:
        np.testing.assert_array_equal(whole.volumes[modality].array, slab.volumes[modality].array)


def test_decathlon_labels_are_asked_about(real_data: Real) -> None:
    folder = real_data("msd_brats_009_slab")
    case = open_case(folder)
    assert [label.encoding for label in case.labels] == [None]
    assert any("coverage.nii.gz" in w for w in case.warnings)
    with pytest.raises(EncodingError, match="msd, depth"):
        read_annotation(folder / "seg.nii.gz", like=case)
    ml = read_annotation(folder / "seg.nii.gz", encoding="msd", like=case).volumes_ml
    assert ml["WT"] > ml["TC"] > ml["ET"] > 1


def test_lesions_of_multiple_sclerosis(real_data: Real) -> None:
    protocol = load_protocol("ms_lesion")
    path = real_data("ms_patient07") / "GOLD_STANDARD.nii.gz"
    assert read_annotation(path, protocol=protocol).volumes_ml["lesion"] > 0


def test_scans_that_are_not_co_registered(real_data: Real) -> None:
    folder = real_data("ms_raw/patient01")
    with pytest.raises(InputError, match="both look like FLAIR"):
        open_case(folder)
    case = open_case(sorted(folder.glob("study1_*.nii.gz")))
    assert set(case.modalities) == {Modality.FLAIR, Modality.T1, Modality.T2}
    assert sum(v.resampled for v in case.volumes.values()) == 2
    assert sum("lies on another grid" in w for w in case.warnings) == 2


def test_a_cohort_is_not_a_case(real_data: Real) -> None:
    with pytest.raises(InputError, match="holds 9 cases"):
        open_case(real_data("brats2021"))
