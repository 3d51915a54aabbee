"""Write a study's finished readings as a dataset: into a folder aside, renamed when it is whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..agreement.consensus import Method, consensus
from ..annotation import Annotation
from ..case import Case
from ..errors import ExportError, InputError, MmsegError
from ..io import export, open_case, write_volume
from ..io.sidecar import without_names
from ..report.raters_source import is_usable, report_on_study
from ..study import Reading, load_annotation
from .aside import written_aside
from .layouts import Images, Layout
from .papers import image_papers, papers

if TYPE_CHECKING:
    from ..study import Study

NO_IMAGES = Images()

_END = ".nii.gz"

#: The encodings that a layout's readers expect, where the protocol has them.
_ENCODING = {"bids": "depth", "brats": "brats2023"}


@dataclass(frozen=True)
class DatasetReceipt:
    """What was written.

    Parameters
    ----------
    folder
        The dataset.
    cases
        As they are called in it.
    labels
        How many label files, consensus included.
    skipped
        A sentence for each case or reading that is not in it.
    """

    folder: Path
    cases: tuple[str, ...]
    labels: int
    skipped: dict[str, str]


def export_study(
    study: Study,
    out: Path,
    layout: Layout,
    *,
    method: Method = "majority",
    images: Images = NO_IMAGES,
    drafts: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> DatasetReceipt:
    """Write consensus, soft consensus, all raters' labels, agreement and a datasheet.

    Names are those of the study; free text of headers is cleared, raters' comments and hashes of
    the original images stay behind, since either may lead to a patient.

    Parameters
    ----------
    out
        A folder that is not there yet.
    images
        `Images(True)` writes the images too: as they are, faces included.
    drafts
        Readings that were begun count too.

    Raises
    ------
    InputError
        When nothing is finished, or names do not fit the layout.
    ExportError
        When the folder is there or cannot be written; then nothing is left of it.
    """
    _check(out)
    layout.check(study.cases, study.raters)
    report = report_on_study(study, drafts=drafts, progress=progress)
    readings = [r for r in study.readings() if is_usable(r, drafts=drafts)]
    skipped = dict(report.skipped)
    encoding = _encoding(study, layout)
    labels, cases, written = 0, [], set[str]()
    try:
        with written_aside(out) as aside:
            for case in [measured.name for measured in report.cases]:
                progress(case)
                opened = _opened(study, case, skipped)
                own = _annotations([r for r in readings if r.case == case], opened, skipped)
                labels += _write_case(aside, layout, case, own, method, encoding)
                if images.written and opened is not None:
                    written |= _write_images(aside, layout, case, opened)
                cases.append(layout.case(case))
            texts = papers(study, report, layout, method, images.written, encoding)
            for name, text in (texts | image_papers(layout, images, written)).items():
                (aside / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ExportError(
            f'the dataset "{out.name}" was not written: {error.strerror or error}, choose another '
            "folder"
        ) from error
    return DatasetReceipt(out, tuple(cases), labels, skipped)


def _check(out: Path) -> None:
    if out.exists():
        raise ExportError(f'"{out.name}" is there already: name a new folder')
    if not out.parent.is_dir():
        raise ExportError(
            f'"{out.name}" cannot be made: its folder "{out.parent.name}" does not exist, create '
            "it first"
        )


def _encoding(study: Study, layout: Layout) -> str:
    wanted = _ENCODING[layout.name]
    return wanted if wanted in study.protocol.encodings else study.protocol.default_encoding


def _opened(study: Study, case: str, skipped: dict[str, str]) -> Case | None:
    """The case's images, whose file space the labels then go back to."""
    try:
        return open_case(study.case_path(case))
    except MmsegError as error:
        skipped[f"{case}, images"] = without_names(str(error))
        return None


def _annotations(
    readings: list[Reading], case: Case | None, skipped: dict[str, str]
) -> dict[tuple[str, int], Annotation]:
    """By rater and repeat, those that can be read."""
    found = {}
    for reading in readings:
        try:
            annotation = load_annotation(reading, case)
        except InputError as error:
            skipped.setdefault(f"{reading.case}, {reading.rater}", without_names(str(error)))
            continue
        told = replace(annotation.provenance, inputs={})
        found[reading.rater, reading.repeat] = replace(annotation, provenance=told, file_codes=None)
    return found


def _write_case(
    folder: Path,
    layout: Layout,
    case: str,
    annotations: dict[tuple[str, int], Annotation],
    method: Method,
    encoding: str,
) -> int:
    """The labels of one case; returns how many files of labels."""
    firsts = {rater: a for (rater, repeat), a in annotations.items() if repeat == 0}
    written = 0
    for (rater, repeat), annotation in annotations.items():
        target = _target(folder, layout.rater(case, rater, repeat))
        export(annotation, target, encoding=encoding)
        written += 1
    if firsts:
        fused = consensus(firsts, method)
        export(fused.annotation, _target(folder, layout.consensus(case)), encoding=encoding)
        for region, soft in fused.soft.items():
            write_volume(soft, _target(folder, layout.soft(case, region)), fused.annotation.source)
        written += 1
    return written


def _write_images(folder: Path, layout: Layout, case: str, opened: Case) -> set[str]:
    """The images of one case; returns their names, without ends."""
    names = {modality: layout.image(case, modality) for modality in opened.volumes}
    for modality, volume in opened.volumes.items():
        write_volume(volume, _target(folder, names[modality]))
    return {name.name for name in names.values()}


def _target(folder: Path, name: object) -> Path:
    path = folder / f"{name}{_END}"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
