"""`napari-mmseg synthesise`."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from .conftest import AFFINE, SHAPE


@pytest.fixture
def generators(tmp_path):
    import torch

    from napari_mmseg.models.networks.cmft import Transition, save_transition

    torch.manual_seed(0)
    (tmp_path / "run").mkdir()
    save_transition(Transition(base=2, levels=2), tmp_path / "run" / "generators.safetensors")
    return tmp_path / "run"


def test_what_is_made_lies_on_the_grid_and_says_that_it_is_synthetic(run, case_folder, generators):
    from napari_mmseg import open_case

    (case_folder / f"{case_folder.name}_flair.nii.gz").unlink()
    outcome = run("synthesise", case_folder, "--cmft", generators, "--out", case_folder)
    assert outcome.code == 0, outcome.err
    assert "for looking at alone" in outcome.out
    made = case_folder / f"{case_folder.name}_FLAIR_synthetic.nii.gz"
    image = nib.load(made)
    assert image.shape == SHAPE
    assert np.array_equal(image.affine, AFFINE)
    # Opened again, the folder still lacks FLAIR.
    assert "FLAIR" in open_case(case_folder).missing
    again = run("synthesise", case_folder, "--cmft", generators, "--out", case_folder)
    assert "is there already" in again.sentence


def test_a_run_that_is_not_there_is_named(run, case_folder, tmp_path):
    (case_folder / f"{case_folder.name}_flair.nii.gz").unlink()
    outcome = run("synthesise", case_folder, "--cmft", "no-such-run", "--out", tmp_path)
    assert "there is no file" in outcome.sentence
