"""Bad input at the command's edge: one sentence that names the file, exit 1, nothing on stdout."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from .conftest import AFFINE, SHAPE, Command, in_brats2017, tumour, write

WEIGHTS = Path(__file__).parents[2] / "napari_mmseg" / "models" / "weights" / "simulated"

FLAIR = "BraTS2021_00000_flair.nii.gz"


def _cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-200])


def _web_page(file: Path) -> None:
    file.write_text("<!DOCTYPE html><html><body>404</body></html>")


def _huge(file: Path) -> None:
    header = nib.Nifti1Header()
    header.set_data_shape((10_000, 10_000, 10_000))
    header["magic"], header["vox_offset"] = b"n+1", 352
    file.write_bytes(gzip.compress(bytes(header.binaryblock) + bytes(1000)))


def _complex(file: Path) -> None:
    write(file, np.ones(SHAPE, np.complex64))


def _colours(file: Path) -> None:
    write(file, np.zeros(SHAPE, [("R", "u1"), ("G", "u1"), ("B", "u1")]))


def _one_slice(file: Path) -> None:
    write(file, np.ones(SHAPE[:2], np.int16))


def _channels(file: Path) -> None:
    write(file, np.ones((*SHAPE, 3), np.int16))


def _singular(file: Path) -> None:
    data = bytearray(gzip.decompress(file.read_bytes()))
    header = nib.Nifti1Header(bytes(data[:348]))
    header["srow_x"], header["sform_code"] = 0, 1
    data[:348] = header.binaryblock
    file.write_bytes(gzip.compress(bytes(data)))


def _far_away(file: Path) -> None:
    affine = AFFINE.copy()
    affine[0, 3] = 900
    write(file, np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE), affine)


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (_cut_off, "cut off"),
        (_web_page, "web page"),
        (_huge, "10000 x 10000 x 10000"),
        (_complex, "complex"),
        (_colours, "colours"),
        (_one_slice, "single slice"),
        (_channels, "--modality"),
        (_singular, "to one place"),
        (_far_away, "different places"),
    ],
)
def test_an_image_that_cannot_be_used(run: Command, case_folder, tmp_path, damage, word):
    damage(case_folder / FLAIR)
    out = tmp_path / "out.nii.gz"
    sentence = run("segment", case_folder, "--out", out, "--json").sentence
    assert FLAIR in sentence
    assert word in sentence
    assert not out.exists()


@pytest.mark.parametrize("value", [7, 0.5, -1, 300, np.nan, np.inf])
def test_labels_that_are_none(run: Command, tmp_path, label_file, value):
    labels = in_brats2017(tumour()).astype(np.float32)
    labels[0, 0, 0] = value
    odd = write(tmp_path / "odd.nii.gz", labels)
    for encoding in ([], ["--pred-encoding", "brats2017"]):
        assert odd.name in run("evaluate", odd, label_file, *encoding, "--json").sentence


@pytest.mark.parametrize(
    ("file", "word"),
    [
        ("simulated.bin", "truncated"),
        ("simulated.xml", "truncated"),
        ("deeplab/deeplab.bin", "truncated"),
        ("", "no model"),
    ],
)
def test_a_model_that_cannot_be_used(run: Command, case_folder, tmp_path, file, word):
    if not (WEIGHTS / "card.json").is_file():
        pytest.skip("the model simulated is not installed")
    model = tmp_path / "model"
    out = tmp_path / "out.nii.gz"
    if file:
        shutil.copytree(WEIGHTS, model)
        with (model / file).open("r+b") as damaged:
            damaged.truncate(1000)
    sentence = run("segment", case_folder, "--out", out, "--model", model, "--json").sentence
    assert str(model) in sentence
    assert word in sentence
    assert not out.exists()


def test_weights_that_are_missing_or_of_another_network(run: Command, case_folder, tmp_path):
    if not (WEIGHTS / "card.json").is_file():
        pytest.skip("the model simulated is not installed")
    model = shutil.copytree(WEIGHTS, tmp_path / "model")
    card = json.loads((model / "card.json").read_text())
    card |= {"channels": ["T1", "T1ce"], "network": card["network"] | {"in": 2}, "members": {}}
    (model / "card.json").write_text(json.dumps(card))
    target = ["--out", tmp_path / "out.nii.gz", "--model", model]
    assert "another network" in run("segment", case_folder, *target).sentence
    (model / "simulated.bin").unlink()
    assert "lacks its file simulated.bin" in run("segment", case_folder, *target).sentence


def test_a_protocol_or_an_encoding_that_is_not_there_is_a_usage_error(run: Command, label_file):
    for option, known in (("--protocol", "ms_lesion"), ("--encoding", "brats2023")):
        done = run("agree", label_file, label_file, option, "other")
        assert (done.code, done.out) == (2, "")
        assert "'other'" in done.err
        assert known in done.err
