"""Label files of one case as raters: what several commands take and how they call them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .arguments import read_labels

if TYPE_CHECKING:
    from ..annotation import Annotation
    from ..protocol import Protocol

Labels = Annotated[
    list[Path],
    typer.Argument(
        metavar="A B [C ...]",
        help="Label files of one case, one of each rater.",
        show_default=False,
    ),
]
Anonymous = Annotated[
    bool, typer.Option("--anonymous", help="Write rater-1, rater-2, ... for the files' names.")
]


def read_raters(
    files: Sequence[Path], encoding: str | None, protocol: Protocol, anonymous: bool
) -> dict[str, Annotation]:
    """The annotations by rater, who is called by the file's name, or rater-1, rater-2, ..."""
    from ..io.image import stem_of

    check_once(files)
    if anonymous:
        names = [f"rater-{n}" for n in range(1, len(files) + 1)]
    else:
        names = distinct([stem_of(file) for file in files])
    return {
        name: read_labels(file, encoding, "--encoding", protocol=protocol)
        for name, file in zip(names, files, strict=True)
    }


def check_once(files: Sequence[Path]) -> None:
    """Refuse a file that is named twice: nobody agrees with themselves, or votes twice.

    Raises
    ------
    InputError
        When one is.
    """
    from ..errors import InputError

    for path, times in Counter(file.resolve() for file in files).items():
        if times > 1:
            raise InputError(f'"{path.name}" is named {times} times: name each rater\'s file once')


def distinct(names: Sequence[str]) -> list[str]:
    """The names, with -1, -2, ... behind those that come more than once."""
    counted = Counter(names)
    taken = set(names)
    found: list[str] = []
    for name in names:
        own, turn = name, 0
        while counted[name] > 1 and own in taken:
            turn += 1
            own = f"{name}-{turn}"
        taken.add(own)
        found.append(own)
    return found


def keep_labels(targets: Sequence[Path], files: Sequence[Path]) -> None:
    """Refuse to write over a rater's file or its sidecar, or two results to one place.

    Parameters
    ----------
    targets
        What is to be written; label files come with a sidecar beside them.

    Raises
    ------
    ExportError
        When a target is one of them, or is named twice.
    """
    from ..errors import ExportError

    theirs = {path for file in files for path in _with_sidecar(file)}
    written: set[Path] = set()
    for target in targets:
        own = _with_sidecar(target)
        if target.resolve() in theirs:
            raise ExportError(f'"{target.name}" is a rater\'s file: choose another name')
        if own & theirs:
            raise ExportError(
                f'the sidecar of "{target.name}" is that of a rater\'s file: choose another name'
            )
        if own & written:
            raise ExportError(
                f'"{target.name}" is to be written twice, with its sidecar: choose another name'
            )
        written |= own


def _with_sidecar(file: Path) -> set[Path]:
    from ..io.sidecar import sidecar_path

    return {file.resolve(), sidecar_path(file).resolve()}
