"""Disputes, against SciPy's components and shapes known by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from napari_mmseg.agreement.disputes import disputes

from .raters import ball, said

CUBE = np.ones((3, 3, 3), bool)

opinions = arrays(np.uint8, (5, 4, 6), elements=st.sampled_from([0, 0, 0, 1, 2, 3]))


def block(shape: tuple[int, int, int], *corners: tuple[int, int, int], side: int = 2) -> np.ndarray:
    codes = np.zeros(shape, np.uint8)
    for a, b, c in corners:
        codes[a : a + side, b : b + side, c : c + side] = 1
    return codes


@given(st.lists(opinions, min_size=2, max_size=4))
@settings(deadline=None, max_examples=80)
def test_pieces_equal_scipys(codes):
    found = disputes({f"r{n}": said(one) for n, one in enumerate(codes)})
    votes = np.stack(codes)
    for depth, region in enumerate(("WT", "TC", "ET"), start=1):
        yes = votes >= depth
        count = yes.sum(0)
        agreed = count == len(codes)
        labels, number = ndimage.label((count > 0) & ~agreed, CUBE)
        islands, many = ndimage.label(agreed, CUBE)
        largest_first = np.argsort(-np.bincount(islands.ravel())[1:], kind="stable") + 1
        rims = [ndimage.binary_dilation(islands == n, CUBE) for n in largest_first[:many]]
        own = [piece for piece in found if piece.region == region]
        assert len(own) == number
        for piece in own:
            mask = np.zeros(agreed.shape, bool)
            mask[piece.box] = piece.mask
            assert (mask == (labels == labels[piece.centre])).all()
            assert mask[piece.centre]
            assert piece.voxels == mask.sum()
            assert piece.volume_mm3 == pytest.approx(mask.sum())
            assert tuple(ndimage.find_objects(mask.astype(int))[0]) == piece.box
            rim = ndimage.binary_dilation(mask, CUBE)
            assert piece.kind == ("boundary" if (rim & agreed).any() else "presence")
            for rater, said_yes in enumerate(yes):
                assert piece.share[f"r{rater}"] == pytest.approx(said_yes[mask].mean())
            if piece.lesion is not None:
                touching = [(grown & mask).sum() for grown in rims]
                assert piece.lesion - 1 == int(np.argmax(touching))
    assert [p.voxels for p in found] == sorted((p.voxels for p in found), reverse=True)
    assert len({p.key for p in found}) == len(found)


def test_an_island_is_presence_and_a_rim_is_a_boundary():
    common = ball((20, 20, 20), (6, 6, 6), 3)
    wide = ball((20, 20, 20), (6, 6, 6), 4)
    island = ball((20, 20, 20), (15, 15, 15), 2)
    raters = {"A": common, "B": wide, "C": common | island}
    rim, other = disputes({name: said(mask.astype(np.uint8)) for name, mask in raters.items()})
    assert (rim.key, rim.kind, rim.lesion) == ("WT-1", "boundary", 1)
    assert (rim.yes, rim.no) == (("B",), ("A", "C"))
    assert rim.voxels == wide.sum() - common.sum()
    assert (other.key, other.kind, other.lesion) == ("WT-2", "presence", None)
    assert (other.yes, other.centre) == (("C",), (15, 15, 15))


def test_the_centre_of_a_ring_lies_in_the_ring():
    inner, outer = ball((21, 21, 21), (10, 10, 10), 4), ball((21, 21, 21), (10, 10, 10), 6)
    (ring,) = disputes({"A": said(inner.astype(int)), "B": said(outer.astype(int))})
    assert not inner[ring.centre]
    assert outer[ring.centre]


def test_agreed_lesions_are_numbered_by_size():
    small = block((16, 8, 8), (1, 1, 1))
    large = block((16, 8, 8), (9, 2, 2), side=4)
    common = small | large
    more = common.copy()
    more[3, 1, 1] = 1  # beside the small one
    more[13, 2, 2] = more[13, 2, 3] = 1  # beside the large one
    two, one = disputes({"A": said(common), "B": said(more)})
    assert (two.lesion, two.voxels) == (1, 2)
    assert (one.lesion, one.voxels) == (2, 1)


def test_a_bridge_belongs_to_the_lesion_that_it_touches_most():
    common = block((12, 6, 6), (0, 1, 1), side=3) | block((12, 6, 6), (7, 1, 1), side=3)
    bridge = common.copy()
    bridge[3:7, 2, 2] = 1
    bridge[6, 1:4, 1:4] = 1
    (piece,) = disputes({"A": said(common), "B": said(bridge)})
    second = disputes({"A": said(common[::-1].copy()), "B": said(bridge[::-1].copy())})[0]
    # Both lesions have 27 voxels: the first in the array is number 1.
    assert piece.lesion == 2
    assert second.lesion == 1


def test_corners_connect_and_slices_one_voxel_thick_do_too():
    for shape, other in (((3, 3, 3), (1, 1, 1)), ((1, 3, 3), (0, 1, 1))):
        codes = np.zeros(shape, np.uint8)
        codes[0, 0, 0] = codes[other] = 1
        (piece,) = disputes({"A": said(codes), "B": said(np.zeros(shape, np.uint8))})
        assert piece.voxels == 2


def test_volume_is_in_mm3_of_the_grid():
    affine = np.array([[0, 0, -1.5, 0], [0, -2, 0, 0], [-3, 0, 0, 0], [0, 0, 0, 1.0]])
    codes = block((4, 4, 4), (0, 0, 0))
    pair = {"A": said(codes, affine=affine), "B": said(0 * codes, affine=affine)}
    (piece,) = disputes(pair)
    assert piece.volume_mm3 == pytest.approx(8 * 9)
    facts = piece.facts()
    assert facts["share"] == {"A": 1.0, "B": 0.0}
    assert facts["box"] == [[0, 2]] * 3


def test_raters_of_one_mind_have_none():
    codes = block((4, 4, 4), (1, 1, 1))
    assert disputes({"A": said(codes), "B": said(codes)}) == ()
    assert disputes({"A": said(0 * codes)}) == ()


def thick(mask: np.ndarray, spacing: tuple[float, float, float], mm: float) -> np.ndarray:
    """Voxels further than `mm` from the other side, one distance at a time."""
    apart = np.full(mask.shape, np.inf)
    for side in (mask, ~mask):
        others = np.argwhere(~side) * spacing
        for index in np.argwhere(side):
            if len(others):
                between = np.linalg.norm(others - index * spacing, axis=1)
                apart[tuple(index)] = between.min()
    return apart > mm * (1 + 1e-5)


@given(
    st.lists(arrays(np.uint8, (4, 5, 4), elements=st.integers(0, 1)), min_size=2, max_size=4),
    st.sampled_from([1.0, 1.5, 2.2]),
)
@settings(deadline=None, max_examples=60)
def test_with_a_tolerance_what_is_further_off_is_disputed(codes, tolerance):
    spacing = (1.0, 1.5, 0.8)
    affine = np.diag([1.0, 1.0, 1.0, 1.0])
    affine[:3, :3] = [[0, 0, -0.8], [0, -1.5, 0], [-1, 0, 0]]
    raters = {f"r{n}": said(one, affine=affine) for n, one in enumerate(codes)}
    found = [d for d in disputes(raters, tolerance_mm=tolerance) if d.region == "WT"]
    votes = np.sum(codes, axis=0)
    disputed = (votes > 0) & (votes < len(codes))
    cores, count = ndimage.label(disputed & thick(2 * votes > len(codes), spacing, tolerance), CUBE)
    assert len(found) == count
    covered = np.zeros(votes.shape, int)
    for piece in found:
        mask = np.zeros(votes.shape, bool)
        mask[piece.box] = piece.mask
        covered += mask
        (core,) = set(cores[mask]) - {0}
        assert mask[cores == core].all()
        for voxel in np.argwhere(mask):
            apart = np.linalg.norm((np.argwhere(cores > 0) - voxel) * spacing, axis=1)
            assert apart.min() <= tolerance * (1 + 1e-5)
    assert covered.max(initial=0) <= 1  # no voxel belongs to two
    assert not covered[~disputed].any()


def test_a_tolerance_leaves_bulges_and_islands_of_a_rim():
    common = ball((26, 26, 26), (9, 9, 9), 5)
    rim = ball((26, 26, 26), (9, 9, 9), 6)
    bulge = rim | ball((26, 26, 26), (9, 9, 15), 3)
    island = rim | ball((26, 26, 26), (20, 20, 20), 2)
    raters = {"A": common, "B": common, "C": rim, "D": bulge, "E": island}
    named = {name: said(mask.astype(np.uint8)) for name, mask in raters.items()}
    assert [d.kind for d in disputes(named)] == ["boundary", "presence"]
    assert disputes(named)[0].voxels > 400
    out, off = disputes(named, tolerance_mm=1.5)
    assert (out.kind, out.yes) == ("boundary", ("D",))
    assert out.voxels < 130
    assert out.centre[2] > 13
    assert (off.kind, off.centre) == ("presence", (20, 20, 20))
