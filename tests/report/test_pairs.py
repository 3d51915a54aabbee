"""Which prediction belongs to which reference, by names alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_mmseg.errors import InputError
from napari_mmseg.report import pair_folders
from napari_mmseg.report.pairs import bare_name


def folder(root: Path, *files: str) -> Path:
    """A folder of empty files: pairing opens none."""
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    return root


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("BraTS2021_01661_seg", "BraTS2021_01661"),
        ("BraTS-GLI-00001-000-seg", "BraTS-GLI-00001-000"),
        ("case.pred_seg", "case"),
        ("case_ground_truth", "case"),
        ("BRATS_009", "BRATS_009"),
        ("masked_case", "masked_case"),
        ("segment9", "segment9"),
        ("seg", ""),
    ],
)
def test_words_that_say_labels_are_no_part_of_a_name(stem, name):
    assert bare_name(stem) == name


@pytest.mark.parametrize(
    ("prediction", "reference"),
    [
        ("BRATS_009.nii.gz", "BRATS_009.nii.gz"),
        ("BRATS_009.nrrd", "brats_009_seg.nii.gz"),
        ("BraTS2021_1_pred.nii.gz", "BraTS2021_1/BraTS2021_1_seg.nii.gz"),
        ("patient/seg.nii.gz", "patient/truth.mha"),
        ("patient.nii.gz", "HGG/patient/something_seg.nii"),
        ("run/BraTS2021_1.nii.gz", "cohort/BraTS2021_1_seg.nii.gz"),
        ("folder-a/P7_seg.nii.gz", "folder-b/P7_seg.nii.gz"),
    ],
)
def test_layouts_are_matched(tmp_path, prediction, reference):
    found = pair_folders(folder(tmp_path / "p", prediction), folder(tmp_path / "r", reference))
    assert len(found.pairs) == 1
    assert found.pairs[0].prediction == tmp_path / "p" / prediction
    assert found.pairs[0].reference == tmp_path / "r" / reference
    assert found.sentences == []


def test_images_and_maps_beside_labels_are_no_cases(tmp_path):
    files = [f"c1/c1_{end}.nii.gz" for end in ("t1", "t1ce", "t2", "flair", "coverage", "seg")]
    references = folder(tmp_path / "r", *files, "c1/.hidden_seg.nii.gz", "notes.txt")
    found = pair_folders(folder(tmp_path / "p", "c1.nii.gz"), references)
    assert [pair.reference.name for pair in found.pairs] == ["c1_seg.nii.gz"]
    assert found.sentences == []


def test_the_decathlons_layout_names_cases_by_their_files(tmp_path):
    both = ("imagesTr/BRATS_009.nii.gz", "labelsTr/BRATS_009.nii.gz")
    for number in (1, 2):
        more = [file.replace("009", "010") for file in both[:number]] if number > 1 else []
        references = folder(tmp_path / f"r{number}", *both, *more)
        predictions = [f"BRATS_0{n}.nii.gz" for n in ("09", "10")[:number]]
        found = pair_folders(folder(tmp_path / f"p{number}", *predictions), references)
        assert [pair.name for pair in found.pairs] == ["BRATS_009", "BRATS_010"][:number]
        assert {pair.reference.parent.name for pair in found.pairs} == {"labelsTr"}
        assert found.sentences == []


def test_a_flat_data_set_with_images_has_a_case_a_label(tmp_path):
    files = [f"{case}_{end}.nii.gz" for case in ("a", "b") for end in ("t1", "flair", "seg")]
    below = [f"set/{file}" for file in files]
    for references in (folder(tmp_path / "r", *files), folder(tmp_path / "s", *below)):
        found = pair_folders(folder(tmp_path / "p", "a.nii.gz", "b.nii.gz"), references)
        assert [pair.name for pair in found.pairs] == ["a", "b"]


def test_what_only_one_side_has_is_named(tmp_path):
    predictions = folder(tmp_path / "p", "a.nii.gz", "b.nii.gz", "x.nii.gz")
    references = folder(tmp_path / "r", "a.nii.gz", "b.nii.gz", "y/seg.nii.gz", "z/seg.nii.gz")
    found = pair_folders(predictions, references)
    assert [pair.name for pair in found.pairs] == ["a", "b"]
    assert (found.without_reference, found.without_prediction) == (("x",), ("y", "z"))
    assert found.sentences == [
        'left out, as there is no reference: "x"',
        'left out, as there is no prediction: "y", "z"',
    ]


def test_one_number_is_not_another(tmp_path):
    predictions = folder(tmp_path / "p", "case-1.nii.gz", "case-10.nii.gz")
    references = folder(tmp_path / "r", "case-10.nii.gz", "case-1.nii.gz", "case-100.nii.gz")
    pairs = pair_folders(predictions, references).pairs
    assert {pair.prediction.name: pair.reference.name for pair in pairs} == {
        "case-1.nii.gz": "case-1.nii.gz",
        "case-10.nii.gz": "case-10.nii.gz",
    }


def test_two_files_of_one_name_are_left_out_with_both_named(tmp_path):
    predictions = folder(tmp_path / "p", "a.nii.gz", "a_seg.nii.gz", "b.nii.gz")
    found = pair_folders(predictions, folder(tmp_path / "r", "a.nii.gz", "b.nii.gz"))
    assert [pair.name for pair in found.pairs] == ["b"]
    assert '"a.nii.gz", "a_seg.nii.gz"' in found.sentences[0]
    assert found.without_prediction == ("a",)


def test_a_case_with_several_label_files_is_left_out_with_a_sentence(tmp_path):
    files = ("c/c_t1.nii.gz", "c/c_seg.nii.gz", "c/c_lesion.nii.gz", "d/d_seg.nii.gz")
    references = folder(tmp_path / "r", *files)
    found = pair_folders(folder(tmp_path / "p", "c.nii.gz", "d.nii.gz"), references)
    assert [pair.name for pair in found.pairs] == ["d"]
    assert '"c" holds 2 label files' in found.sentences[0]


@pytest.mark.parametrize(
    ("predictions", "references", "sentence"),
    [
        (["a.nii.gz"], ["b.nii.gz"], '"a" and "b"'),
        ([], ["b.nii.gz"], "holds no label file"),
        (["a_t1.nii.gz", "a_flair.nii.gz"], ["a.nii.gz"], "holds no label file"),
    ],
)
def test_nothing_to_compare_is_refused(tmp_path, predictions, references, sentence):
    for name in ("p", "r"):
        (tmp_path / name).mkdir()
    with pytest.raises(InputError, match=sentence):
        pair_folders(folder(tmp_path / "p", *predictions), folder(tmp_path / "r", *references))


def test_a_missing_folder_and_one_named_twice_are_refused(tmp_path):
    there = folder(tmp_path / "r", "a.nii.gz")
    with pytest.raises(InputError, match='"p" of the predictions is not there'):
        pair_folders(tmp_path / "p", there)
    with pytest.raises(InputError, match="named twice"):
        pair_folders(there, tmp_path / "x" / ".." / "r")
