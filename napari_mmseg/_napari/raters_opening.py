"""Reads the label files of several raters, beside the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from qtpy.QtCore import QObject, Signal

from ..annotation import Annotation
from ..case import Case, LabelFile
from ..errors import AmbiguousEncodingError, MmsegError
from ..protocol import Protocol
from .task import Task

#: Asks which encoding files have: (the first one's name, how many, their choices) -> name or None.
AskAll = Callable[[str, int, Sequence[tuple[str, str]]], str | None]

Report = Callable[[str, float], None]


@dataclass(frozen=True, eq=False)
class Reading:
    """What came of reading label files.

    Parameters
    ----------
    raters
        Name (the file's, without its suffix) and labels.
    unclear
        Files that can be read in several ways, each with the encodings that it may have.
    refused
        A sentence about each file that cannot be used.
    """

    raters: tuple[tuple[str, Annotation], ...]
    unclear: tuple[tuple[LabelFile, tuple[str, ...]], ...] = ()
    refused: tuple[str, ...] = ()


class RaterOpener(QObject):
    """Reads label files in a thread of its own, and asks once for those that are unclear.

    Signals
    -------
    opened
        The raters that were read, [(name, annotation), ...].
    told
        What is being read; empty when that is over.
    refused
        Sentences about files that cannot be used.
    """

    opened = Signal(list)
    told = Signal(str)
    refused = Signal(str)

    def __init__(self, ask: AskAll, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ask = ask
        self._task: Task | None = None
        self._refusals: list[str] = []

    @property
    def is_running(self) -> bool:
        return self._task is not None and self._task.is_running

    def open(self, case: Case, protocol: Protocol, files: Sequence[LabelFile]) -> None:
        """Read files of a case; files that come while others are read are refused."""
        if self.is_running:
            self.refused.emit("Other raters are being read: wait a moment")
            return
        self.told.emit("Reading…")
        self._task = Task(lambda report, cancelled: read_raters(case, protocol, files, report))
        self._task.progressed.connect(lambda text, _: self.told.emit(text))
        self._task.finished.connect(lambda reading: self._take(case, protocol, reading))
        self._task.failed.connect(self._fail)
        self._task.start()

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _take(self, case: Case, protocol: Protocol, reading: Reading) -> None:
        self.told.emit("")
        if reading.raters:
            self.opened.emit(list(reading.raters))
        self._refusals += reading.refused
        if again := self._cleared(protocol, reading):
            self.open(case, protocol, again)
        elif self._refusals:
            self.refused.emit("\n".join(f"{s[:1].upper()}{s[1:]}." for s in self._refusals))
            self._refusals = []

    def _cleared(self, protocol: Protocol, reading: Reading) -> list[LabelFile]:
        """What is to be read once more: those that the user gave an encoding, and the others."""
        if not reading.unclear:
            return []
        first, choices = reading.unclear[0]
        alike = [label for label, others in reading.unclear if others == choices]
        titles = [(protocol.encoding(name).title, name) for name in _likely_first(choices, reading)]
        chosen = self._ask(first.path.name, len(alike), titles)
        again = [label for label, others in reading.unclear if others != choices]
        if chosen is not None:
            again = [replace(label, encoding=chosen) for label in alike] + again
        return again

    def _fail(self, sentence: str) -> None:
        self.told.emit("")
        self._refusals = []
        self.refused.emit(sentence)


def read_raters(
    case: Case, protocol: Protocol, files: Sequence[LabelFile], report: Report
) -> Reading:
    """Read each file under the protocol, on the case's grid; `report(text, share)` as it goes."""
    from ..io import read_annotation
    from ..io.image import stem_of

    raters: list[tuple[str, Annotation]] = []
    unclear: list[tuple[LabelFile, tuple[str, ...]]] = []
    refused: list[str] = []
    for number, label in enumerate(files):
        report(f"Reading {number + 1} of {len(files)}…", number / len(files))
        try:
            annotation = read_annotation(
                label.path, protocol=protocol, encoding=label.encoding, like=case
            )
        except AmbiguousEncodingError as error:
            unclear.append((label, error.choices))
        except MmsegError as error:
            refused.append(str(error))
        else:
            raters.append((stem_of(label.path), annotation))
    return Reading(tuple(raters), tuple(unclear), tuple(refused))


def _likely_first(choices: Sequence[str], reading: Reading) -> list[str]:
    """What the clear files among them were read in comes before the other choices."""
    files = [annotation.file_codes for _, annotation in reading.raters]
    clear = {codes.encoding for codes in files if codes is not None}
    return sorted(choices, key=lambda name: name not in clear)


def labels_in(paths: Sequence[Path]) -> list[LabelFile]:
    """The image files among `paths` and in folders among them, in order of their names."""
    from ..io.image import suffix_of

    found: list[Path] = []
    for path in paths:
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        found += [p for p in inside if p.is_file() and suffix_of(p) is not None]
    return [LabelFile(path) for path in dict.fromkeys(found)]
