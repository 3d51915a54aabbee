"""Questions that stop the user, asked as seldom as possible."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QWidget

_IMAGES = "Images (*.nii *.nii.gz *.nrrd *.mha)"


class Unsaved(Enum):
    """What to do with changes that were not exported."""

    SAVE = "save"
    DISCARD = "discard"
    CANCEL = "cancel"


def ask_unsaved(parent: QWidget | None, before: str, file_name: str, kept: str = "") -> Unsaved:
    """Ask what to do with unsaved corrections; `before` says what would lose them, `file_name`
    where saving puts them, `kept` whether a work file has them.
    """
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle("Unsaved segmentation")
    box.setText(f"The segmentation has changes that were not exported. Export them {before}?")
    box.setInformativeText(f"Save writes {file_name}, as the Export section says. {kept}".strip())
    button = QMessageBox.StandardButton
    box.setStandardButtons(button.Save | button.Discard | button.Cancel)
    box.setDefaultButton(button.Save)
    answer = box.exec()
    if answer == button.Save:
        return Unsaved.SAVE
    return Unsaved.DISCARD if answer == button.Discard else Unsaved.CANCEL


def ask_encoding(
    parent: QWidget | None, file_name: str, choices: Sequence[tuple[str, str]]
) -> str | None:
    """Ask which encoding a label file has; choices are (title, name). None when cancelled."""
    titles = [title for title, _ in choices]
    title, agreed = QInputDialog.getItem(
        parent,
        "What do the numbers mean?",
        f"The label file {file_name} can be read in more than one way.\n"
        "Choose the encoding that it was made with:",
        titles,
        0,
        False,
    )
    return dict(choices)[title] if agreed else None


def ask_label(parent: QWidget | None, names: Sequence[str]) -> str | None:
    """Ask which of several label files to open. None when cancelled."""
    name, agreed = QInputDialog.getItem(
        parent, "Which segmentation?", "Label files found beside the images:", names, 0, False
    )
    return name if agreed else None


def ask_folder(parent: QWidget | None) -> Path | None:
    chosen = QFileDialog.getExistingDirectory(parent, "Open one patient's scans")
    return Path(chosen) if chosen else None


def ask_files(parent: QWidget | None) -> list[Path]:
    chosen, _ = QFileDialog.getOpenFileNames(parent, "Open one patient's scans", "", _IMAGES)
    return [Path(name) for name in chosen]


def ask_label_file(parent: QWidget | None, start: Path | None) -> Path | None:
    title = "Open a segmentation of this case"
    chosen, _ = QFileDialog.getOpenFileName(parent, title, str(start or ""), _IMAGES)
    return Path(chosen) if chosen else None
