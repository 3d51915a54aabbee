"""What the combo boxes of "which file is which" offer: for a case, or for files that are none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...case import Case
from ...volume import Modality

#: A file, or one channel of a file with several.
Source = Path | tuple[Path, int]


def choices(case: Case) -> tuple[dict[str, Any], dict[Modality, Any]]:
    """Files and channels that could be a contrast, by the text shown; and what each is now."""
    now: dict[Modality, Any] = {}
    offered: dict[str, Any] = {}
    for modality, volume in case.volumes.items():
        if volume.path is None:
            continue
        now[modality] = _source(volume.path, volume.notes.get("channel"))
    labels = {label.path for label in case.labels}
    for path in _candidates(case):
        if path in labels:
            continue
        channels = _channels(path, now)
        if channels:
            for channel in range(channels):
                offered[f"{path.name}, channel {channel}"] = (path, channel)
        else:
            offered[path.name] = path
    return offered, now


def choices_among(
    paths: Sequence[Path],
) -> tuple[dict[str, Any], dict[Modality, Any], list[Path]]:
    """The same for files or a folder that no case was made of, and the label files among them.

    Chosen are contrasts that one file only is named as; what is unclear is left to the user.
    """
    from ...io.channels import channel_count
    from ...io.image import stem_of
    from ...io.names import Role, recognise_all

    files = [file for path in paths for file in (_images_in(path) if path.is_dir() else [path])]
    roles = recognise_all([stem_of(file) for file in files])
    offered: dict[str, Any] = {}
    named: dict[Modality, list[Any]] = {}
    for file, role in zip(files, roles, strict=True):
        if role is Role.LABEL:
            continue
        text = file.name if file.name not in offered else f"{file.parent.name}/{file.name}"
        channels = channel_count(file)
        if channels > 1:
            for channel in range(channels):
                offered[f"{text}, channel {channel}"] = (file, channel)
        else:
            offered[text] = file
            if isinstance(role, Modality):
                named.setdefault(role, []).append(file)
    now = {modality: found[0] for modality, found in named.items() if len(found) == 1}
    return offered, now, [f for f, r in zip(files, roles, strict=True) if r is Role.LABEL]


def _source(path: Path, channel: str | None) -> Source:
    return path if channel is None else (path, int(channel))


def _candidates(case: Case) -> list[Path]:
    used = [v.path for v in case.volumes.values() if v.path is not None]
    folders = dict.fromkeys(path.parent for path in used)
    beside = [file for folder in folders for file in _images_in(folder, below=False)]
    return list(dict.fromkeys([*beside, *used]))


def _images_in(folder: Path, below: bool = True) -> list[Path]:
    """Image files of a folder, by name; where it has none, those of the folders in it."""
    from ...io.image import suffix_of

    try:
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        files = [path for path in entries if path.is_file() and suffix_of(path) is not None]
        folders = [path for path in entries if path.is_dir()] if below and not files else []
    except OSError:  # nobody may look: nothing to offer
        return []
    return files + [file for sub in folders for file in _images_in(sub, below=False)]


def _channels(path: Path, now: dict[Modality, Any]) -> int:
    """How many channels a file has, as far as the case knows; 0 for a plain volume."""
    known = [s[1] for s in now.values() if isinstance(s, tuple) and s[0] == path]
    return max(known) + 1 if known else 0
