"""The history of an annotation on a slider."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_mmseg._napari.history_window import PROPOSAL_NAME, HistoryView
from napari_mmseg.case import Case
from napari_mmseg.editing import EditSession, Footprint, Mode, Stroke
from napari_mmseg.io import open_case
from napari_mmseg.journal import Journal, fingerprint_of, load_work

SQUARE = np.ones((1, 4, 4), bool)


@pytest.fixture
def work_file(case: Case, tmp_path: Path) -> tuple[Path, list[np.ndarray]]:
    """Strokes in slices 2 and 9, the second taken back; the codes after each act."""
    from napari_mmseg._napari.session import blank

    edit = EditSession(blank(case))
    path = tmp_path / "work" / "case-r1.mmseg"
    journal = Journal(edit, path, fingerprint_of(case), "r1")
    found = [edit.codes.copy()]
    edit.on_act.append(lambda act: found.append(edit.codes.copy()))
    edit.apply(Stroke("TC", Mode.PAINT, Footprint((2, 5, 2), SQUARE)), "brush: add TC")
    edit.apply(Stroke("WT", Mode.PAINT, Footprint((9, 2, 2), SQUARE)), "brush: add WT")
    edit.undo()
    assert journal.close()
    return path, found


def test_the_slider_shows_every_step_where_it_was_done(
    model_viewer: ViewerModel, case: Case, work_file: Any
):
    path, volumes = work_file
    work, _ = load_work(path)
    view = HistoryView(model_viewer, work, case)
    labels = model_viewer.layers["Segmentation"]
    assert {layer.name for layer in model_viewer.layers} >= {"FLAIR", PROPOSAL_NAME}
    assert view.position == 3
    note = model_viewer.canvas.overlays["mmseg_history"]
    assert note.text.startswith("3 of 3: undo brush: add WT\n")
    for position, index in ((1, 2), (2, 9), (0, 9), (3, 9)):
        model_viewer.dims.set_current_step(0, position)
        assert view.position == position
        np.testing.assert_array_equal(labels.data[position], volumes[position])
        assert model_viewer.dims.current_step[1] == index
        shown = np.asarray(labels._slice.image.raw)
        np.testing.assert_array_equal(shown, volumes[position][index])
    assert not labels.editable


def test_the_command_opens_it_over_the_images_it_was_made_on(
    case_folder: Path, work_file: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from phantom import write_case
    from typer.testing import CliRunner

    from napari_mmseg.cli.app import app

    shown: list[Any] = []
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setattr(
        "napari_mmseg._napari.history_window.show_history", lambda *given: shown.append(given)
    )
    path, _ = work_file

    def run(*more: object) -> Any:
        return CliRunner().invoke(app, ["history", str(path), *map(str, more)])

    assert run("--layers", "--case", case_folder).exit_code == 0
    ((work, case, screenshot),) = shown
    assert len(work.entries) == 3
    assert case.grid.same_as(open_case(case_folder).grid)
    assert screenshot is None
    other = write_case(tmp_path / "other", modalities=("T2",))
    assert "not made on these images" in run("--layers", "--case", other).output
    assert run("--case", case_folder).exit_code == 2
