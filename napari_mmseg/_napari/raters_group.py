"""The raters of one case that are looked at together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from psygnal import Signal

from ..annotation import Annotation
from ..errors import InputError
from .colours import RGBA
from .raters_palette import LETTERS, MOST_RATERS, rater_colour


@dataclass(frozen=True, eq=False)
class Rater:
    """One rater's labels, and how they are told from the others'.

    A letter and its colour stay with a rater when another one is taken out.
    """

    letter: str
    name: str
    colour: RGBA
    annotation: Annotation
    is_shown: bool = True


class RaterGroup:
    """Raters in the order in which they were opened; names and letters are unique.

    Signals
    -------
    members_changed
        A rater came or went.
    shown_changed
        Other raters are to be seen, of the same members.
    """

    members_changed = Signal()
    shown_changed = Signal()

    def __init__(self) -> None:
        self._raters: tuple[Rater, ...] = ()

    def __len__(self) -> int:
        return len(self._raters)

    def __iter__(self) -> Iterator[Rater]:
        return iter(self._raters)

    def __getitem__(self, letter: str) -> Rater:
        return next(rater for rater in self._raters if rater.letter == letter)

    @property
    def shown(self) -> list[Rater]:
        return [rater for rater in self._raters if rater.is_shown]

    @property
    def annotations(self) -> dict[str, Annotation]:
        """Every rater's labels by name, whether shown or not."""
        return {rater.name: rater.annotation for rater in self._raters}

    def add(self, found: list[tuple[str, Annotation]]) -> None:
        """Take in more raters; a name that is taken gets a number.

        Raises
        ------
        InputError
            When there are more than can be told apart, or one follows another protocol; then
            those before it are in.
        """
        try:
            for name, annotation in found:
                self._add(name, annotation)
        finally:
            self.members_changed.emit()

    def remove(self, letter: str) -> None:
        self._raters = tuple(rater for rater in self if rater.letter != letter)
        self.members_changed.emit()

    def clear(self) -> None:
        self._raters = ()
        self.members_changed.emit()

    def show(self, letter: str, shown: bool) -> None:
        others = {rater.letter for rater in self.shown} - {letter}
        self.show_only(others | {letter} if shown else others)

    def show_only(self, letters: set[str]) -> None:
        """Show these raters and no others."""
        self._raters = tuple(replace(r, is_shown=r.letter in letters) for r in self)
        self.shown_changed.emit()

    def _add(self, name: str, annotation: Annotation) -> None:
        if len(self) >= MOST_RATERS:
            raise InputError(
                f"{MOST_RATERS} raters can be told apart at once: take one out before {name}"
            )
        if self._raters and annotation.protocol.name != self._raters[0].annotation.protocol.name:
            raise InputError(
                f"{name} follows the protocol {annotation.protocol.name}, the raters before it "
                f"{self._raters[0].annotation.protocol.name}: their regions cannot be compared"
            )
        taken = {rater.letter for rater in self}
        number = next(n for n, letter in enumerate(LETTERS) if letter not in taken)
        rater = Rater(LETTERS[number], self._unique(name), rater_colour(number), annotation)
        self._raters = (*self._raters, rater)

    def _unique(self, name: str) -> str:
        names = {rater.name for rater in self}
        if name not in names:
            return name
        return next(new for n in range(2, 2 + len(names)) if (new := f"{name}-{n}") not in names)
