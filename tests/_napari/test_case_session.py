"""A case that is open in a viewer (napari's model, no window)."""

from __future__ import annotations

import numpy as np
import phantom
import pytest
from napari.components import ViewerModel

from napari_mmseg._napari.layers import SUBTRACTION_NAME, case_tuples, labels_tuple
from napari_mmseg._napari.session import OUTLINE_OPACITY, CaseSession, blank
from napari_mmseg.case import Case
from napari_mmseg.editing import Footprint, Mode, Stroke
from napari_mmseg.io import open_case, read_annotation
from napari_mmseg.volume import Modality


@pytest.fixture
def session(case: Case, model_viewer: ViewerModel) -> CaseSession:
    return CaseSession(model_viewer, case, read_annotation(case.labels[0].path, like=case))


def visible(session: CaseSession) -> list[str]:
    return [layer.name for layer in session.viewer.layers if layer.visible]


def drawn_centre(session: CaseSession) -> np.ndarray:
    """The voxel that the viewer stands at."""
    grid = session.case.grid
    place = (np.array(session.viewer.dims.point) - grid.display_translate) / grid.spacing
    return np.round(place).astype(int)


def test_it_opens_axial_on_the_largest_cross_section(session: CaseSession) -> None:
    assert session.looks.plane == "axial"
    assert session.viewer.dims.ndisplay == 2
    counts = (session.edit.codes > 0).sum(axis=(1, 2))
    assert counts[drawn_centre(session)[0]] == counts.max()


def test_without_labels_it_opens_in_the_middle(case: Case, model_viewer: ViewerModel) -> None:
    session = CaseSession(model_viewer, case)
    assert not session.edit.codes.any()
    assert list(drawn_centre(session)) == [n // 2 for n in case.grid.shape]
    assert session.is_saved
    assert session.edit.annotation().provenance.inputs.keys() == {"T1", "T1ce", "T2", "FLAIR"}


def test_the_layer_shows_the_edit_sessions_own_array(session: CaseSession) -> None:
    assert session.labels.data is session.edit.codes
    assert session.viewer.layers.selection.active is session.labels
    assert session.viewer.layers[-1] is session.labels


def test_contrasts_take_turns(session: CaseSession) -> None:
    assert session.looks.shown_modality is Modality.FLAIR
    seen = []
    for _ in range(4):
        session.looks.next_modality()
        seen.append(session.looks.shown_modality)
        assert len(visible(session)) == 2
    assert seen == [Modality.T1, Modality.T1CE, Modality.T2, Modality.FLAIR]
    session.looks.next_modality(-1)
    assert session.looks.shown_modality is Modality.T2


def test_a_contrast_that_was_removed_is_passed_over(session: CaseSession) -> None:
    session.viewer.layers.remove("T1")
    session.looks.next_modality()
    assert session.looks.shown_modality is Modality.T1CE


def test_the_subtraction_is_made_once_and_lies_below_the_labels(session: CaseSession) -> None:
    session.looks.show_subtraction()
    session.looks.show_modality(Modality.T2)
    session.looks.show_subtraction()
    names = [layer.name for layer in session.viewer.layers]
    assert names.count(SUBTRACTION_NAME) == 1
    assert names[-1] == "Segmentation"
    assert visible(session) == [SUBTRACTION_NAME, "Segmentation"]
    assert session.looks.shown_name == SUBTRACTION_NAME
    assert session.viewer.layers.selection.active is session.labels
    session.looks.next_modality()
    assert SUBTRACTION_NAME not in visible(session)


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_jumping_finds_the_largest_cross_section_in_the_plane(
    session: CaseSession, plane: str
) -> None:
    session.looks.show_plane(plane)
    axis = session.viewer.dims.order[0]
    session.viewer.dims.set_point(axis, session.case.grid.display_translate[axis])
    assert session.jump_to("ET")
    other = tuple(i for i in range(3) if i != axis)
    counts = (session.edit.codes == 3).sum(axis=other)
    assert counts[drawn_centre(session)[axis]] == counts.max()


def test_there_is_no_jump_to_an_empty_region(case: Case, model_viewer: ViewerModel) -> None:
    session = CaseSession(model_viewer, case)
    before = tuple(session.viewer.dims.point)
    assert not session.jump_to("ET")
    assert tuple(session.viewer.dims.point) == before


def test_outlines_are_solid_and_areas_get_their_opacity_back(session: CaseSession) -> None:
    session.labels.opacity = 0.3
    session.toggle_outline()
    assert (session.labels.contour, session.labels.opacity) == (1, OUTLINE_OPACITY)
    session.show_outline(True)  # already so: nothing changes
    session.toggle_outline()
    assert (session.labels.contour, session.labels.opacity) == (0, 0.3)


def test_a_hidden_region_is_shown_as_its_parent(session: CaseSession) -> None:
    session.show_regions({"ET"})
    core = session.protocol["TC"].colour
    assert session.labels.get_color(3)[:3] == pytest.approx(core)


def test_the_status_bar_speaks_of_the_patient(session: CaseSession) -> None:
    voxel = np.argwhere(session.edit.codes == 3)[0]
    grid = session.case.grid
    position = np.array(grid.display_translate) + voxel * np.array(grid.spacing)
    for layer in (session.labels, session.looks.images[Modality.T1]):
        status = layer.get_status(position, world=True, dims_displayed=[1, 2])
        assert "enhancing tumour" in status["coordinates"]
        assert status["coordinates"].startswith("L ")
        assert "FLAIR" in status["coordinates"]


def test_a_new_annotation_gets_its_own_layer_and_undo(session: CaseSession) -> None:
    first = session.current
    second = session.add_annotation(blank(session.case), "Second look")
    assert session.labels.name == "Second look"
    stroke = Stroke("WT", Mode.PAINT, Footprint((0, 0, 0), np.ones((1, 1, 1), bool)))
    session.edit.apply(stroke)
    assert (first.edit.undo_depth, second.edit.undo_depth) == (0, 2)
    assert not session.is_saved
    session.viewer.layers.selection.active = first.layer
    assert session.current is first
    assert session.controller.session is first.edit


def test_a_removed_labels_layer_loses_nothing(session: CaseSession) -> None:
    told = []
    session.labels_removed.connect(lambda: told.append(True))
    session.edit.replace(np.zeros_like(session.edit.codes), "clear")
    codes = session.edit.codes
    session.viewer.layers.remove(session.labels)
    assert told == [True]
    session.bring_back()
    assert session.labels in session.viewer.layers
    assert session.labels.data is codes
    session.edit.undo()
    assert session.edit.codes.any()


def test_closing_leaves_the_viewer_as_it_was(session: CaseSession) -> None:
    other = session.viewer.add_image(np.zeros((3, 4, 5)), name="not ours")
    session.close()
    assert list(session.viewer.layers) == [other]
    assert not any(name.startswith("mmseg") for name in session.viewer.canvas.overlays)


def test_layers_of_the_reader_are_taken_over(case: Case, model_viewer: ViewerModel) -> None:
    label = read_annotation(case.labels[0].path, like=case)
    for data, meta, kind in (*case_tuples(case), labels_tuple(case, label)):
        getattr(model_viewer, f"add_{kind}")(data, **meta)
    session = CaseSession(model_viewer, case, layers=list(model_viewer.layers))
    assert len(model_viewer.layers) == 5
    assert session.edit.volumes_ml() == pytest.approx(label.volumes_ml)


def test_an_anisotropic_oblique_case_is_edited_and_exported_straight(
    oblique_case: Case, model_viewer: ViewerModel
) -> None:
    session = CaseSession(model_viewer, oblique_case)
    for layer in session.viewer.layers:
        assert tuple(layer.scale) == pytest.approx((3.0, 1.0, 1.0))


def test_one_contrast_is_enough(tmp_path: object, model_viewer: ViewerModel) -> None:
    case = open_case(phantom.write_case(tmp_path / "one", ("T1",), labels=False))  # type: ignore[operator]
    session = CaseSession(model_viewer, case)
    session.looks.next_modality()
    assert session.looks.shown_modality is Modality.T1
    assert not session.looks.can_subtract


def test_the_help_line_is_ours_while_labels_are_in_hand(session: CaseSession) -> None:
    session.labels.mode = "paint"
    assert "add/erase" in session.labels.help
    assert session.viewer.help == session.labels.help
