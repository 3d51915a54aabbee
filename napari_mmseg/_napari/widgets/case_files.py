"""What the combo boxes of "which file is which" offer for a case."""

from __future__ import annotations

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


def _source(path: Path, channel: str | None) -> Source:
    return path if channel is None else (path, int(channel))


def _candidates(case: Case) -> list[Path]:
    from ...io.image import suffix_of

    used = [v.path for v in case.volumes.values() if v.path is not None]
    folders = dict.fromkeys(path.parent for path in used)
    beside = [
        file
        for folder in folders
        for file in sorted(folder.iterdir())
        if file.is_file() and suffix_of(file) is not None
    ]
    return list(dict.fromkeys([*beside, *used]))


def _channels(path: Path, now: dict[Modality, Any]) -> int:
    """How many channels a file has, as far as the case knows; 0 for a plain volume."""
    known = [s[1] for s in now.values() if isinstance(s, tuple) and s[0] == path]
    return max(known) + 1 if known else 0
