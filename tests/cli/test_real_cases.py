"""From folder to file and back on real scans, by the shipped model."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_mmseg.models import DEFAULT_MODEL, available

DATA = Path(__file__).parents[3] / "shared" / "data"
SLAB = DATA / "msd_brats_009_slab"

#: A working model is far above this; a wrong orientation, channel or encoding far below.
LEAST_DICE = 0.5

pytestmark = [
    pytest.mark.skipif(
        not SLAB.is_dir(), reason="real data are absent: ../shared/data/msd_brats_009_slab"
    ),
    pytest.mark.skipif(
        DEFAULT_MODEL not in [card.name for card in available()],
        reason=f"the model {DEFAULT_MODEL} is not installed",
    ),
]


def test_a_folder_and_its_4d_file_are_segmented_alike_and_right(run, tmp_path):
    from_folder, from_4d = tmp_path / "folder.nii.gz", tmp_path / "channels.nii.gz"
    result = run("segment", SLAB, "--out", from_folder, "--json").json
    assert result["missing"] == []
    assert result["volumes_ml"]["WT"] > result["volumes_ml"]["TC"] > result["volumes_ml"]["ET"]
    assert result["peak_rss_mb"] < 3000
    assert run("segment", DATA / "msd_brats_009_4d", "--out", from_4d).code == 0
    written = nib.load(from_folder)
    assert np.array_equal(written.dataobj, nib.load(from_4d).dataobj)
    reference = nib.load(SLAB / "seg.nii.gz")
    assert np.allclose(written.affine, reference.affine)
    agreement = run(
        "evaluate", from_folder, SLAB / "seg.nii.gz", "--ref-encoding", "msd", "--json"
    ).json
    assert agreement["WT"]["dice"] > LEAST_DICE
    assert agreement["WT"]["volume_ml"] == pytest.approx(result["volumes_ml"]["WT"], abs=1e-3)


def test_five_algorithms_evaluate_against_their_fusion(run):
    folder = DATA / "tcga_du_7294"
    options = ("--pred-encoding", "brats2017", "--ref-encoding", "brats2017", "--json")
    for file in sorted(folder.glob("algorithm_segs/*.nii.gz")):
        result = run("evaluate", file, folder / "fusion" / "mav.nii.gz", *options).json
        assert result["WT"]["dice"] > 0.8
        assert result["WT"]["hd95_mm"] < 30
