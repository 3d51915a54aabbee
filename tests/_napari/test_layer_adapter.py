"""Cases as layers."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import phantom
import pytest
from napari.components import ViewerModel

from napari_mmseg._napari.layers import (
    best_slice,
    case_paths,
    case_tuples,
    geometry,
    labels_tuple,
    layers_of,
    origin_of,
    subtraction_tuple,
)
from napari_mmseg.case import Case
from napari_mmseg.io import read_annotation
from napari_mmseg.volume import Modality


def test_one_layer_a_contrast_and_one_of_them_seen(case: Case, model_viewer: ViewerModel) -> None:
    for data, meta, kind in case_tuples(case):
        assert kind == "image"
        model_viewer.add_image(data, **meta)
    assert [layer.name for layer in model_viewer.layers] == ["T1", "T1ce", "T2", "FLAIR"]
    assert [layer.name for layer in model_viewer.layers if layer.visible] == ["FLAIR"]
    for layer in model_viewer.layers:
        assert tuple(layer.scale) == (3.0, 1.0, 1.0)
        assert {str(unit) for unit in layer.units} == {"millimeter"}
        assert layer.axis_labels == ("I", "P", "L")
        assert not layer.affine.affine_matrix[:-1, :-1][~np.eye(3, dtype=bool)].any()
    assert layers_of(model_viewer.layers, case) == list(model_viewer.layers)


def test_the_tumour_on_the_patients_left_is_on_the_right_of_the_screen(case: Case) -> None:
    annotation = read_annotation(case.labels[0].path, like=case)
    middle = np.argwhere(annotation.codes == 3).mean(axis=0)
    inferior, posterior, left = middle / (np.array(annotation.codes.shape) - 1)
    assert left > 0.6  # towards growing columns: right on screen
    assert posterior < 0.4  # anterior: up
    assert inferior < 0.5  # superior: first slices


def test_an_oblique_case_is_drawn_without_a_rotation(oblique_case: Case) -> None:
    place = geometry(oblique_case.grid)
    assert set(place) == {"scale", "translate", "units", "axis_labels"}
    assert place["scale"] == pytest.approx((3.0, 1.0, 1.0))


def test_labels_have_the_protocols_colours(case: Case, model_viewer: ViewerModel) -> None:
    annotation = read_annotation(case.labels[0].path, like=case)
    data, meta, kind = labels_tuple(case, annotation)
    assert kind == "labels"
    layer = model_viewer.add_labels(data.copy(), **meta)
    for region in annotation.protocol.regions:
        assert layer.get_color(region.code)[:3] == pytest.approx(region.colour)
    assert layer.get_color(0) is None


def test_a_duplicated_layer_still_knows_its_case(case: Case) -> None:
    _, meta, _ = case_tuples(case)[0]
    copied = deepcopy(meta["metadata"])
    assert next(iter(copied.values())).case is case


def test_layers_of_others_have_no_origin(model_viewer: ViewerModel) -> None:
    assert origin_of(model_viewer.add_image(np.zeros((3, 4)))) is None


def test_without_flair_another_contrast_is_seen(tmp_path: object, case_folder: object) -> None:
    from napari_mmseg.io import open_case

    case = open_case(phantom.write_case(tmp_path / "two", ("T1", "T2"), labels=False))  # type: ignore[operator]
    assert [meta["visible"] for _, meta, _ in case_tuples(case)] == [False, True]


def test_the_subtraction_shows_what_took_up_contrast_agent(case: Case) -> None:
    difference, meta, _ = subtraction_tuple(case)
    codes = read_annotation(case.labels[0].path, like=case).codes
    low, high = meta["contrast_limits"]
    assert np.median(difference[codes == 3]) > (low + high) / 2
    brain = (case.volumes[Modality.T1].array != 0) & (codes == 0)
    assert np.median(difference[brain]) <= low + (high - low) / 4


def test_the_best_slice_has_most_of_the_region(case: Case) -> None:
    annotation = read_annotation(case.labels[0].path, like=case)
    inside = annotation.protocol.inside_table("TC")
    for axis in range(3):
        index = best_slice(annotation.codes, inside, axis)
        counts = [
            int((np.take(annotation.codes, i, axis) >= 2).sum())
            for i in range(annotation.codes.shape[axis])
        ]
        assert counts[index] == max(counts)
    assert best_slice(np.zeros((3, 3, 3), np.uint8), inside) is None


def test_paths_are_told_once_each(case: Case) -> None:
    assert len(case_paths(case)) == 4
