"""From labels to the table of readings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_mmseg.agreement.effects import Rated, score_case
from napari_mmseg.annotation import Annotation
from napari_mmseg.errors import GeometryError, InputError
from napari_mmseg.grid import Grid
from napari_mmseg.protocol import load_protocol
from napari_mmseg.volume import SourceSpace

GLIOMA = load_protocol("glioma")
GRID = Grid((6, 7, 8), np.diag([-1.0, -2.0, -1.0, 1.0])[[2, 1, 0, 3]])


def labels(codes, grid=GRID, protocol=GLIOMA):
    return Annotation(np.asarray(codes, np.uint8), grid, protocol, SourceSpace.of(grid))


def random_labels(seed):
    return labels(np.random.default_rng(seed).integers(0, 4, GRID.shape))


def rows_by(rows, region="WT"):
    return {(r.rater, r.repeat): r for r in rows if r.region == region}


def test_scores_are_those_of_the_majority_of_the_others():
    every = {name: random_labels(n) for n, name in enumerate("abcd")}
    proposal = random_labels(9)
    rows, pairs = score_case("x", [Rated(n, a) for n, a in every.items()], proposal)
    assert pairs == []
    for region in ("WT", "TC", "ET"):
        for name, row in rows_by(rows, region).items():
            mask = every[name[0]].region(region)
            others = [a.region(region) for n, a in every.items() if n != name[0]]
            majority = np.sum(others, axis=0) >= 2
            dice = 2 * (mask & majority).sum() / (mask.sum() + majority.sum())
            assert row.score == pytest.approx(dice)
            assert row.volume_ml == pytest.approx(every[name[0]].volumes_ml[region])
            assert row.consensus_ml == pytest.approx(majority.sum() * 0.002)
            both = proposal.region(region)
            assert row.proposal_score == pytest.approx(
                2 * (mask & both).sum() / (mask.sum() + both.sum())
            )


def test_a_tie_of_the_others_counts_by_half():
    codes = np.zeros((3, *GRID.shape), np.uint8)
    codes[0, 0, 0, :4] = codes[1, 0, 0, :2] = 1
    codes[2] = 0
    rows, _ = score_case("x", [Rated(n, labels(c)) for n, c in zip("abc", codes, strict=True)])
    # For a the others tie on two voxels: 2 x (2 / 2) / (4 + 2 / 2)
    assert rows_by(rows)["a", 0].score == pytest.approx(0.4)
    assert rows_by(rows)["c", 0].score == 0.0  # they tie on two voxels, and differ on none agreed


def test_a_repeat_has_no_vote_and_is_compared_with_its_first():
    first, again, other = random_labels(0), random_labels(1), random_labels(2)
    rows, pairs = score_case(
        "x", [Rated("a", first, 0, True, 3, 60.0), Rated("a", again, 1), Rated("b", other)]
    )
    found = rows_by(rows)
    mask, rest = again.region("WT"), other.region("WT")
    assert found["a", 1].score == pytest.approx(2 * (mask & rest).sum() / (mask.sum() + rest.sum()))
    assert found["b", 0].consensus_ml == pytest.approx(first.volumes_ml["WT"])
    told = found["a", 0]
    assert (told.proposal_shown, told.order, told.active_s) == (True, 3, 60.0)
    pair = next(p for p in pairs if p.region == "WT")
    assert pair.second_ml == pytest.approx(again.volumes_ml["WT"])
    own = first.region("WT")
    assert pair.dice == pytest.approx(2 * (mask & own).sum() / (mask.sum() + own.sum()))


def test_nothing_there_is_not_agreement():
    nothing = labels(np.zeros(GRID.shape))
    rows, pairs = score_case(
        "x", [Rated("a", nothing), Rated("b", nothing), Rated("a", nothing, 1)]
    )
    assert {r.score for r in rows} == {None}
    assert {p.dice for p in pairs} == {None}
    assert {r.consensus_ml for r in rows} == {0.0}


def test_a_rater_alone_has_no_score():
    rows, _ = score_case("x", [Rated("a", random_labels(0))])
    assert {(r.score, r.consensus_ml) for r in rows} == {(None, None)}
    assert score_case("x", []) == ([], [])


def test_other_grids_and_protocols_are_refused():
    there = labels(np.zeros(GRID.shape), Grid(GRID.shape, GRID.affine + np.eye(4, k=3) * 9))
    with pytest.raises(GeometryError, match='labels of "x" lie on different grids'):
        score_case("x", [Rated("a", random_labels(0)), Rated("b", there)])
    other = labels(np.zeros(GRID.shape), protocol=replace(GLIOMA, name="other"))
    with pytest.raises(InputError, match="protocols glioma and other"):
        score_case("x", [Rated("a", random_labels(0)), Rated("b", other)])
