"""What the reader claims and what it makes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nibabel as nib
import npe2
import numpy as np
import phantom
import pytest
from napari.components import ViewerModel

import napari_mmseg
from napari_mmseg._napari.commands import get_reader
from napari_mmseg._napari.layers import origin_of
from napari_mmseg._napari.sample import sample_case
from napari_mmseg.errors import InputError

MANIFEST = Path(napari_mmseg.__file__).with_name("napari.yaml")


def test_the_manifest_is_valid_and_its_commands_are_there() -> None:
    manifest = npe2.PluginManifest.from_file(MANIFEST)
    manifest.validate_imports()
    assert manifest.display_name


def test_what_the_manifest_names_loads_nothing_heavy() -> None:
    manifest = npe2.PluginManifest.from_file(MANIFEST)
    modules = {c.python_name.split(":")[0] for c in manifest.contributions.commands}
    code = (
        f"import sys, {', '.join(sorted(modules))}\n"
        "heavy = {'torch', 'SimpleITK', 'openvino', 'napari', 'qtpy', 'PyQt6', 'vispy', 'scipy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_a_folder_becomes_images_and_labels(case_folder: Path) -> None:
    read = get_reader(str(case_folder))
    assert read is not None
    tuples = read(str(case_folder))
    assert [meta["name"] for _, meta, _ in tuples] == [
        "T1",
        "T1ce",
        "T2",
        "FLAIR",
        "Segmentation",
    ]
    assert tuples[-1][2] == "labels"
    assert set(np.unique(tuples[-1][0])) == {0, 1, 2, 3}


@pytest.mark.usefixtures("plugin")
def test_napari_opens_a_folder_with_it(case_folder: Path, model_viewer: ViewerModel) -> None:
    model_viewer.open(str(case_folder), plugin="napari-mmseg")
    assert len(model_viewer.layers) == 5
    assert all(origin_of(layer) is not None for layer in model_viewer.layers)


@pytest.mark.usefixtures("plugin")
def test_several_files_become_one_case(case_folder: Path, model_viewer: ViewerModel) -> None:
    files = sorted(str(f) for f in case_folder.glob("*-t*.nii.gz"))
    model_viewer.open(files, plugin="napari-mmseg", stack=True)
    assert {layer.name for layer in model_viewer.layers} >= {"T1", "T1ce", "T2", "FLAIR"}
    assert len({id(origin_of(layer).case) for layer in model_viewer.layers}) == 1


def test_images_of_others_are_left_to_others(tmp_path: Path) -> None:
    other = tmp_path / "neurons.nii.gz"
    nib.Nifti1Image(np.zeros((4, 4, 4), np.int16), np.eye(4)).to_filename(other)
    (tmp_path / "empty").mkdir()
    assert get_reader(str(other)) is None
    assert get_reader(str(tmp_path / "empty")) is None
    assert get_reader(str(tmp_path / "nowhere")) is None


def test_a_label_file_in_an_unclear_encoding_is_not_opened_by_itself(tmp_path: Path) -> None:
    folder = phantom.write_case(tmp_path / "plain", plain=True)
    tuples = get_reader(str(folder))(str(folder))
    assert [kind for _, _, kind in tuples] == ["image"] * 4


def test_a_missing_sample_is_told() -> None:
    with pytest.raises(InputError, match="sample"):
        sample_case("no-such-case")
