"""What the status bar says."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import phantom
import pytest

from napari_mmseg._napari.cursor import describe, patient_position, position_text, voxel_at
from napari_mmseg._napari.layers import geometry
from napari_mmseg.case import Case
from napari_mmseg.io import read_annotation


def drawn_at(case: Case, voxel: tuple[int, int, int]) -> np.ndarray:
    """Where napari draws a voxel of the case, by the layer's own scale and translate."""
    place = geometry(case.grid)
    return np.array(place["translate"]) + np.array(voxel) * np.array(place["scale"])


@pytest.mark.parametrize("which", ["case", "oblique_case"])
def test_the_position_is_the_source_affines(
    which: str, request: pytest.FixtureRequest, tmp_path: object
) -> None:
    case: Case = request.getfixturevalue(which)
    file = nib.load(case.volumes[case.reference].path)
    centre = file.affine @ [*phantom.TUMOUR, 1]
    indices = case.source.to_display.apply(np.arange(np.prod(phantom.SHAPE)).reshape(phantom.SHAPE))
    number = int(np.ravel_multi_index(phantom.TUMOUR, phantom.SHAPE))
    voxel = tuple(int(i[0]) for i in np.nonzero(indices == number))
    assert patient_position(case.grid, drawn_at(case, voxel)) == pytest.approx(centre[:3])


def test_values_of_all_contrasts_and_the_region_are_told(case: Case) -> None:
    label = read_annotation(case.labels[0].path, like=case)
    voxel = tuple(int(i[0]) for i in np.nonzero(label.codes == 3))
    where, what = describe(case, drawn_at(case, voxel), label.codes, label.protocol)
    assert where.startswith("L ")
    for modality, volume in case.volumes.items():
        assert f"{modality} {volume.array[voxel]:.4g}" in what
    assert "enhancing tumour (WT, TC, ET)" in what


def test_outside_the_head_nothing_is_invented(case: Case) -> None:
    where, what = describe(case, np.array([1e4, 0, 0]))
    assert where.endswith("mm")
    assert what == ""
    assert voxel_at(case.grid, drawn_at(case, (-1, 0, 0))) is None


def test_letters_replace_signs() -> None:
    assert position_text(np.array([1.0, -2.5, 0.0])) == "R 1.0  P 2.5  S 0.0 mm"
