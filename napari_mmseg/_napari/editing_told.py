"""Refusals of the edit tools, told on the screen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import MmsegError


def say(sentence: str) -> None:
    """One sentence in napari's notifications."""
    from napari.utils.notifications import show_warning

    show_warning(sentence)


@contextmanager
def told() -> Iterator[None]:
    """A refusal inside becomes one sentence on the screen."""
    try:
        yield
    except MmsegError as refusal:
        say(str(refusal))
