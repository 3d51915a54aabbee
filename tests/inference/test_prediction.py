"""Thresholding kept probabilities: nesting, parents' thresholds, speed."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_mmseg.annotation import Provenance
from napari_mmseg.errors import InputError
from napari_mmseg.grid import Grid
from napari_mmseg.inference import Prediction
from napari_mmseg.models import Calibration, Curve
from napari_mmseg.protocol import Protocol, Region, load_protocol
from napari_mmseg.volume import SourceSpace

GRID = Grid((6, 7, 8), np.diag([-1.0, -1.0, -1.0, 1.0])[[2, 1, 0, 3]])
BOX = (slice(1, 5), slice(2, 6), slice(0, 8))


def make_prediction(
    probabilities: NDArray[np.uint8],
    protocol: Protocol | None = None,
    regions: tuple[str, ...] = ("WT", "TC", "ET"),
    grid: Grid = GRID,
    box: tuple[slice, slice, slice] = BOX,
    **fields: object,
) -> Prediction:
    return Prediction(
        grid=grid,
        source=SourceSpace.of(grid),
        protocol=protocol or load_protocol("glioma"),
        regions=regions,
        probabilities=probabilities,
        box=box,
        thresholds=dict.fromkeys(regions, 0.5),
        provenance=Provenance(model="tiny"),
        **fields,  # type: ignore[arg-type]
    )


def noise(seed: int, regions: int = 3) -> NDArray[np.uint8]:
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (regions, 4, 4, 8)).astype(np.uint8)


@st.composite
def forests(draw: st.DrawFn) -> Protocol:
    """Protocols of one to six regions, each a root or the child of an earlier one."""
    count = draw(st.integers(1, 6))
    regions = []
    for i in range(count):
        parent = draw(st.none() | st.integers(0, i - 1)) if i else None
        regions.append(
            Region(
                name=f"r{i}",
                title=f"r{i}",
                code=i + 1,
                parent=None if parent is None else f"r{parent}",
                compartment="",
                colour=(1.0, 0.0, 0.0),
                key="",
            )
        )
    return Protocol("forest", "forest", tuple(regions), {}, "none")


@settings(max_examples=150, deadline=None)
@given(forests(), st.data())
def test_any_thresholds_in_any_forest_keep_nesting(protocol: Protocol, data: st.DataObject) -> None:
    names = [r.name for r in protocol.regions]
    known = tuple(data.draw(st.permutations(names))[: data.draw(st.integers(1, len(names)))])
    probabilities = noise(data.draw(st.integers(0, 2**32 - 1)), len(known))
    thresholds = {name: data.draw(st.floats(0.0, 1.0)) for name in known}
    prediction = make_prediction(probabilities, protocol, known)
    annotation = prediction.annotation(thresholds)
    for name in known:
        inside = annotation.region(name)[BOX]
        raw = probabilities[known.index(name)]
        # In a region only if it passes the region's own threshold and all its known parents'.
        passes = raw / 255 >= thresholds[name] - 1e-9
        for parent in protocol.ancestors(name):
            assert not (annotation.region(name) & ~annotation.region(parent.name)).any()
            if parent.name in known:
                of_parent = probabilities[known.index(parent.name)]
                passes &= of_parent / 255 >= max(thresholds[parent.name], thresholds[name]) - 1e-9
        assert not (inside & ~passes).any()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), *[st.floats(0.01, 1.0)] * 3)
def test_glioma_regions_are_what_the_rule_says(seed: int, wt: float, tc: float, et: float) -> None:
    raw = noise(seed)
    annotation = make_prediction(raw).annotation({"WT": wt, "TC": tc, "ET": et})
    p_wt = raw[0] / 255
    p_tc = np.minimum(raw[1] / 255, p_wt)
    p_et = np.minimum(raw[2] / 255, p_tc)
    in_wt = p_wt >= wt - 1e-9
    in_tc = in_wt & (p_tc >= tc - 1e-9)
    in_et = in_tc & (p_et >= et - 1e-9)
    depth = in_wt.astype(np.uint8) + in_tc + in_et
    np.testing.assert_array_equal(annotation.codes[BOX], depth)
    outside = np.ones(GRID.shape, dtype=bool)
    outside[BOX] = False
    assert not annotation.codes[outside].any()


def test_raising_a_threshold_only_removes() -> None:
    prediction = make_prediction(noise(1))
    volumes = [prediction.annotation({"TC": t}).volumes_ml for t in (0.0, 0.3, 0.6, 0.9, 1.0)]
    assert all(a["TC"] >= b["TC"] for a, b in pairwise(volumes))
    assert volumes[0]["TC"] > volumes[-1]["TC"]
    assert len({v["WT"] for v in volumes}) == 1


def test_a_voxel_without_any_probability_is_outside_even_at_threshold_zero() -> None:
    raw = np.zeros((3, 4, 4, 8), dtype=np.uint8)
    raw[0, 0, 0, 0] = 1
    annotation = make_prediction(raw).annotation({"WT": 0.0})
    assert annotation.region("WT").sum() == 1


def test_a_model_that_knows_only_a_child_fills_its_parents() -> None:
    annotation = make_prediction(noise(2, 1), regions=("ET",)).annotation()
    assert annotation.region("ET").any()
    np.testing.assert_array_equal(annotation.region("ET"), annotation.region("WT"))


def test_a_protocol_of_one_region() -> None:
    raw = noise(3, 1)
    prediction = make_prediction(raw, load_protocol("ms_lesion"), ("lesion",))
    np.testing.assert_array_equal(prediction.annotation().region("lesion")[BOX], raw[0] >= 128)


def test_probability_on_the_whole_grid() -> None:
    raw = noise(4)
    whole = make_prediction(raw).probability("WT")
    assert whole.shape == GRID.shape
    np.testing.assert_allclose(whole[BOX], raw[0] / 255, atol=1e-6)
    assert whole.sum() == pytest.approx(raw[0].sum() / 255, rel=1e-5)


def test_small_components_are_dropped_only_where_asked() -> None:
    raw = np.zeros((3, 4, 4, 8), dtype=np.uint8)
    raw[0, 0, 0, 0] = 255
    raw[0, 2:4, 2:4, 4:8] = 255
    plain = make_prediction(raw).annotation()
    assert plain.region("WT").sum() == 17
    filtered = make_prediction(raw, smallest_component_mm3={"WT": 5.0}).annotation()
    assert filtered.region("WT").sum() == 16


def test_components_that_are_doubtful_throughout_are_dropped_unless_asked_for() -> None:
    raw = np.zeros((3, 4, 4, 8), dtype=np.uint8)
    raw[0, 0, 0, 0:4] = 150  # doubtful throughout
    raw[0, 2:4, 2:4, 4:8] = 150
    raw[0, 3, 3, 7] = 240  # sure somewhere
    prediction = make_prediction(raw, peaks={"WT": 0.9})
    assert prediction.annotation().region("WT").sum() == 16
    # Half the threshold, half the peak: 0.45 of 255 is below 150.
    assert prediction.annotation({"WT": 0.25}).region("WT").sum() == 20
    assert prediction.annotation({"WT": 0.9}).region("WT").sum() == 1


def test_the_surest_component_stays_where_none_is_sure() -> None:
    raw = np.zeros((3, 4, 4, 8), dtype=np.uint8)
    raw[0, 0, 0, 0:4] = 150
    raw[0, 2:4, 2:4, 4:8] = 170
    kept = make_prediction(raw, peaks={"WT": 0.9}).annotation().region("WT")
    assert kept.sum() == 16
    nothing = make_prediction(np.zeros_like(raw), peaks={"WT": 0.9}).annotation()
    assert not nothing.codes.any()


def test_what_was_predicted_cannot_be_changed() -> None:
    raw = noise(5)
    prediction = make_prediction(raw)
    before = prediction.annotation().codes
    with pytest.raises(ValueError, match="read-only"):
        prediction.probabilities[0] = 0
    raw[:] = 0
    np.testing.assert_array_equal(prediction.annotation().codes, before)


def test_a_region_or_threshold_that_is_none() -> None:
    prediction = make_prediction(noise(6))
    with pytest.raises(InputError, match="no region 'lesion': it has WT, TC, ET"):
        prediction.annotation({"lesion": 0.5})
    with pytest.raises(InputError, match="between 0 and 1"):
        prediction.annotation({"WT": -0.1})


def test_fast_enough_for_a_live_slider() -> None:
    grid = Grid((155, 240, 240), GRID.affine)
    box = (slice(5, 149), slice(30, 206), slice(50, 194))
    generator = np.random.default_rng(0)
    raw = generator.integers(0, 256, (3, 144, 176, 144)).astype(np.uint8)
    prediction = make_prediction(raw, grid=grid, box=box)
    took = []
    for i in range(7):
        start = time.perf_counter()
        prediction.annotation({"WT": 0.3 + 0.05 * i})
        took.append(time.perf_counter() - start)
    assert min(took) < 0.060


CURVES = {"WT": Curve(0.7, -1.0), "TC": Curve(1.3, 0.5), "ET": Curve(0.4, 0.0)}


def test_calibrated_probabilities_are_nested_and_thresholds_are_of_the_networks_numbers() -> None:
    plain = make_prediction(noise(5))
    prediction = make_prediction(noise(5), calibration=Calibration(CURVES))
    whole, core, enhancing = (prediction.calibrated_probability(r) for r in ("WT", "TC", "ET"))
    assert (enhancing <= core).all()
    assert (core <= whole).all()
    logit = np.log((prediction.probabilities[0] + 0.5) / (255.5 - prediction.probabilities[0]))
    np.testing.assert_allclose(whole[BOX], 1 / (1 + np.exp(1.0 - 0.7 * logit)), atol=1e-5)
    assert whole.sum() == pytest.approx(whole[BOX].sum())
    np.testing.assert_array_equal(prediction.probability("WT"), plain.probability("WT"))
    np.testing.assert_array_equal(prediction.annotation().codes, plain.annotation().codes)


def test_without_calibration_the_networks_number_is_the_probability() -> None:
    prediction = make_prediction(noise(6))
    np.testing.assert_array_equal(
        prediction.calibrated_probability("TC"), prediction.probability("TC")
    )
    assert prediction.annotation().provenance.expected_dice == {}


def test_uncertainty_is_the_entropy_in_bits() -> None:
    prediction = make_prediction(noise(7), calibration=Calibration(CURVES))
    for region in ("WT", "TC", "ET"):
        p = prediction.calibrated_probability(region)[BOX].astype(float)
        expected = -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
        found = prediction.uncertainty(region)
        np.testing.assert_allclose(found[BOX], expected, atol=2e-3)
        assert found.sum() == pytest.approx(found[BOX].sum())
    largest = np.maximum.reduce([prediction.uncertainty(r) for r in ("WT", "TC", "ET")])
    np.testing.assert_array_equal(prediction.uncertainty(), largest)


def test_uncertainty_is_the_disagreement_of_several_looks_where_that_is_larger() -> None:
    spread = noise(8)
    alone = make_prediction(noise(7), calibration=Calibration(CURVES)).uncertainty("TC")[BOX]
    prediction = make_prediction(noise(7), calibration=Calibration(CURVES), spread=spread)
    larger = np.maximum(alone, spread[1] / np.float32(255))
    assert (larger > alone).any()
    assert (larger == alone).any()
    np.testing.assert_allclose(prediction.uncertainty("TC")[BOX], larger, atol=1e-6)


def test_the_expected_dice_follows_its_formula_and_the_threshold() -> None:
    prediction = make_prediction(noise(9), calibration=Calibration(CURVES))
    for threshold in (0.3, 0.6):
        annotation = prediction.annotation(dict.fromkeys(("WT", "TC", "ET"), threshold))
        told = annotation.provenance.expected_dice
        assert set(told) == {"WT", "TC", "ET"}
        for number, (region, value) in enumerate(told.items()):
            p = CURVES[region].levels()[prediction.probabilities[number]]
            m = annotation.region(region)[BOX]
            assert value == pytest.approx(2 * p[m].sum() / (p.sum() + m.sum()), rel=1e-5)
    nothing = prediction.annotation({"ET": 1.0, "TC": 1.0, "WT": 1.0})
    assert set(nothing.provenance.expected_dice) <= {"WT", "TC", "ET"}
    empty = np.zeros(GRID.shape, np.uint8)
    assert prediction.expected_dice(empty) == {}
