"""What a stroke of the tool in the hand does, in words."""

from __future__ import annotations

from ..protocol import Protocol
from .editing_tool import EditTool, Tool

_HOW = {
    Tool.POLYGON: "Click the corners, double click to fill. ",
    Tool.LASSO: "Click along the outline, double click to close. ",
    Tool.FILL: "Click an area of one colour. ",
}


def sentence(tool: EditTool, protocol: Protocol) -> str:
    """How the tool is used where that is not plain, and what it does: "Adds to tumour core, keeps
    ET.".
    """
    if tool.tool is Tool.NAVIGATE:
        return "Drag moves the image. Choose a tool to edit."
    return _HOW.get(tool.tool, "") + _what(tool, protocol)


def _what(tool: EditTool, protocol: Protocol) -> str:
    region = protocol[tool.region]
    children = [r.name for r in protocol.regions if region in protocol.ancestors(r.name)]
    also = f" and {', '.join(children)}" if children else ""
    if tool.tool is Tool.RESTORE:
        return f"Brings {region.title} back to what was proposed; with Shift all regions."
    if tool.tool is Tool.SCRIBBLE:
        negation = "not " if tool.erase else ""
        return (
            f"Marks what is {negation}{region.title}; Refine then solves the region near it, "
            "looking at all contrasts."
        )
    if tool.exact:
        parent = protocol[region.parent].compartment if region.parent else "background"
        if tool.erase:
            return f"Turns {region.compartment} into {parent}."
        return f"Makes every voxel {region.compartment}."
    if tool.erase:
        return f"Erases {region.title}{also}."
    keeps = f", keeps {', '.join(children)}" if children else ""
    return f"Adds to {region.title}{keeps}."
