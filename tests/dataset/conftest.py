"""A study of three raters that is read: small, with a repeat that comes back mirrored."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import pytest
from study.desk import SECRET, make_cases, read

from napari_mmseg.study import Design, Study, load_study, new_study, submit

RATERS = ("ann", "bob", "cleo")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Two cases read by all; one of bob's readings is not gradable, one of cleo's a draft."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAPARI_MMSEG_CACHE", str(tmp_path_factory.mktemp("cache")))
        folder = tmp_path_factory.mktemp("studies")
        cases = make_cases(folder / "incoming", 2)
        for case in cases:
            for file in case.iterdir():
                image = nib.load(file)
                image.header["descrip"] = SECRET.encode()
                image.header["db_name"] = SECRET.encode()
                image.to_filename(file)
        study = new_study(
            folder / "study",
            name="Wobbles",
            design=Design(repeats=0.5, mirror=True),
            seed=3,
            cases=cases,
            raters=RATERS,
        )
        for number, rater in enumerate(RATERS):
            for item in study.worklist(rater):
                read(study, rater, item.item, corner=(1, 2 + number, 1))
                if (rater, item.order) == ("bob", 1):
                    submit(study, rater, item.item, not_gradable="it moves")
                elif (rater, item.order) != ("cleo", 1):
                    submit(study, rater, item.item, confidence=4, comment=f"{SECRET} again")
        return load_study(study.folder)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAPARI_MMSEG_CACHE", str(tmp_path / "cache"))
