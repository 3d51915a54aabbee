"""The keys that go through disagreements and settle them, declared once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .raters_palette import LETTERS

if TYPE_CHECKING:
    from napari.components import ViewerModel

NEXT_KEY = "Shift-N"
MAJORITY_KEY = "Shift-M"
PAINTED_KEY = "Shift-K"

#: Of the raters A, B, C and so on; those beyond have a button only. Function keys are the same on
#: all keyboards, and neither napari nor the tools for editing use them.
RATER_KEYS = tuple(f"F{number}" for number in range(1, 10))


def rater_key(letter: str) -> str:
    """The key that takes a rater's word; empty where there is none."""
    number = LETTERS.index(letter)
    return RATER_KEYS[number] if number < len(RATER_KEYS) else ""


def shown_key(key: str) -> str:
    """A key as tooltips have it, such as Shift+N."""
    return key.replace("-", "+")


class SettlingKeys:
    """Keys of the viewer that settle a disagreement, while `bind` is in force.

    Parameters
    ----------
    rater
        Called with the letter of the rater whose word is taken.
    majority, painted
        Called when the majority's word is taken, or what is painted.
    """

    def __init__(
        self,
        rater: Callable[[str], None],
        majority: Callable[[], None],
        painted: Callable[[], None],
    ) -> None:
        self._viewer: ViewerModel | None = None
        self._deeds: dict[str, Callable[[], None]] = {
            MAJORITY_KEY: majority,
            PAINTED_KEY: painted,
            **{rater_key(x): _with(rater, x) for x in LETTERS[: len(RATER_KEYS)]},
        }

    def bind(self, viewer: ViewerModel) -> None:
        self.release()
        self._viewer = viewer
        for key, deed in self._deeds.items():
            viewer.bind_key(key, _handler(deed), overwrite=True)

    def release(self) -> None:
        """Give the keys back."""
        if self._viewer is not None:
            for key in self._deeds:
                self._viewer.bind_key(key, None, overwrite=True)
        self._viewer = None


def _with(deed: Callable[[str], None], letter: str) -> Callable[[], None]:
    return lambda: deed(letter)


def _handler(deed: Callable[[], None]) -> Callable[[object], None]:
    return lambda _viewer: deed()
