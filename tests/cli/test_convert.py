"""`napari-mmseg convert`."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from .conftest import AFFINE, in_brats2017, tumour, write

IN_ENCODING = {
    "depth": [0, 1, 2, 3],
    "msd": [0, 1, 2, 3],
    "brats2015": [0, 2, 1, 4],
    "brats2017": [0, 2, 1, 4],
    "brats2023": [0, 2, 1, 3],
}


@pytest.mark.parametrize("encoding", IN_ENCODING)
def test_to_every_encoding_on_the_same_grid(run, tmp_path, label_file, encoding):
    out = tmp_path / "out.nii.gz"
    assert run("convert", label_file, out, "--from", "brats2017", "--to", encoding).code == 0
    written = nib.load(out)
    expected = np.array(IN_ENCODING[encoding])[tumour()]
    assert np.array_equal(np.asarray(written.dataobj), expected)
    assert np.array_equal(written.affine, AFFINE)


def test_to_another_format(run, tmp_path, label_file):
    out = tmp_path / "out.nrrd"
    assert run("convert", label_file, out, "--from", "brats2017", "--to", "depth").code == 0
    image = sitk.ReadImage(str(out))
    assert np.array_equal(sitk.GetArrayFromImage(image).transpose(2, 1, 0), tumour())


def test_what_an_encoding_cannot_keep_is_said(run, tmp_path):
    codes = in_brats2017(tumour())
    codes[codes == 1] = 3
    codes[8, 8, 8] = 1
    source = write(tmp_path / "VSD.nii.gz", codes)
    outcome = run("convert", source, tmp_path / "out.nii.gz", "--from", "brats2015", "--to", "msd")
    assert outcome.code == 0
    assert "warning: the values 1 and 3 of brats2015" in outcome.err


@pytest.mark.parametrize(
    ("value", "reason"), [(7, "label value 7"), (0.5, "no label"), (4, "resection cavity")]
)
def test_unknown_label_values_are_refused(run, tmp_path, value, reason):
    array = tumour().astype(np.float32)
    array[0, 0, 0] = value
    out = tmp_path / "out.nii.gz"
    source = write(tmp_path / "odd.nii.gz", array)
    assert reason in run("convert", source, out, "--from", "brats2023", "--to", "msd").sentence
    assert not out.exists()


def test_the_target_encoding_must_be_named(run, tmp_path, label_file):
    outcome = run("convert", label_file, tmp_path / "out.nii.gz", "--from", "brats2017")
    assert outcome.code == 2
    assert "--to" in outcome.err


def test_an_unknown_file_format_is_refused(run, tmp_path, label_file):
    sentence = run("convert", label_file, tmp_path / "out.png", "--to", "depth").sentence
    assert "out.png" in sentence
    assert ".nii.gz" in sentence
