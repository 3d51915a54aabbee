"""A contact sheet of what models find in simulated cases."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_mmseg.training.answers import (
    HEALTHY,
    TITLE_HEIGHT,
    Answered,
    answered,
    case_row,
    cases_of_kinds,
    write_answers,
)
from napari_mmseg.training.gallery import TILE
from napari_mmseg.training.simulate.anatomy import procedural_head
from napari_mmseg.training.simulate.tumour import KINDS


def a_case(found: bool = True, ill: bool = True) -> Answered:
    """A brain with a tumour of 1,000 voxels in slices 10 to 19, and half of it found."""
    volumes = np.zeros((4, 40, 40, 40), np.float32)
    volumes[:, 2:38, 2:38, 2:38] = np.random.default_rng(0).normal(0, 1, (4, 36, 36, 36))
    depth = np.zeros((40, 40, 40), np.uint8)
    depth[10:20, 10:20, 10:20] = 1
    answer = np.zeros_like(depth)
    answer[10:20, 10:20, 10:15] = 1 if found else 0
    return Answered("ring", volumes, depth if ill else np.zeros_like(depth), {"one": answer})


def test_a_row_shows_contrasts_labels_and_answers_with_their_dice() -> None:
    row, titles = case_row(a_case())
    assert row.shape == (TILE, 5 * TILE, 3)
    # WT 2 * 500 / 1,500; regions that are not there are told in ml.
    assert titles == ["ring: T1ce", "T2", "FLAIR", "labels", "one: 0.67 0.0 ml 0.0 ml"]
    flair, labels, answer = (row[:, n * TILE : (n + 1) * TILE] for n in (2, 3, 4))
    marked, found = (labels != flair).any(axis=-1), (answer != flair).any(axis=-1)
    assert marked.sum() == 36  # the border of a square of 10 pixels
    assert 0 < found.sum() < 36


def test_a_false_alarm_is_shown_where_it_is_largest() -> None:
    row, titles = case_row(a_case(ill=False))
    assert titles[-1] == "one: 0.5 ml 0.0 ml 0.0 ml"
    flair, answer = row[:, 2 * TILE : 3 * TILE], row[:, 4 * TILE :]
    assert (answer != flair).any()


def test_a_sheet_has_a_row_for_each_case(tmp_path: Path) -> None:
    path = write_answers(iter([a_case(), a_case(found=False)]), tmp_path / "sheet.png")
    with Image.open(path) as picture:
        assert picture.size == (5 * TILE, 2 * (TILE + TITLE_HEIGHT))
    assert [item.name for item in tmp_path.iterdir()] == ["sheet.png"]


def test_every_kind_of_tumour_is_drawn_and_a_brain_without() -> None:
    heads = [procedural_head(seed, 48) for seed in range(2)]
    cases = dict(cases_of_kinds(heads, seed=3))
    assert list(cases) == [*KINDS, HEALTHY]
    assert not cases[HEALTHY][1].any()
    assert all((cases[kind][1] > 0).any() for kind in KINDS)


def test_models_answer_in_depths_of_nesting() -> None:
    case = a_case()
    given = iter([("ring", (case.volumes, case.depth))])
    (result,) = answered(given, {"shipped": "simulated"})
    answer = result.answers["shipped"]
    assert answer.shape == case.depth.shape
    assert answer.dtype == np.uint8
    assert answer.max() <= 3


@pytest.mark.parametrize("models", [[], ["a", "b"]])
def test_answers_stand_in_the_order_of_the_models(models: list[str]) -> None:
    case = a_case()
    many = Answered(case.name, case.volumes, case.depth, dict.fromkeys(models, case.depth))
    row, titles = case_row(many)
    assert row.shape[1] == (4 + len(models)) * TILE
    assert [title.split(":")[0] for title in titles[4:]] == models
