"""The model's proposals that raters begin with: label files in the study's folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..annotation import Annotation
from ..case import Case
from ..errors import AmbiguousEncodingError, GeometryError, InputError

if TYPE_CHECKING:
    from .plan import CaseEntry
    from .study import Study

FOLDER = "proposals"


def load_proposal(study: Study, entry: CaseEntry, case: Case | None = None) -> Annotation:
    """What the model proposed for a case.

    Raises
    ------
    InputError
        When there is none, or it cannot be read or does not fit; the file is not named, since
        raters read this.
    """
    from ..io import read_annotation

    if not entry.proposal:
        raise InputError(
            "this reading begins with the model's proposal, which is not there yet: whoever runs "
            "the study makes it with napari-mmseg study propose"
        )
    try:
        found = read_annotation(
            study.folder / entry.proposal,
            protocol=study.protocol,
            encoding=entry.encoding or None,
            like=case,
        )
    except AmbiguousEncodingError as error:
        raise InputError(
            "the proposal of this reading does not say how it is encoded: whoever runs the study "
            "names its encoding in study.toml"
        ) from error
    except InputError as error:
        raise InputError(
            "the proposal of this reading cannot be read: tell whoever runs the study, "
            "napari-mmseg study check says why"
        ) from error
    if not found.grid.same_as(entry.grid):
        raise GeometryError(
            "the proposal of this reading lies on another grid than its images: tell whoever "
            "runs the study"
        )
    return found


def label_file_for(folder: Path, entry: CaseEntry) -> Path:
    """The label file in a folder that is named as a case: after its images, or its id.

    Raises
    ------
    InputError
        When there is none, or several.
    """
    from ..io.image import stem_of, suffix_of

    names = {entry.id, stem_of(Path(entry.path))}
    try:
        found = [f for f in folder.iterdir() if suffix_of(f) and stem_of(f) in names]
    except OSError as error:
        raise InputError(f'the folder "{folder.name}" cannot be read: {error.strerror}') from error
    if len(found) != 1:
        raise InputError(
            f'"{folder.name}" holds {len(found)} label files named as {entry.id} or the '
            "folder of its images: one is needed"
        )
    return found[0]
