"""Which tool is in the hand."""

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
    ADAPTIVE = "adaptive"
    RESTORE = "restore"
    SCRIBBLE = "scribble"
    LASSO = "lasso"


#: Tools that are drawn with a round cursor: to napari all of them are its brush.
ROUND_TOOLS = (Tool.BRUSH, Tool.ADAPTIVE, Tool.RESTORE, Tool.SCRIBBLE)

#: Tools that only know the shown plane.
FLAT_TOOLS = (Tool.POLYGON, Tool.LASSO)

#: Tools that look at the images.
LOOKING_TOOLS = (Tool.ADAPTIVE, Tool.LASSO)

#: Tools of which nobody can tell by looking what a press takes: it is outlined before.
HOVER_TOOLS = (Tool.ADAPTIVE, Tool.FILL)

#: In place of a contrast: look at all of them.
ALL_CONTRASTS = ""

_NAMES = {
    Tool.ADAPTIVE: "adaptive brush",
    Tool.RESTORE: "restore brush",
    Tool.LASSO: "magnetic lasso",
}


@dataclass(frozen=True)
class EditTool:
    """The tool in the hand.

    `exact` edits exactly the region's own compartment instead of the nested region; `diameter`
    is in mm; `in_3d` makes the brush a ball and the fill a volume; `looks_at` is the contrast
    whose edges count (a modality's name), or all of them.
    """

    region: str
    tool: Tool = Tool.NAVIGATE
    erase: bool = False
    exact: bool = False
    diameter: float = FIRST_BRUSH_MM
    in_3d: bool = False
    looks_at: str = ALL_CONTRASTS

    def mode(self, other: bool = False) -> Mode:
        """What a stroke does; `other` swaps adding and erasing, as holding Shift does."""
        if self.erase != other:
            return Mode.UNSET if self.exact else Mode.ERASE
        return Mode.SET if self.exact else Mode.PAINT

    def label(self, mode: Mode, protocol: Protocol) -> str:
        """What undo says that it takes back, such as "brush: add TC"."""
        name = _NAMES.get(self.tool, str(self.tool))
        if self.tool is Tool.RESTORE:
            everything = mode in (Mode.ERASE, Mode.UNSET)
            return f"{name}: {'all regions' if everything else self.region} as proposed"
        what = protocol[self.region].compartment if self.exact else self.region
        verb = "add" if mode in (Mode.PAINT, Mode.SET) else "erase"
        return f"{name}: {verb} {what}"
