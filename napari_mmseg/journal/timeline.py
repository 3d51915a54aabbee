"""An annotation at every step of its history, one at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .replay import Entry, Work, apply_entry, take_back_entry


class Timeline:
    """Codes and proposal after so many acts of a work file.

    Two volumes are held and taken to where they are wanted, forwards or backwards, act by act:
    memory does not grow with the number of acts, a move costs as much as the acts in between
    (some 0.1 ms each).

    Attributes
    ----------
    codes, proposal
        uint8, axes (I, P, L): as they are at `position`.
    position
        How many acts were done: 0 is the beginning.
    """

    def __init__(self, work: Work) -> None:
        self._entries = work.entries
        self.codes, self.proposal = work.first_volumes()
        self.position = 0

    def __len__(self) -> int:
        """Positions, the beginning included."""
        return len(self._entries) + 1

    def go_to(self, position: int) -> None:
        """Take codes and proposal to a position.

        Raises
        ------
        IndexError
            When there is no such position.
        """
        if not 0 <= position < len(self):
            raise IndexError(f"the history has {len(self)} positions, not {position}")
        while self.position < position:
            apply_entry(self._entries[self.position], self.codes, self.proposal)
            self.position += 1
        while self.position > position:
            self.position -= 1
            take_back_entry(self._entries[self.position], self.codes, self.proposal)

    def entry(self, position: int) -> Entry | None:
        """The act that led to a position; None for the beginning."""
        return self._entries[position - 1] if position else None


class Film:
    """A timeline as an array with axes (position, I, P, L), of which only parts are ever made.

    What `napari` and other programs ask of an array: `shape`, `dtype`, `ndim`, and indices that
    are integers, slices or an ellipsis.
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(self, timeline: Timeline, proposal: bool = False) -> None:
        self._timeline, self._of_proposal = timeline, proposal
        self.shape = (len(timeline), *timeline.codes.shape)
        self.size = int(np.prod(self.shape))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> NDArray[np.uint8]:
        first, *rest = _spread(key if isinstance(key, tuple) else (key,))
        if not isinstance(first, slice):
            position = int(first)
            return self._at(position + len(self) if position < 0 else position, rest)
        parts = [self._at(position, rest) for position in range(*first.indices(len(self)))]
        if parts:
            return np.stack(parts)
        return np.zeros((0, *np.shape(self._timeline.codes[tuple(rest)])), np.uint8)

    def _at(self, position: int, where: list[Any]) -> NDArray[np.uint8]:
        self._timeline.go_to(position)
        volume = self._timeline.proposal if self._of_proposal else self._timeline.codes
        return np.array(volume[tuple(where)])


def _spread(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """An index for each of the four axes."""
    at = next((i for i, part in enumerate(key) if part is Ellipsis), len(key))
    before, after = key[:at], key[at + 1 :]
    return (*before, *[slice(None)] * (4 - len(before) - len(after)), *after)
