"""A user's cases: found, checked, prepared, and left out with a sentence where they must be."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from labelled_cases import Options, write_case

from napari_mmseg.errors import AmbiguousEncodingError, InputError
from napari_mmseg.training.case_batches import CaseBatches, Mixed, choose_centre
from napari_mmseg.training.datasets import (
    FOLDER,
    INDEX,
    collect,
    held_out_numbers,
    labelled,
    nearest,
    stored_cases,
)
from napari_mmseg.training.layouts import Place, find_places
from napari_mmseg.training.presets import preset_named
from napari_mmseg.training.simulate.chance import Chance


def test_cases_are_found_at_any_depth(tmp_path: Path) -> None:
    for group, number in (("HGG", 1), ("HGG", 2), ("LGG", 3)):
        write_case(tmp_path / group, number)
    (tmp_path / "notes.txt").write_text("x")
    names = [place.name for place in find_places(tmp_path)]
    assert names == [f"BraTS2021_{n:05d}" for n in (1, 2, 3)]


def test_a_folder_a_contrast_is_one_case(tmp_path: Path) -> None:
    for case in ("pat1", "pat2"):
        for kind in ("XX.O.MR_Flair.1", "XX.O.MR_T1c.2", "XX.O.OT.3"):
            folder = tmp_path / case / f"VSD.Brain.{kind}"
            folder.mkdir(parents=True)
            (folder / f"VSD.Brain.{kind}.mha").write_bytes(b"")
    assert [place.name for place in find_places(tmp_path)] == ["pat1", "pat2"]


def test_the_decathlon_is_one_case_a_file(tmp_path: Path) -> None:
    for folder in ("imagesTr", "labelsTr"):
        (tmp_path / folder).mkdir()
        for number in (1, 2):
            (tmp_path / folder / f"BRATS_00{number}.nii.gz").write_bytes(b"")
    (tmp_path / "dataset.json").write_text("{}")
    assert [place.name for place in find_places(tmp_path)] == ["BRATS_001", "BRATS_002"]
    with pytest.raises(InputError, match="part of the data set above"):
        find_places(tmp_path / "imagesTr")


def test_cases_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for site in ("a", "b"):
        write_case(tmp_path / site, 1)
    names = [place.name for place in find_places(tmp_path)]
    assert names == ["a/BraTS2021_00001", "b/BraTS2021_00001"]


def test_a_folder_without_cases_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no case"):
        find_places(tmp_path)


def test_a_case_is_prepared_as_the_model_will_see_it(tmp_path: Path) -> None:
    place = Place("one", write_case(tmp_path, 1))
    images, depth, missing = labelled(place, tmp_path, preset_named("default"))
    assert missing == ()
    assert images.dtype == np.float16
    assert images.shape == (4, *depth.shape)
    # The tumour's blocks, 8, 5 and 3 voxels a side, inside one another.
    assert [int((depth >= level).sum()) for level in (1, 2, 3)] == [8**3, 5**3, 3**3]
    # Each contrast grows by another multiple of the depth: images and labels lie alike.
    flair = images[3].astype(float)
    means = [flair[depth == level].mean() for level in range(1, 4)]
    assert means == sorted(means)
    assert means[0] > flair[depth == 0].mean() + 1


def test_the_boxed_preset_stretches_images_and_labels_alike(tmp_path: Path) -> None:
    place = Place("one", write_case(tmp_path, 1))
    preset = dataclasses.replace(preset_named("minmax128"), resize=(32, 32, 32))
    images, depth, _ = labelled(place, tmp_path, preset)
    assert images.shape == (4, 32, 32, 32)
    assert float(images.min()) > 0.0  # the box is full of brain; 0 is the background
    assert float(images.max()) == pytest.approx(1.0, abs=1e-3)
    assert set(np.unique(depth)) == {0, 1, 2, 3}
    voxels = 32**3 / (18 * 22 * 16)  # of the brain box
    assert int((depth > 0).sum()) == pytest.approx(8**3 * voxels, rel=0.15)


def test_nearest_keeps_labels_and_places() -> None:
    labels = np.random.default_rng(0).integers(0, 4, (3, 4, 5), dtype=np.uint8)
    double = nearest(labels, (6, 8, 10))
    np.testing.assert_array_equal(double, labels.repeat(2, 0).repeat(2, 1).repeat(2, 2))
    np.testing.assert_array_equal(nearest(double, labels.shape), labels)


def test_what_cannot_be_used_is_left_out_with_a_sentence(cases: Path, options: Options) -> None:
    broken, unlabelled, twice = (write_case(cases, number) for number in (3, 4, 5))
    flair = next(broken.glob("*_flair.nii.gz"))
    flair.write_bytes(flair.read_bytes()[:200])
    next(unlabelled.glob("*_seg.nii.gz")).unlink()
    seg = next(twice.glob("*_seg.nii.gz"))
    (twice / "other_seg.nii.gz").write_bytes(seg.read_bytes())
    said: list[str] = []
    found = collect(options(data=cases), said.append)
    assert [case.name for case in found.cases] == [f"BraTS2021_{n:05d}" for n in range(3)]
    assert [skip.name for skip in found.skipped] == [f"BraTS2021_{n:05d}" for n in (3, 4, 5)]
    reasons = [skip.reason for skip in found.skipped]
    assert "flair.nii.gz" in reasons[0]
    assert "no label file" in reasons[1]
    assert "several label files" in reasons[2]
    assert said[-1] == "3 cases to learn from, 0 held out, 3 left out"
    assert all(
        skip.name in sentence and skip.reason in sentence
        for skip, sentence in zip(found.skipped, said, strict=False)
    )
    assert stored_cases(found.folder) == found


def test_no_usable_case_is_refused_with_a_reason(tmp_path: Path, options: Options) -> None:
    folder = write_case(tmp_path / "data", 1)
    next(folder.glob("*_seg.nii.gz")).unlink()
    with pytest.raises(InputError, match="no label file"):
        collect(options(data=tmp_path / "data"))


def test_an_encoding_that_nothing_tells_is_asked_for(tmp_path: Path, options: Options) -> None:
    folder = tmp_path / "data" / "patient"
    write_case(tmp_path, 1).rename(tmp_path / "taken")
    folder.mkdir(parents=True)
    for file in (tmp_path / "taken").iterdir():
        file.rename(folder / file.name.replace("BraTS2021_00001", "patient"))
    seg = folder / "patient_seg.nii.gz"
    image = nib.load(seg)
    codes = np.asarray(image.dataobj)
    nib.Nifti1Image(np.where(codes == 4, 3, codes), image.affine).to_filename(seg)
    with pytest.raises(AmbiguousEncodingError, match="--encoding"):
        collect(options(data=tmp_path / "data"))
    found = collect(options(data=tmp_path / "data", encoding="brats2023"))
    _, depth = found.read(found.cases[0])
    assert int((depth == 3).sum()) == 27


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_links_out_of_the_folder_are_not_followed(cases: Path, options: Options) -> None:
    outside = write_case(cases.parent / "elsewhere", 7)
    (cases / "linked").symlink_to(outside, target_is_directory=True)
    sly = write_case(cases, 8)
    flair = next(sly.glob("*_flair.nii.gz"))
    flair.unlink()
    flair.symlink_to(next(outside.glob("*_flair.nii.gz")))
    found = collect(options(data=cases))
    assert len(found.cases) == 3
    (skip,) = found.skipped
    assert "outside the folder" in skip.reason


_OPENED: list[str] = []
_WATCHING = False


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if _WATCHING and event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
        _OPENED.append(os.fsdecode(arguments[0]))


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Every file that is opened while the test runs."""
    global _WATCHING
    _OPENED.clear()
    sys.addaudithook(_watch)  # it cannot be taken out again, only told to rest
    _WATCHING = True
    yield _OPENED
    _WATCHING = False


def test_nothing_outside_the_folder_is_read(
    cases: Path, options: Options, opened: list[str]
) -> None:
    """Beside it lie a data set's description and another case, which a search might meet."""
    above = cases.parent
    (above / "dataset.json").write_text(json.dumps({"modality": {"0": "T1"}}))
    write_case(above, 9)
    chosen = options(data=cases)
    opened.clear()
    collect(chosen)
    batches = CaseBatches(chosen)
    assert batches[0] is not None
    touched = [Path(name).resolve() for name in opened if str(above) in name]
    assert any(path.is_relative_to(cases) for path in touched)
    for path in touched:
        assert path.is_relative_to(cases) or path.is_relative_to(chosen.folder), path


def test_held_out_cases_are_drawn_by_lot_and_recorded(cases: Path, options: Options) -> None:
    chosen = options(data=cases, hold_out=0.34)
    found = collect(chosen)
    assert (len(found.training), len(found.held_out)) == (2, 1)
    told = json.loads((chosen.folder / FOLDER / INDEX).read_text())
    assert [case["held_out"] for case in told["cases"]] == [c.held_out for c in found.cases]
    assert str(cases) not in json.dumps(told)
    with pytest.raises(InputError, match="begun with another"):
        collect(dataclasses.replace(chosen, hold_out=0.5, resume=True))
    assert collect(dataclasses.replace(chosen, resume=True)) == found
    assert len(collect(dataclasses.replace(chosen, hold_out=0.67)).held_out) == 2


def test_a_seed_holds_out_the_same_cases_and_never_all() -> None:
    assert held_out_numbers(10, 0.3, 1) == held_out_numbers(10, 0.3, 1)
    assert len({held_out_numbers(10, 0.3, seed) for seed in range(8)}) > 1
    assert len(held_out_numbers(2, 0.9, 0)) == 1
    assert len(held_out_numbers(20, 0.01, 0)) == 1
    assert held_out_numbers(5, 0.0, 0) == frozenset()
    with pytest.raises(InputError, match="one case alone"):
        held_out_numbers(1, 0.5, 0)


def test_batches_come_from_training_cases_alone_and_repeat(cases: Path, options: Options) -> None:
    chosen = options(data=cases, hold_out=0.34)
    found = collect(chosen)
    images, depths = CaseBatches(chosen)[1]
    assert images.shape == (2, 4, *chosen.patch)
    assert depths.shape == (2, *chosen.patch)
    again, labels = CaseBatches(chosen)[1]
    assert torch.equal(images, again)
    assert torch.equal(depths, labels)
    # Without the files of the held-out case nothing is missed.
    for case in found.held_out:
        for file in found.folder.glob(f"{case.number:04d}-*"):
            file.unlink()
    batches = CaseBatches(chosen)
    for step in range(6):
        assert torch.isfinite(batches[step][0]).all()


def test_replayed_crops_are_simulated(cases: Path, options: Options) -> None:
    chosen = options(data=cases, replay=1.0)
    collect(chosen)
    from napari_mmseg.training.batches import Batches

    mixed, simulated = Mixed(chosen)[0], Batches(chosen)[0]
    assert torch.equal(mixed[0], simulated[0])
    real = Mixed(dataclasses.replace(chosen, replay=0.0))[0]
    assert torch.equal(real[0], CaseBatches(chosen)[0][0])


def test_crops_lie_on_the_tumour_mostly() -> None:
    images = torch.ones(4, 40, 40, 40)
    depth = torch.zeros(40, 40, 40, dtype=torch.uint8)
    depth[30:34, 30:34, 30:34] = 1
    hits = 0
    for seed in range(60):
        centre = choose_centre(images, depth, (16, 16, 16), Chance(seed))
        low = [round(c - 7.5) for c in centre]
        assert all(0 <= start <= 24 for start in low)
        box = tuple(slice(start, start + 16) for start in low)
        hits += bool(depth[box].any())
    assert 36 <= hits < 60


@pytest.mark.parametrize("preset", ["default", "paper", "minmax128"])
def test_a_real_case_is_prepared_with_its_labels_in_place(preset: str) -> None:
    """Enhancing tumour is bright on T1ce, and no voxel of it is lost but by stretching."""
    root = Path(__file__).parents[2].parent / "shared" / "data" / "brats2021"
    if not root.is_dir():
        pytest.skip("real data are absent: ../shared/data/brats2021")
    name = "BraTS2021_01659"
    images, depth, _ = labelled(Place(name, root / name), root, preset_named(preset))
    truth = np.asarray(nib.load(root / name / f"{name}_seg.nii.gz").dataobj)
    counts = [int((depth >= level).sum()) for level in (1, 2, 3)]
    expected = [int(np.isin(truth, codes).sum()) for codes in ((1, 2, 4), (1, 4), (4,))]
    if preset == "minmax128":
        assert images.shape == (4, 128, 128, 128)
        assert counts == pytest.approx([n * counts[0] / expected[0] for n in expected], rel=0.02)
    else:
        assert counts == expected
    t1ce = images[1].astype(np.float32)
    assert t1ce[depth == 3].mean() > t1ce[(depth == 0) & (t1ce != 0)].mean() + t1ce.std()
