"""Questions about raters' files that stop the user."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QInputDialog, QWidget

_IMAGES = "Images (*.nii *.nii.gz *.nrrd *.mha)"


def ask_rater_files(parent: QWidget | None, start: Path | None) -> list[Path]:
    title = "Open several segmentations of this case"
    chosen, _ = QFileDialog.getOpenFileNames(parent, title, str(start or ""), _IMAGES)
    return [Path(name) for name in chosen]


def ask_rater_folder(parent: QWidget | None, start: Path | None) -> Path | None:
    title = "Open all segmentations in a folder"
    chosen = QFileDialog.getExistingDirectory(parent, title, str(start or ""))
    return Path(chosen) if chosen else None


def ask_encoding_of_all(
    parent: QWidget | None, name: str, count: int, choices: Sequence[tuple[str, str]]
) -> str | None:
    """Ask once for files that may all be read in the same ways; choices are (title, name)."""
    which = f"The label file {name}" if count == 1 else f"{name} and {count - 1} more label files"
    titles = [title for title, _ in choices]
    title, agreed = QInputDialog.getItem(
        parent,
        "What do the numbers mean?",
        f"{which} can be read in more than one way.\nChoose the encoding that they were made with:",
        titles,
        0,
        False,
    )
    return dict(choices)[title] if agreed else None
