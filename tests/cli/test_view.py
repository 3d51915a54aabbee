"""`napari-mmseg view`: what it hands to the viewer (which has its own tests)."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest

from .conftest import in_brats2017, tumour, write


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """Calls of the viewer, which does not open."""
    calls: list[tuple] = []
    launch = types.ModuleType("napari_mmseg._napari.launch")
    launch.view = lambda case, annotation=None, screenshot=None: calls.append(
        (case, annotation, screenshot)
    )
    monkeypatch.setitem(sys.modules, "napari_mmseg._napari.launch", launch)
    monkeypatch.setenv("DISPLAY", ":0")
    return calls


@pytest.mark.parametrize("arguments", [(), ("view",)])
def test_without_a_case_the_viewer_is_empty(run, shown, arguments):
    assert run(*arguments).code == 0
    assert shown == [(None, None, None)]


def test_a_case_with_its_annotation_and_a_picture(run, shown, case_folder, tmp_path):
    labels = write(tmp_path / "codes.nii.gz", in_brats2017(tumour()))
    picture = tmp_path / "window.png"
    options = ["--annotation", labels, "--encoding", "brats2017", "--screenshot", picture]
    assert run("view", case_folder, *options).code == 0
    ((case, annotation, screenshot),) = shown
    assert [m.value for m in case.modalities] == ["T1", "T1ce", "T2", "FLAIR"]
    assert annotation.grid.same_as(case.grid)
    assert np.count_nonzero(annotation.codes == 3) == 8
    assert screenshot == picture


def test_an_annotation_alone_is_wrong_usage(run, shown, label_file):
    assert run("view", "--annotation", label_file).code == 2
    assert shown == []


def test_a_case_that_cannot_be_opened_opens_no_window(run, shown, tmp_path):
    assert "holds no image" in run("view", tmp_path).sentence
    assert shown == []


def test_labels_of_another_grid_are_refused(run, shown, case_folder, tmp_path):
    small = write(tmp_path / "small.nii.gz", np.ones((4, 4, 4), np.uint8))
    assert run("view", case_folder, "--annotation", small, "--encoding", "depth").code == 1
    assert shown == []


def test_without_qt_the_way_to_get_it_is_said(run, monkeypatch):
    from napari_mmseg.cli import view

    monkeypatch.setattr(view, "find_spec", lambda _: None)
    assert 'pip install "napari-mmseg[qt]"' in run().sentence
