"""Reports on the disk."""

from __future__ import annotations

import pytest

from napari_mmseg.errors import ExportError
from napari_mmseg.report.write import PAGE, check_target, write_text


def test_a_report_replaces_an_old_one_and_leaves_nothing_else(tmp_path):
    target = tmp_path / "päge.html"
    for text in ("old", "new\n"):
        write_text(target, text)
    assert target.read_bytes() == b"new\n"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("name", ["study.toml", "assignments.jsonl", "seg.nii.gz", "page"])
def test_a_name_that_may_be_another_files_is_not_taken(tmp_path, name):
    with pytest.raises(ExportError, match=r"end it in \.html"):
        check_target(tmp_path / name, *PAGE)
    check_target(tmp_path / "PAGE.HTML", *PAGE)


def test_the_old_report_stays_when_the_new_one_cannot_be_written(tmp_path):
    folder = tmp_path / "page.html"
    folder.mkdir()
    with pytest.raises(ExportError, match="was not written"):
        write_text(folder, "new")
    assert list(tmp_path.iterdir()) == [folder]
