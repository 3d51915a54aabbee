"""Which tool is in the hand, and every action of the edit panel, declared once as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..editing.stroke import Mode
from ..protocol import Protocol

#: Brush diameters that the panel offers (mm).
SMALLEST_BRUSH_MM = 0.5
LARGEST_BRUSH_MM = 60.0
FIRST_BRUSH_MM = 8.0

#: What a key press adds to the brush's diameter (mm).
BRUSH_STEP_MM = 1.0


class Tool(StrEnum):
    """What the left mouse button does in the image."""

    NAVIGATE = "navigate"
    BRUSH = "brush"
    POLYGON = "polygon"
    FILL = "fill"


@dataclass(frozen=True)
class EditTool:
    """The tool in the hand.

    `exact` edits exactly the region's own compartment instead of the nested region; `diameter`
    is in mm; `in_3d` makes the brush a ball and the fill a volume.
    """

    region: str
    tool: Tool = Tool.NAVIGATE
    erase: bool = False
    exact: bool = False
    diameter: float = FIRST_BRUSH_MM
    in_3d: bool = False

    def mode(self, other: bool = False) -> Mode:
        """What a stroke does; `other` swaps adding and erasing, as holding Shift does."""
        if self.erase != other:
            return Mode.UNSET if self.exact else Mode.ERASE
        return Mode.SET if self.exact else Mode.PAINT

    def label(self, mode: Mode, protocol: Protocol) -> str:
        """What undo says that it takes back, such as "brush: add TC"."""
        what = protocol[self.region].compartment if self.exact else self.region
        verb = "add" if mode in (Mode.PAINT, Mode.SET) else "erase"
        return f"{self.tool}: {verb} {what}"


@dataclass(frozen=True)
class EditAction:
    """A command with its key (napari's notation, empty for none) and what its tooltip says.

    `name` is what the controller runs; `argument` goes with it. A `native` key is one that napari
    itself binds for all Labels layers: it changes the layer's mode, which the tool follows.
    """

    name: str
    title: str
    tooltip: str
    key: str = ""
    argument: str = ""
    native: bool = False

    @property
    def hint(self) -> str:
        """The tooltip with the key that does the same."""
        return (
            f"{self.tooltip} ({self.key.replace('Control', 'Ctrl')})" if self.key else self.tooltip
        )


TOOL_ACTIONS: tuple[EditAction, ...] = (
    EditAction("tool", "Navigate", "Drag moves the image", "Z", Tool.NAVIGATE, True),
    EditAction(
        "tool",
        "Brush",
        "Drag paints; hold Shift to erase, middle button picks the region, "
        "right button draws round an area and fills it",
        "P",
        Tool.BRUSH,
        True,
    ),
    EditAction(
        "tool",
        "Polygon",
        "Click the corners, double click or Enter to fill, Escape to start again",
        "G",
        Tool.POLYGON,
    ),
    EditAction(
        "tool", "Fill", "Click an area to fill it as far as it is one colour", "F", Tool.FILL, True
    ),
)

COMMON_ACTIONS: tuple[EditAction, ...] = (
    EditAction("toggle_erase", "Add or erase", "Switch between adding and erasing", "X"),
    EditAction("toggle_exact", "Exactly one compartment", "Switch the exact mode", "C"),
    EditAction("toggle_3d", "3D", "Switch between plane and volume", "B"),
    EditAction("smaller", "Smaller brush", "Make the brush smaller", "["),
    EditAction("larger", "Larger brush", "Make the brush larger", "]"),
    EditAction("undo", "Undo", "Take back the last step", "Control-Z"),
    EditAction("redo", "Redo", "Do it again", "Control-Shift-Z"),
    EditAction("toggle_proposal", "Show proposal", "Outline what the model proposed", "O"),
)


def region_actions(protocol: Protocol) -> tuple[EditAction, ...]:
    """One action a region, on the region's own key."""
    return tuple(
        EditAction("region", r.name, f"Edit the {r.title}", r.key, r.name) for r in protocol.regions
    )


def all_actions(protocol: Protocol) -> tuple[EditAction, ...]:
    return (*region_actions(protocol), *TOOL_ACTIONS, *COMMON_ACTIONS)
