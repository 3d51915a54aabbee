"""What keys do while a case is open, declared once: key, tooltip and help come from here.

Keys are those that neither napari nor the edit tools use; napari binds none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..protocol import Protocol
from .editing_actions import all_actions

if TYPE_CHECKING:
    from napari.components import ViewerModel


@dataclass(frozen=True)
class Action:
    """A thing to do with the view; `key` is in napari's notation."""

    name: str
    title: str
    key: str


ACTIONS: tuple[Action, ...] = (
    Action("next_modality", "Show the next contrast", "."),
    Action("previous_modality", "Show the previous contrast", ","),
    Action("toggle_labels", "Show or hide the segmentation", "H"),
    Action("toggle_outline", "Outline or fill", "Shift-H"),
    Action("jump", "Go to the largest cross-section of the region in hand", "J"),
    Action("axial", "Axial plane", "Control-1"),
    Action("coronal", "Coronal plane", "Control-2"),
    Action("sagittal", "Sagittal plane", "Control-3"),
)

BY_NAME: Mapping[str, Action] = {action.name: action for action in ACTIONS}


def hint(name: str) -> str:
    """Tooltip with the key that does the same, such as `Axial plane (Ctrl+1)`."""
    action = BY_NAME[name]
    key = action.key.replace("Control", "Ctrl").replace("-", "+")
    return f"{action.title} ({key})"


def help_text(protocol: Protocol) -> str:
    """What the status bar says while labels are edited: the keys used most."""
    regions = "/".join(region.key for region in protocol.regions)
    edit = {action.title: action.key for action in all_actions(protocol)}
    parts = (
        f"{regions} region",
        f"{edit['Brush']} brush",
        f"{edit['Add or erase']} add/erase",
        f"{BY_NAME['next_modality'].key} next contrast",
        f"{BY_NAME['toggle_labels'].key} hide labels",
        f"{BY_NAME['jump'].key} largest section",
    )
    return "    ".join(parts)


def bind(viewer: ViewerModel, handlers: Mapping[str, Callable[[], None]]) -> None:
    """Bind every action's key on this viewer; `handlers` has one function an action."""
    for action in ACTIONS:
        viewer.bind_key(action.key, _handler(handlers[action.name], action.title), overwrite=True)


def unbind(viewer: ViewerModel) -> None:
    for action in ACTIONS:
        viewer.bind_key(action.key, None, overwrite=True)


def _handler(function: Callable[[], None], title: str) -> Callable[[object], None]:
    def run(_viewer: object) -> None:
        function()

    run.__doc__ = title
    return run
