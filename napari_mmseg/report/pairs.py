"""Which prediction belongs to which reference: two folders matched by the cases' names.

A case is a file (`BRATS_009.nii.gz`) or a folder with one label file in it, with or without the
case's images (`BraTS2021_01661/BraTS2021_01661_seg.nii.gz`). Endings such as `_seg`, `-seg` and
`_pred` are no part of a name, nor are capitals. Contents are not opened.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..io.image import quoted, stem_of, suffix_of
from ..io.names import Role, recognise_all
from ..io.sidecar import region_in
from ..volume import Modality

#: How many folders deep cases are looked for (a data set's folder, a grade's, a case's).
DEEPEST = 3

#: Folders of images alone in the layouts of the Decathlon and nnU-Net.
_IMAGE_FOLDERS = frozenset({"images", "imagestr", "imagests"})

_LABEL_WORDS = (
    "segmentations?|segm?s?|labelmap|labels?|masks?|ground[-_. ]?truths?|truth|gt|"
    "predictions?|predicted|preds?|annotations?|outputs?|results?"
)
_NAME = re.compile(rf"(.*?)(?:(?:^|[-_. ]+)(?:{_LABEL_WORDS}))*", re.IGNORECASE)


@dataclass(frozen=True)
class Pair:
    """One case's label files, under the name that the references give it."""

    name: str
    prediction: Path
    reference: Path


@dataclass(frozen=True)
class Pairing:
    """All cases of two folders.

    Parameters
    ----------
    pairs
        Cases that both have, by name.
    without_reference, without_prediction
        Names of the cases that only one has.
    notes
        Sentences about files that could not be told apart.
    """

    pairs: tuple[Pair, ...]
    without_reference: tuple[str, ...] = ()
    without_prediction: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def sentences(self) -> list[str]:
        """What was left out, for the user."""
        told = list(self.notes)
        for names, lacks in (
            (self.without_reference, "no reference"),
            (self.without_prediction, "no prediction"),
        ):
            if names:
                told.append(f"left out, as there is {lacks}: {', '.join(map(_in_quotes, names))}")
        return told


@dataclass(frozen=True)
class _Found:
    """A label file, the name of its case and, in a folder of its own, the file's."""

    path: Path
    name: str
    file_name: str = ""


def pair_folders(predictions: Path, references: Path) -> Pairing:
    """Match the label files of two folders.

    Raises
    ------
    InputError
        When a folder is missing or holds no label file, or no case is in both.
    """
    if predictions.resolve() == references.resolve():
        raise InputError(
            f"{quoted(predictions)} was named twice: name the predictions and the references"
        )
    notes: list[str] = []
    predicted = _labels_in(predictions, "predictions", notes)
    known = _labels_in(references, "references", notes)
    pairs: list[Pair] = []
    for p_name, r_name in (
        (_case_name, _case_name),
        (_case_name, _file_name),
        (_file_name, _case_name),
        (_file_name, _file_name),
    ):
        taken = _matched(predicted, known, p_name, r_name)
        pairs += [
            Pair(
                reference.name if r_name is _case_name else reference.file_name,
                own.path,
                reference.path,
            )
            for own, reference in taken
        ]
        predicted = [f for f in predicted if all(f is not own for own, _ in taken)]
        known = [f for f in known if all(f is not reference for _, reference in taken)]
    if not pairs:
        example = [_in_quotes(found[0].name) for found in (predicted, known) if found]
        raise InputError(
            f"no case of {quoted(predictions)} is named as one of {quoted(references)}"
            f"{' (' + ' and '.join(example) + ')' if example else ''}: give both the same names"
        )
    return Pairing(
        tuple(sorted(pairs, key=lambda pair: pair.name)),
        tuple(found.name for found in predicted),
        tuple(found.name for found in known),
        tuple(notes),
    )


def bare_name(stem: str) -> str:
    """A file's name without its format and without words that only say that it holds labels."""
    match = _NAME.fullmatch(stem)
    return match.group(1) if match else stem


def _matched(
    predicted: Iterable[_Found],
    known: Iterable[_Found],
    p_name: Callable[[_Found], str],
    r_name: Callable[[_Found], str],
) -> list[tuple[_Found, _Found]]:
    """The cases whose names are equal, where each is there once."""
    ours, theirs = _by_name(predicted, p_name), _by_name(known, r_name)
    return [
        (ours[name][0], theirs[name][0])
        for name in ours
        if name and len(ours[name]) == len(theirs.get(name, ())) == 1
    ]


def _labels_in(folder: Path, role: str, notes: list[str]) -> list[_Found]:
    """The label files of a folder; those of equal names are left out with a sentence."""
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "is not there"
        raise InputError(f"the folder {quoted(folder)} of the {role} {what}: check its name")
    found = _search(folder, 0, notes)
    if not found:
        raise InputError(
            f"the folder {quoted(folder)} holds no label file: {role} are NIfTI, NRRD or MHA "
            "files, one a case or in one folder a case"
        )
    kept: list[_Found] = []
    for same in _by_name(found, _case_name).values():
        if len(same) == 1:
            kept += same
        else:
            files = ", ".join(quoted(f.path) for f in same)
            notes.append(
                f"left out, as {len(same)} files of the {role} have one case's name: {files}"
            )
    return kept


def _search(folder: Path, depth: int, notes: list[str]) -> list[_Found]:
    try:
        entries = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    except OSError as error:
        raise InputError(f"the folder {quoted(folder)} cannot be read: {error.strerror}") from error
    files = [p for p in entries if suffix_of(p) and p.is_file() and region_in(p) is None]
    found = _told_apart(folder, files, depth, notes)
    if depth < DEEPEST:
        for below in entries:
            if below.is_dir() and below.name.lower() not in _IMAGE_FOLDERS:
                found += _search(below, depth + 1, notes)
    return found


def _told_apart(folder: Path, files: list[Path], depth: int, notes: list[str]) -> list[_Found]:
    """The label files of one folder: the case's, or one a case."""
    roles = recognise_all([stem_of(f) for f in files])
    contrasts = [role for role in roles if isinstance(role, Modality)]
    wanted = (Role.LABEL,) if contrasts else (Role.LABEL, Role.UNKNOWN)
    labels = [f for f, role in zip(files, roles, strict=True) if role in wanted]
    one_case = bool(contrasts) and len(set(contrasts)) == len(contrasts)
    if depth and len(labels) > 1 and one_case:
        listed = ", ".join(quoted(f) for f in labels)
        notes.append(f"left out, as {quoted(folder)} holds {len(labels)} label files: {listed}")
        return []
    own = [bare_name(stem_of(f)) for f in labels]
    if depth and len(labels) == 1:
        return [_Found(labels[0], folder.name, own[0])]
    return [_Found(f, name or folder.name) for f, name in zip(labels, own, strict=True)]


def _case_name(found: _Found) -> str:
    return (bare_name(found.name) or found.name).casefold()


def _file_name(found: _Found) -> str:
    return found.file_name.casefold()


def _by_name(found: Iterable[_Found], name: Callable[[_Found], str]) -> dict[str, list[_Found]]:
    groups: dict[str, list[_Found]] = defaultdict(list)
    for one in found:
        groups[name(one)].append(one)
    return groups


def _in_quotes(name: str) -> str:
    return f'"{name}"'
