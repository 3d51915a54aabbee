"""What is in this folder: which file is which contrast, which are labels, which are left out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..volume import Modality
from .image import quoted, stem_of, suffix_of
from .names import Role, recognise, recognise_all, words_of

#: How far above an image its `dataset.json` may lie (imagesTr/ is one below it).
_DATASET_LEVELS = 2

#: Channels of Medical Segmentation Decathlon Task01 when no dataset.json tells.
MSD_CHANNELS = (Modality.FLAIR, Modality.T1, Modality.T1CE, Modality.T2)

_MSD_NAME = re.compile(r"brats_\d+", re.IGNORECASE)


@dataclass(frozen=True)
class Finding:
    """The files of one case, told apart by name; nothing was opened.

    Parameters
    ----------
    folder
        The folder that was looked into, or that holds the first file.
    images
        One file a contrast.
    labels
        Segmentations.
    unknown
        Images of no known contrast; one of them may be a file with channels.
    lost
        Sentences about what is named as an image but is no file that can be read.
    """

    folder: Path
    images: Mapping[Modality, Path]
    labels: tuple[Path, ...] = ()
    unknown: tuple[Path, ...] = ()
    lost: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Entries:
    """What lies in a folder: image files, folders, and sentences about images that are no files."""

    images: tuple[Path, ...] = ()
    folders: tuple[Path, ...] = ()
    lost: tuple[str, ...] = ()


def discover(
    paths: Sequence[Path], *, named: Iterable[Path] = (), chosen: Iterable[Modality] = ()
) -> Finding:
    """Tell the files of a case apart.

    Parameters
    ----------
    paths
        One folder, or files.
    named
        Files that the user has already given a contrast: not told apart here.
    chosen
        Contrasts that the user has given a file: other files that look like them are left out.

    Raises
    ------
    InputError
        When a path is missing, a folder holds no image or several cases, or two files look like
        one contrast.
    """
    taken = {p.resolve() for p in named}
    lost: tuple[str, ...] = ()
    if len(paths) == 1 and _is_folder(paths[0]):
        folder = paths[0]
        found = _images_in(folder)
        files, lost = list(found.images), found.lost
        if not files and not taken:
            why = "".join(f" ({sentence})" for sentence in lost[:1])
            raise InputError(
                f"the folder {quoted(folder)} holds no image{why}: NIfTI, NRRD or MHA files are "
                "needed"
            )
    else:
        for path in paths:
            if _is_folder(path):
                raise InputError(f"{quoted(path)} is a folder: open one folder, or files only")
        folder = paths[0].parent
        files = list({path.absolute(): path for path in paths}.values())  # named twice is one file
    files = [f for f in files if f.resolve() not in taken]
    chosen = set(chosen)
    images: dict[Modality, Path] = {}
    labels: list[Path] = []
    unknown: list[Path] = []
    for file, role in zip(files, _roles(folder, files), strict=True):
        if role is Role.LABEL:
            labels.append(file)
        elif isinstance(role, Role) or role in chosen:
            unknown.append(file)
        elif role in images:
            raise InputError(
                f"{quoted(images[role])} and {quoted(file)} both look like {role} in "
                f"{quoted(folder)}: name one with --modality {role}=FILE"
            )
        else:
            images[role] = file
    return Finding(folder, images, tuple(labels), tuple(unknown), lost)


def looks_like_case(paths: Sequence[str | Path]) -> bool:
    """Do these names belong to a case? Reads names only.

    True for a folder, or for files of the known formats, with at least one recognised contrast or
    a Decathlon file with channels; other images are left to other readers.
    """
    named = [Path(p) for p in paths]
    if not named:
        return False
    try:
        if len(named) > 1 or not _is_folder(named[0]):
            whole = all(suffix_of(p) and not _is_folder(p) and p.is_file() for p in named)
            return whole and _tells(named[0].parent, named)
        here = _entries(named[0])
        return _tells(named[0], here.images) or any(
            _tells(named[0], _entries(f).images) for f in here.folders
        )
    except InputError:
        return False


def _tells(folder: Path, files: Sequence[Path]) -> bool:
    """Is one of the files named as a contrast, or as the Decathlon's with channels?"""
    roles = _roles(folder, files)
    return any(
        isinstance(role, Modality) or (role is Role.UNKNOWN and is_msd_file(file))
        for role, file in zip(roles, files, strict=True)
    )


def is_msd_file(path: Path) -> bool:
    """Is it named, or does it lie, like a file of the Decathlon's brain tumour task?"""
    if _MSD_NAME.fullmatch(stem_of(path)):
        return True
    try:
        return channels_of(path) is not None
    except InputError:
        return False


def dataset_of(path: Path) -> dict[str, object] | None:
    """The `dataset.json` beside or above an image, if it names the channels of images."""
    for folder in list(path.absolute().parents)[:_DATASET_LEVELS]:
        file = folder / "dataset.json"
        if file.is_file():
            try:
                data = json.loads(file.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                return None
            if isinstance(data, dict) and isinstance(_channel_table(data), dict):
                return data
    return None


def channels_of(path: Path) -> tuple[Modality, ...] | None:
    """Contrasts by channel from `dataset.json`; None when there is none.

    Raises
    ------
    InputError
        When it names other channels.
    """
    data = dataset_of(path)
    if data is None:
        return None
    table = _channel_table(data)
    assert isinstance(table, dict)
    names = [str(table[k]) for k in sorted(table, key=str)]
    roles = [recognise(words_of(name)) for name in names]
    contrasts = tuple(m for m in roles if isinstance(m, Modality))
    if len(set(contrasts)) != len(names):
        raise InputError(
            f"the dataset.json of {quoted(path)} names the channels {', '.join(names)}: say which "
            f"is which contrast with --modality, such as --modality FLAIR={path.name}:0"
        )
    return contrasts


def _channel_table(data: dict[str, object]) -> object:
    return data.get("modality") or data.get("channel_names")


def _is_folder(path: Path) -> bool:
    """Is it a folder, rather than a file?

    Raises
    ------
    InputError
        When there is neither, or nobody may look.
    """
    try:
        if path.is_dir():
            return True
        if path.exists():
            return False
    except OSError as error:
        raise InputError(
            f"{quoted(path)} cannot be opened ({error.strerror}): check its name and folder"
        ) from error
    raise InputError(f"there is no file or folder {quoted(path)}: check its name and folder")


def _images_in(folder: Path) -> _Entries:
    """Image files of a folder; where it has none with a contrast, those one folder below too."""
    here = _entries(folder)
    if any(isinstance(role, Modality) for role in _roles(folder, here.images)):
        return here
    below: list[Path] = []
    lost = list(here.lost)
    whole_cases = 0
    for sub in here.folders:
        found = _entries(sub)
        contrasts = {r for r in _roles(sub, found.images) if isinstance(r, Modality)}
        whole_cases += len(contrasts) > 1
        below += found.images
        lost += found.lost
    if whole_cases > 1:
        raise InputError(
            f"the folder {quoted(folder)} holds {whole_cases} cases: open one of the folders in it"
        )
    return _Entries((*here.images, *below), here.folders, tuple(lost))


def _entries(folder: Path) -> _Entries:
    """What lies in a folder, by name; hidden entries (and macOS's "._") left out.

    Raises
    ------
    InputError
        When it cannot be read.
    """
    try:
        entries = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    except OSError as error:
        raise InputError(f"the folder {quoted(folder)} cannot be read: {error.strerror}") from error
    images: list[Path] = []
    folders: list[Path] = []
    lost: list[str] = []
    for path in entries:
        try:
            is_folder, is_file = path.is_dir(), path.is_file()
        except OSError:  # nobody may look: what it leads to is not of this case
            is_folder = is_file = False
        if is_folder:
            folders.append(path)
        if is_file and suffix_of(path):
            images.append(path)
        elif suffix_of(path) and not is_folder:  # unpacking makes folders named as their archives
            why = "a link that leads nowhere" if path.is_symlink() else "no file that can be read"
            lost.append(f"{quoted(path)} is {why}")
    return _Entries(tuple(images), tuple(folders), tuple(lost))


def _roles(folder: Path, files: Sequence[Path]) -> list[Modality | Role]:
    roles = recognise_all([stem_of(f) for f in files])
    for i, file in enumerate(files):
        if roles[i] is Role.UNKNOWN and file.parent != folder:  # one folder a contrast
            roles[i] = recognise(words_of(file.parent.name))
    return roles
