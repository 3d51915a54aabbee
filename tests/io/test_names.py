"""Names of files, as data sets and hospitals give them."""

from __future__ import annotations

import pytest

from napari_mmseg.io.names import Role, recognise, recognise_all, words_of
from napari_mmseg.volume import Modality

T1, T1CE, T2, FLAIR = Modality
LABEL, UNKNOWN = Role.LABEL, Role.UNKNOWN

ALONE = {
    "t1": T1, "T1": T1, "T1w": T1, "t1n": T1, "MPRAGE": T1, "Ax_T1": T1, "T1_pre": T1,
    "T1_precontrast": T1, "T1 without contrast": T1, "t1_mprage_sag": T1, "AXT1": T1,
    "reg_t1": T1, "t1_brain": T1, "T1 native": T1, "T1_post_op": T1, "preop_T1": T1,
    "t1ce": T1CE, "T1CE": T1CE, "t1c": T1CE, "T1c+": T1CE, "T1 C+": T1CE, "T1+C": T1CE,
    "t1gd": T1CE, "T1Gd": T1CE, "t1-gd": T1CE, "T1_Gd": T1CE, "T1POST": T1CE, "T1_post": T1CE,
    "T1 post contrast": T1CE, "t1_mprage_post_gad": T1CE, "T1wCE": T1CE, "T1-KM": T1CE,
    "sub-01_ce-gadolinium_T1w": T1CE, "pre_op_T1_Gd": T1CE, "T1_post_contrast_post_op": T1CE,
    "Ax T1 FSE +C": T1CE, "T1+": T1CE,
    "t2": T2, "T2w": T2, "T2_TSE": T2, "Ax T2": T2, "T2_post": T2,
    "flair": FLAIR, "FLAIR": FLAIR, "fla": FLAIR, "t2f": FLAIR, "T2 FLAIR": FLAIR,
    "t2-flair": FLAIR, "T2_FLAIR": FLAIR, "FLAIR_T2": FLAIR, "t2flair": FLAIR, "3D_FLAIR": FLAIR,
    "axT2FLAIR": FLAIR, "FLAIR_post_Gd": FLAIR,
    "BraTS2021_01657_t1ce": T1CE, "BraTS20_Training_001_flair": FLAIR,
    "Brats18_CBICA_AAB_1_t2": T2, "BraTS-GLI-00000-000-t1n": T1, "BraTS-GLI-00000-000-t1c": T1CE,
    "BraTS-GLI-00000-000-t2w": T2, "BraTS-GLI-00000-000-t2f": FLAIR,
    "VSD.Brain.XX.O.MR_Flair.54512": FLAIR, "VSD.Brain.XX.O.MR_T1.54513": T1,
    "VSD.Brain.XX.O.MR_T1c.54514": T1CE, "VSD.Brain.XX.O.MR_T2.54515": T2,
    "BRATS_HG0001_T1C": T1CE, "TCGA-02-0006_2008.08.17_t1Gd": T1CE,
    "T2_to_T1ce": T2, "FLAIR_in_T1_space": FLAIR, "sub-01_space-T1w_FLAIR": FLAIR,
    "T1D_003_flair": FLAIR, "patient_t2_07_t1": T1,
    "seg": LABEL, "GOLD_STANDARD": LABEL, "mask": LABEL, "label": LABEL, "truth": LABEL,
    "BraTS2021_01657_seg": LABEL, "BraTS-GLI-00000-000-seg": LABEL, "T1_seg": LABEL,
    "BRATS_HG0001_truth": LABEL, "segmentation": LABEL, "ground_truth": LABEL,
    "TCGA-02-0006_2008.08.17_GlistrBoost_ManuallyCorrected": LABEL,
    "coverage": UNKNOWN, "brain_mask": UNKNOWN, "T1_brain_mask": UNKNOWN, "dwi": UNKNOWN,
    "T1ce-T1": UNKNOWN, "T1_subtraction": UNKNOWN, "rCBV_t2": UNKNOWN, "T1_perfusion": UNKNOWN,
    "case_FLAIR_synthetic": UNKNOWN,
    "T2star": UNKNOWN, "T2_star": UNKNOWN, "T1map": UNKNOWN, "t1_map": UNKNOWN, "ADC": UNKNOWN,
    "BRATS_009": UNKNOWN, "image": UNKNOWN, "patient12": UNKNOWN,
}  # fmt: skip


@pytest.mark.parametrize("stem", ALONE)
def test_one_name(stem: str) -> None:
    assert recognise_all([stem]) == [ALONE[stem]]
    assert recognise_all([stem.upper()]) == [ALONE[stem]]


FOLDERS = {
    "an id that is a contrast": {
        "T1_study_flair": FLAIR, "T1_study_t1": T1, "T1_study_t1ce": T1CE, "T1_study_t2": T2,
        "T1_study_coverage": UNKNOWN,
    },
    "an id with t2": {"sub-T2_t1": T1, "sub-T2_t2": T2, "sub-T2_FLAIR": FLAIR},
    "an id like contrast agent": {"Post-3_t1": T1, "Post-3_t1ce": T1CE, "Post-3_flair": FLAIR},
    "an id like a label": {"Mask_7_t1": T1, "Mask_7_t2": T2, "Mask_7_seg": LABEL},
    "only before and after": {"T1_pre": T1, "T1_post": T1CE},
    "plain and suffixed": {"T1": T1, "T1POST": T1CE, "T2": T2, "FLAIR": FLAIR},
    "words that repeat": {"T2_ax": T2, "T2_FLAIR": FLAIR},
    "the truth of 2015": {
        "VSD.Brain.XX.O.MR_Flair.54512": FLAIR, "VSD.Brain.XX.O.MR_T1c.54514": T1CE,
        "VSD.Brain.XX.O.OT.54517": LABEL,
    },
}  # fmt: skip


@pytest.mark.parametrize("folder", FOLDERS)
def test_names_of_one_folder(folder: str) -> None:
    assert (
        dict(zip(FOLDERS[folder], recognise_all(list(FOLDERS[folder])), strict=True))
        == (FOLDERS[folder])
    )


def test_words() -> None:
    assert words_of("T1 C+_ax.(3)") == ("t1", "c+", "ax", "3")
    assert recognise(()) is UNKNOWN
