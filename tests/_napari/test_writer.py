"""`Save Selected Layers`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import phantom
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels

from napari_mmseg._napari.commands import write_image, write_labels, write_layers
from napari_mmseg._napari.session import CaseSession
from napari_mmseg.case import Case
from napari_mmseg.errors import ExportError
from napari_mmseg.io import read_annotation


@pytest.fixture
def session(case: Case, model_viewer: ViewerModel) -> CaseSession:
    label = read_annotation(case.labels[0].path, like=case)
    return CaseSession(model_viewer, case, label)


def test_labels_go_back_to_the_source_grid(session: CaseSession, tmp_path: Path) -> None:
    data, meta, _ = session.labels.as_layer_data_tuple()
    out = tmp_path / "out.nii.gz"
    written = write_labels(str(out), data, meta)
    assert [Path(p).name for p in written] == ["out.nii.gz", "out.json"]
    stored, source = nib.load(out), nib.load(session.case.labels[0].path)
    assert np.array_equal(stored.affine, source.affine)
    assert np.array_equal(np.asarray(stored.dataobj), np.asarray(source.dataobj))
    assert json.loads(out.with_name("out.json").read_text())["encoding"] == "brats2023"


@pytest.mark.usefixtures("plugin")
def test_saving_through_napari_marks_the_annotation_saved(
    session: CaseSession, tmp_path: Path
) -> None:
    session.edit.replace(np.zeros_like(session.edit.codes), "clear")
    assert not session.is_saved
    session.labels.save(str(tmp_path / "saved.nii.gz"))
    assert session.is_saved
    assert not np.asarray(nib.load(tmp_path / "saved.nii.gz").dataobj).any()


def test_an_image_goes_back_to_the_source_grid(session: CaseSession, tmp_path: Path) -> None:
    layer = next(iter(session.looks.images.values()))
    data, meta, _ = layer.as_layer_data_tuple()
    write_image(str(tmp_path / "t1.nii.gz"), data, meta)
    stored = nib.load(tmp_path / "t1.nii.gz")
    assert np.array_equal(np.asarray(stored.dataobj), phantom.image("T1"))
    assert stored.affine == pytest.approx(phantom.ras_affine())


def test_several_layers_go_to_a_folder(session: CaseSession, tmp_path: Path) -> None:
    layers = [layer.as_layer_data_tuple() for layer in session.viewer.layers]
    written = write_layers(str(tmp_path / "all"), layers)
    names = {Path(p).name for p in written}
    assert names == {f"{n}.nii.gz" for n in ("T1", "T1ce", "T2", "FLAIR", "Segmentation")} | {
        "Segmentation.json"
    }


def as_tuple(layer: Any) -> tuple[Any, dict[str, Any]]:
    data, meta, _ = layer.as_layer_data_tuple()
    return data, meta


def test_a_layer_of_no_case_is_written_where_it_is_drawn(tmp_path: Path) -> None:
    codes = np.zeros((4, 5, 6), np.uint8)
    codes[1, 2, 3] = 2
    layer = Labels(codes, scale=(3, 1, 1), translate=(-9, 5, 2))
    write_labels(str(tmp_path / "l.nii.gz"), *as_tuple(layer))
    stored = nib.load(tmp_path / "l.nii.gz")
    voxel = np.argwhere(np.asarray(stored.dataobj))[0]
    world = (stored.affine @ [*voxel, 1])[:3]
    assert world == pytest.approx([-(2 + 3), -(5 + 2), -(-9 + 3)])


def test_labels_that_the_protocol_does_not_know_are_refused(tmp_path: Path) -> None:
    layer = Labels(np.full((3, 3, 3), 7, np.uint8), name="cells")
    with pytest.raises(ExportError, match="cells has the label 7"):
        write_labels(str(tmp_path / "l.nii.gz"), *as_tuple(layer))
    assert not list(tmp_path.iterdir())


def test_a_flat_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="2 dimensions"):
        write_image(str(tmp_path / "i.nii.gz"), *as_tuple(Image(np.zeros((3, 3)))))
