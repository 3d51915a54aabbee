"""Writes the annotation in hand, beside the window, and says what was checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject

from ..editing import EditSession
from ..errors import MmsegError
from .layers import case_paths
from .session import CaseSession
from .task import Task
from .widgets.export_box import ExportBox, ExportRequest

if TYPE_CHECKING:
    from ..annotation import Annotation
    from ..io import ExportReceipt


class Exporter(QObject):
    """Joins the Export section with the session of the open case."""

    def __init__(
        self,
        box: ExportBox,
        session: Callable[[], CaseSession | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._box = box
        self._session = session
        self._task: Task | None = None
        box.export_requested.connect(self.run)

    def run(self, request: ExportRequest) -> None:
        session = self._session()
        if session is None or (self._task is not None and self._task.is_running):
            return
        if (refusal := _refusal(session, request)) is not None:
            self._box.show_error(refusal)
            return
        edit = session.edit
        annotation, state = _signed(edit, request), edit.state
        self._task = Task(lambda report, cancelled: write(annotation, request))
        self._task.finished.connect(partial(self._show, request, edit, state))
        self._task.failed.connect(self._box.show_error)
        self._task.start()

    def run_now(self) -> bool:
        """Export every annotation with changes before going on; False when one cannot be written.

        Several annotations are written to numbered names.
        """
        session = self._session()
        if session is None:
            return True
        unsaved = [t for t in session.tracks if not t.edit.is_saved]
        for number, track in enumerate(unsaved):
            request = self._box.request
            if number:
                name = request.path.name
                stem, dot, rest = name.partition(".")
                request = replace(
                    request, path=request.path.with_name(f"{stem}-{number + 1}{dot}{rest}")
                )
            if (refusal := _refusal(session, request)) is not None:
                self._box.show_error(refusal)
                return False
            try:
                receipt = write(_signed(track.edit, request), request)
            except MmsegError as error:
                self._box.show_error(str(error))
                return False
            self._show(request, track.edit, track.edit.state, receipt)
        return True

    def _show(self, request: ExportRequest, edit: EditSession, state: int, receipt: Any) -> None:
        edit.mark_saved(state)
        self._box.show_result(summary(receipt))


def _refusal(session: CaseSession, request: ExportRequest) -> str | None:
    """Why a file may not be written over: it is an image of the open case."""
    images = {path.resolve() for path in case_paths(session.case)}
    if request.path.resolve() in images:
        return f'"{request.path.name}" is one of the images of this case: choose another name'
    return None


def write(annotation: Annotation, request: ExportRequest) -> ExportReceipt:
    from ..io import export

    return export(
        annotation, request.path, encoding=request.encoding, per_region=request.per_region
    )


def summary(receipt: ExportReceipt) -> str:
    """What was written, where, and what was verified, in a few lines."""
    names = ", ".join(path.name for path in receipt.files)
    lines = [
        f"Wrote {names} and {receipt.sidecar.name} to {receipt.files[0].parent}.",
        f"Read back and compared voxel by voxel on the source grid ({receipt.encoding}).",
    ]
    if receipt.backups:
        kept = ", ".join(path.name for path in receipt.backups)
        lines.append(f"What was there before is kept as {kept}.")
    lines += [f"{note[:1].upper()}{note[1:].rstrip('.')}." for note in receipt.notes]
    return "\n".join(lines)


def _signed(edit: EditSession, request: ExportRequest) -> Annotation:
    """What is written: by whom, and what it cost."""
    annotation = edit.annotation()
    return replace(
        annotation,
        author=request.author or annotation.author,
        provenance=replace(annotation.provenance, effort=edit.effort_told()),
    )
