"""Which cases a folder of a data set holds: places only, no image is opened.

Known: a folder a case, at any depth (BraTS of any year, with HGG and LGG or not); a folder a
contrast within it (BraTS 2013 to 2015); and the Decathlon's imagesTr and labelsTr, one file with
channels a case.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from napari_mmseg.errors import InputError
from napari_mmseg.io.image import quoted, stem_of, suffix_of
from napari_mmseg.io.names import recognise, recognise_all, words_of
from napari_mmseg.volume import Modality

DEEPEST = 4  # folders below the one given
_DECATHLON_IMAGES, _DECATHLON_LABELS = "imagestr", "labelsTr"


@dataclass(frozen=True)
class Place:
    """Where a case lies: a folder, or a file with channels; `name` tells it from the others."""

    name: str
    path: Path


def find_places(root: Path) -> list[Place]:
    """The places in `root` that look like a case, by name.

    Raises
    ------
    InputError
        When it cannot be read, holds none, or is only a part of a data set.
    """
    root = root.absolute()
    found = sorted(_places(root, 0), key=lambda place: str(place.path))
    if not found:
        raise InputError(
            f"the folder {quoted(root)} holds no case: a folder a case with its contrasts and "
            "labels, or imagesTr and labelsTr, is needed"
        )
    if any(place.path.parent == root for place in found if place.path.is_file()) or any(
        place.path == root for place in found
    ):
        _refuse_part(root)
    names = [place.name for place in found]
    return [
        place
        if names.count(place.name) == 1
        else Place("/".join(place.path.relative_to(root).parts), place.path)
        for place in found
    ]


def leaves(place: Place, root: Path) -> Path | None:
    """The first of a case's files or folders that is a link out of `root`, if any."""
    inside = root.resolve()
    paths = [place.path]
    if place.path.is_dir():
        paths += sorted(place.path.rglob("*"))
    else:
        paths.append(place.path.parent.parent / _DECATHLON_LABELS / place.path.name)
    return next((p for p in paths if not p.resolve().is_relative_to(inside)), None)


def _refuse_part(root: Path) -> None:
    # The names of channels would be read from there, outside the folder that was given.
    if (root.parent / "dataset.json").is_file():
        raise InputError(
            f"the folder {quoted(root)} is a part of the data set above it: name the folder that "
            "holds dataset.json"
        )


def _places(folder: Path, depth: int) -> Iterator[Place]:
    files, folders = _entries(folder)
    if folder.name.lower() == _DECATHLON_IMAGES:
        yield from (Place(stem_of(file), file) for file in files)
        return
    if _contrasts(folder, files):
        yield Place(folder.name, folder)
        return
    below = [_contrasts(sub, _entries(sub)[0]) for sub in folders]
    together = set().union(*below)
    if len(together) > 1 and all(len(contrasts) <= 1 for contrasts in below):
        yield Place(folder.name, folder)  # a folder a contrast
        return
    if depth < DEEPEST:
        for sub in folders:
            yield from _places(sub, depth + 1)


def _entries(folder: Path) -> tuple[list[Path], list[Path]]:
    """Image files and folders, sorted; hidden ones are left out."""
    try:
        entries = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    except OSError as error:
        raise InputError(f"the folder {quoted(folder)} cannot be read: {error.strerror}") from error
    # A link to a folder may lead outside, or round in a circle: it is not followed.
    folders = [p for p in entries if p.is_dir() and not p.is_symlink()]
    return [p for p in entries if suffix_of(p) and not p.is_dir()], folders


def _contrasts(folder: Path, files: list[Path]) -> set[Modality]:
    roles = recognise_all([stem_of(file) for file in files])
    found = {role for role in roles if isinstance(role, Modality)}
    named = recognise(words_of(folder.name))
    if not found and files and isinstance(named, Modality):
        found = {named}
    return found
