"""The table of missing contrasts, with a model that is only pretended."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import napari_mmseg
from benchmarks import subsets as bench
from napari_mmseg.volume import Modality
from tests.training.labelled_cases import write_case

Masks = Mapping[str, NDArray[np.bool_]]


def cube(side: int) -> NDArray[np.bool_]:
    mask = np.zeros((8, 8, 8), dtype=bool)
    mask[:side, :side, :side] = True
    return mask


def subject(et: int) -> bench.Subject:
    """A case of cubes; found is everything with T1ce, and half of WT and 8 voxels of ET without."""
    truth = {"WT": cube(6), "TC": cube(4), "ET": cube(et)}

    def found(subset: bench.Subset) -> Masks:
        if Modality.T1CE in subset:
            return truth
        half = cube(6)
        half[3:] = False
        return {"WT": half, "TC": cube(0), "ET": cube(2)}

    return bench.Subject(truth, found, voxel_ml=0.5)


def test_there_are_fifteen_and_each_is_another():
    names = [bench.name_of(subset) for subset in bench.subsets()]
    assert len(set(names)) == len(names) == 15
    assert names[0] == "T1"
    assert names[-1] == "T1+T1ce+T2+FLAIR"


def test_means_are_over_the_cases_that_have_the_region():
    told = bench.table([subject(et=2), subject(et=0)])
    assert told["cases"] == 2
    assert set(told["subsets"]) == {bench.name_of(subset) for subset in bench.subsets()}
    with_t1ce, without = told["subsets"]["T1ce+FLAIR"], told["subsets"]["T2"]
    assert (with_t1ce["WT"], with_t1ce["TC"], with_t1ce["ET"]) == (1.0, 1.0, 1.0)
    assert (with_t1ce["flags"], with_t1ce["invented_et_ml"]) == ([], 0.0)
    assert without["WT"] == pytest.approx(2 / 3, abs=1e-4)  # 2 * 108 / (108 + 216)
    assert (without["TC"], without["ET"]) == (0.0, 1.0)
    assert without["n"] == {"WT": 2, "TC": 2, "ET": 1}
    assert without["invented_et_ml"] == 4.0
    assert without["flags"] == ["ET without T1ce"]
    # 8 subsets have T1ce, 7 have not.
    assert told["mean"]["TC"] == pytest.approx(8 / 15, abs=1e-4)


def test_nothing_to_measure_is_no_table():
    assert bench.table([]) is None


def test_a_real_case_loses_its_other_contrasts(tmp_path: Path):
    case = napari_mmseg.open_case(write_case(tmp_path, 1))
    part = bench.only(case, (Modality.T1CE, Modality.FLAIR))
    assert part.modalities == (Modality.T1CE, Modality.FLAIR)
    assert part.reference == Modality.T1CE
    assert part.missing == (Modality.T1, Modality.T2)


def test_a_learnt_case_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = write_case(tmp_path, 1)
    labels = folder / f"{folder.name}_seg.nii.gz"
    monkeypatch.setattr(bench, "real_cases", lambda: [("one", (folder, labels, "brats2017"))])
    card = napari_mmseg.models.load_card()
    seen = []

    def segment(case, model):
        seen.append(case.modalities)
        return napari_mmseg.read_annotation(labels, encoding="brats2017", like=case)

    monkeypatch.setattr(napari_mmseg, "segment", segment)
    told = bench.table(bench.real(card), [(Modality.T2,)])
    assert told["subsets"]["T2"]["WT"] == told["subsets"]["T2"]["ET"] == 1.0
    assert seen == [(Modality.T2,)]
    monkeypatch.setattr(bench, "has_learnt_from", lambda *_: True)
    assert bench.table(bench.real(card)) is None


def test_the_page_flags_et_without_t1ce_and_cites_its_neighbours():
    told = bench.table([subject(et=2), subject(et=0)])
    text = bench.page({"simulated": told, "real": None, "model": "simulated 0123"})
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in text.splitlines()}
    assert rows["T1ce"].endswith("| 1.000 | 1.000 | 1.000 |")
    assert rows["T2 †"].endswith("| 0.667 | 0.000 | 1.000 |")
    assert "**mean of the 15**" in rows
    for method in ("HeMIS", "U-HVED", "RFNet", "mmFormer"):
        assert f"| {method} | BraTS 2018 |" in text
        assert f"| {method} | BraTS 2020 |" in text
    assert "Different data" in text
    assert "real" not in rows["contrasts"]
