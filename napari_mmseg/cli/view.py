"""`napari-mmseg view`: the viewer, with a case in it or empty."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import MmsegError
from .arguments import CasePaths, ModalityFiles, checked_encoding, open_from, read_labels

if TYPE_CHECKING:
    from ..annotation import Annotation
    from ..case import Case
    from ..study import Sitting


#: The Python packages that bring Qt; napari needs one of them.
QT_BINDINGS = ("PyQt6", "PySide6", "PyQt5", "PySide2")


def view(
    case: CasePaths = None,
    modality: ModalityFiles = None,
    annotation: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A label file to show and correct.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(metavar="ENC", help="How that label file is encoded.")
    ] = None,
    screenshot: Annotated[
        Path | None,
        typer.Option(metavar="PNG", help="Save a picture of the window there and close it."),
    ] = None,
) -> None:
    """Open a case in the viewer."""
    from ..protocol import load_protocol

    if annotation is not None and not case and not modality:
        raise typer.BadParameter("--annotation needs a CASE", param_hint="CASE")
    checked_encoding(load_protocol(), encoding, "--encoding")
    refuse_without_a_screen()
    opened = open_from(case, modality) if case or modality else None
    labels = (
        read_labels(annotation, encoding, "--encoding", like=opened)
        if annotation is not None
        else None
    )
    open_window(opened, labels, screenshot)


def open_window(
    case: Case | None,
    annotation: Annotation | None = None,
    screenshot: Path | None = None,
) -> None:
    """The napari window; returns when it is closed (or the picture is saved)."""
    refuse_without_a_screen()
    from .._napari.launch import view as launch

    launch(case, annotation=annotation, screenshot=screenshot)


def open_sitting(sitting: Sitting, screenshot: Path | None = None) -> None:
    """The napari window with a reading of a study; returns when it is closed."""
    refuse_without_a_screen()
    from .._napari.launch import view as launch

    launch(sitting=sitting, screenshot=screenshot)


def refuse_without_a_screen() -> None:
    """Say what is missing, where Qt would abort the whole process."""
    if not any(find_spec(binding) for binding in QT_BINDINGS):
        raise MmsegError('the viewer needs Qt: pip install "napari-mmseg[qt]"')
    named = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in named):
        raise MmsegError(
            "there is no screen here (DISPLAY is not set): start the viewer in a desktop session, "
            "or under xvfb-run for a screenshot; the other commands need no screen"
        )
