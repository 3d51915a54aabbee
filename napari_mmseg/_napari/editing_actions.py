"""Every action of the edit panel, declared once as data: key, title and what its tooltip says."""

from __future__ import annotations

from dataclasses import dataclass

from ..protocol import Protocol
from .editing_tool import Tool


@dataclass(frozen=True)
class EditAction:
    """A command with its key (napari's notation, empty for none) and what its tooltip says.

    `name` is what the controller runs; `argument` goes with it.
    """

    name: str
    title: str
    tooltip: str
    key: str = ""
    argument: str = ""

    @property
    def hint(self) -> str:
        """The tooltip with the key that does the same."""
        key = self.key.replace("Control", "Ctrl").replace("-", "+")
        return f"{self.tooltip} ({key})" if key else self.tooltip


TOOL_ACTIONS: tuple[EditAction, ...] = (
    EditAction("tool", "Navigate", "Drag moves the image", "Z", Tool.NAVIGATE),
    EditAction(
        "tool",
        "Brush",
        "Drag paints; hold Shift to erase, middle button picks the region, "
        "right button draws round an area and fills it",
        "P",
        Tool.BRUSH,
    ),
    EditAction(
        "tool",
        "Polygon",
        "Click the corners, double click or Enter to fill, Escape to start again",
        "G",
        Tool.POLYGON,
    ),
    EditAction(
        "tool", "Fill", "Click an area to fill it as far as it is one colour", "F", Tool.FILL
    ),
)

SMART_ACTIONS: tuple[EditAction, ...] = (
    EditAction(
        "tool",
        "Adaptive",
        "A brush that stops at the edges inside its circle; hold Shift to erase",
        "A",
        Tool.ADAPTIVE,
    ),
    EditAction(
        "tool",
        "Restore",
        "A brush that brings the region back to what was proposed; hold Shift for all regions",
        "R",
        Tool.RESTORE,
    ),
    EditAction(
        "tool",
        "Scribble",
        "Mark a little of what the region is, or with Shift (or Erase) of what it is not; "
        "then refine",
        "S",
        Tool.SCRIBBLE,
    ),
    EditAction(
        "tool",
        "Lasso",
        "Click along an outline, which follows the edges between; double click closes it, "
        "right click takes the last point away, Escape gives it up",
        "L",
        Tool.LASSO,
    ),
)

SCRIBBLE_ACTIONS: tuple[EditAction, ...] = (
    EditAction("refine", "Refine here", "Solve the region again near the scribbles", "Shift-S"),
    EditAction("clear_scribbles", "Clear", "Wipe the scribbles off", "Shift-C"),
)

SHAPE_ACTIONS: tuple[EditAction, ...] = (
    EditAction("shape", "Interpolate", "Fill in between drawn slices", "I", "interpolate"),
    EditAction(
        "carry",
        "Carry on",
        "Solve all regions between the slices corrected by hand, from the images",
        "Shift-I",
        "carry",
    ),
    EditAction("shape", "Copy previous", "Copy from the slice before", "D", "copy previous"),
    EditAction("shape", "Copy next", "Copy from the slice after", "Shift-D", "copy next"),
)

#: Commands whose amounts the Shape section has; `argument` names the command there.
SECTION_ACTIONS: tuple[EditAction, ...] = (
    EditAction("fill_holes", "Fill holes", "Fill what is enclosed", "Shift-F", "fill holes"),
    EditAction(
        "remove_islands",
        "Remove islands <",
        "Erase pieces smaller than this",
        "Shift-R",
        "remove islands",
    ),
    EditAction("grow", "Grow", "Grow on all sides by this", "Shift-G", "grow"),
    EditAction("shrink", "Shrink", "Shrink on all sides by this", "Alt-G", "shrink"),
    EditAction(
        "smooth", "Smooth", "Smooth the outline by this, keeping the volume", "Alt-M", "smooth"
    ),
    EditAction(
        "keep_between",
        "Keep only these",
        "Erase from the region what has other intensities",
        "Alt-K",
        "keep between",
    ),
    EditAction(
        "add_between",
        "Add these",
        "Add what has these intensities, from inside the parent region",
        "Alt-A",
        "add between",
    ),
)

PREVIEW_ACTION = EditAction(
    "preview_cut",
    "Show what would change",
    "While the intensities are set: magenta would be erased by Keep only these, "
    "green added by Add these",
    "Shift-T",
)

MIRROR_ACTION = EditAction(
    "mirror",
    "Outline mirrored to the other side",
    "Show the region's mirror image across the brain's midline, to compare the sides; "
    "it is an outline only and changes nothing",
    "Alt-O",
)

NEXT_ACTION = EditAction("next_place", "Next place", "Go to what is most worth a look", "N")

REMOVE_LESION_ACTION = EditAction(
    "remove_lesion", "Remove", "Erase the chosen lesion from the region in hand", "Delete"
)

KEEP_LESION_ACTION = EditAction(
    "keep_lesion", "Keep only", "Erase all other pieces of the region", "Shift-Delete"
)

ACCEPT_LESION_ACTION = EditAction(
    "accept_lesion", "Accept", "Tick the chosen lesion as looked at and right, or no longer", "Y"
)

COMMON_ACTIONS: tuple[EditAction, ...] = (
    EditAction("toggle_erase", "Add or erase", "Switch between adding and erasing", "X"),
    EditAction("toggle_exact", "Exactly one compartment", "Switch the exact mode", "C"),
    EditAction("toggle_3d", "3D", "Switch between plane and volume", "B"),
    EditAction("smaller", "Smaller brush", "Make the brush smaller", "["),
    EditAction("larger", "Larger brush", "Make the brush larger", "]"),
    EditAction("undo", "Undo", "Take back the last step", "Control-Z"),
    EditAction("redo", "Redo", "Do it again", "Control-Shift-Z"),
    EditAction("next_contrast", "Looks at", "Look at the next contrast's edges", "M"),
    EditAction("toggle_proposal", "Show proposal", "Outline what the model proposed", "O"),
    EditAction(
        "toggle_hover",
        "Outline what a press takes",
        "While the pointer rests, outline the voxels that a press would change: "
        "in the region's colour what it would add, in white what it would erase",
        "Shift-P",
    ),
)


def region_actions(protocol: Protocol) -> tuple[EditAction, ...]:
    """One action a region, on the region's own key."""
    return tuple(
        EditAction("region", r.name, f"Edit the {r.title}", r.key, r.name) for r in protocol.regions
    )


def relabel_actions(protocol: Protocol) -> tuple[EditAction, ...]:
    """One action a region: the chosen lesion becomes that region."""
    return tuple(
        EditAction(
            f"relabel_{r.name}", f"To {r.name}", f"Make it {r.title}", f"Alt-{r.key}", r.name
        )
        for r in protocol.regions
    )


def all_actions(protocol: Protocol) -> tuple[EditAction, ...]:
    return (
        *region_actions(protocol),
        *TOOL_ACTIONS,
        *SMART_ACTIONS,
        *SCRIBBLE_ACTIONS,
        *SHAPE_ACTIONS,
        NEXT_ACTION,
        REMOVE_LESION_ACTION,
        KEEP_LESION_ACTION,
        ACCEPT_LESION_ACTION,
        *relabel_actions(protocol),
        *SECTION_ACTIONS,
        PREVIEW_ACTION,
        MIRROR_ACTION,
        *COMMON_ACTIONS,
    )
