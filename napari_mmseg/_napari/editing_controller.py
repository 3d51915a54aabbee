"""Joins an edit session, a Labels layer and the edit panel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from ..editing import Change, EditSession
from .editing_actions import EditAction
from .editing_carry import Carrying
from .editing_compat import bare_brush_circle
from .editing_controls import LayerControls
from .editing_keys import bind_keys, unbind_keys
from .editing_lasso import LassoHand
from .editing_layer import LayerBridge
from .editing_link import EditLink
from .editing_mouse import ONLY_IN_2D, EditMouse
from .editing_proposal import ProposalOutline
from .editing_scribbles import Scribbles
from .editing_shaping import Shaper, ShapeRequest, Shaping
from .editing_strokes import Strokes
from .editing_told import say
from .editing_tool import (
    ALL_CONTRASTS,
    BRUSH_STEP_MM,
    LARGEST_BRUSH_MM,
    SMALLEST_BRUSH_MM,
    EditTool,
    Tool,
)
from .editing_view import SliceView, Voxel
from .hover import HoverPreview

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

    from .editing_widget import EditWidget


def attach_editing(
    viewer: ViewerModel,
    layer: Labels,
    session: EditSession,
    widget: EditWidget | None = None,
    images: Mapping[str, NDArray[Any]] | None = None,
) -> EditController:
    """Make a Labels layer the place where `session` is edited with mouse and keys.

    The layer then shows the session's own array. Undo, painting and filling through napari's
    own buttons, keys and methods act through the session too. A `widget` (one for the life of
    the panel) is joined to it until `detach`. The case's `images` by contrast, (I, P, L), are for
    the tools that look at them.
    """
    controller = EditController(viewer, layer, session, images)
    if widget is not None:
        controller.join(widget)
    return controller


class EditController:
    """The tool in the hand over one layer, until `detach`.

    Attributes
    ----------
    tool
        The tool in the hand; change it with `use`.
    view
        What of the labels is on screen.
    images
        The case's contrasts by name.
    scribbles, lasso, carrying, shaper
        What was scribbled, what was clicked of an outline, what carries corrections to other
        slices, and the commands on a whole region.
    hover
        Outlines what a press would take.
    on_tool
        Called with nothing after the tool or the view of the proposal changed.
    on_choose
        Called with a voxel when the user points at a lesion.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        layer: Labels,
        session: EditSession,
        images: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        self.viewer = viewer
        self.layer = layer
        self.session = session
        self.images = dict(images or {})
        self.tool = EditTool(region=session.protocol.regions[0].name)
        self.view = SliceView(viewer, layer)
        self.on_tool: list[Callable[[], None]] = []
        self.on_choose: list[Callable[[Voxel], None]] = []
        self.proposal = ProposalOutline(viewer, layer, session)
        self._link: EditLink | None = None
        self._commands: dict[str, Callable[[str], None]] = {
            "region": lambda name: self.use(region=name),
            "tool": lambda name: self.use(tool=Tool(name)),
            "toggle_erase": lambda _: self.use(erase=not self.tool.erase),
            "toggle_exact": lambda _: self.use(exact=not self.tool.exact),
            "toggle_3d": lambda _: self.use(in_3d=not self.tool.in_3d),
            "smaller": lambda _: self.use(diameter=self.tool.diameter - BRUSH_STEP_MM),
            "larger": lambda _: self.use(diameter=self.tool.diameter + BRUSH_STEP_MM),
            "next_contrast": lambda _: self._look_at_next(),
            "undo": lambda _: self.undo(),
            "redo": lambda _: self.redo(),
            "toggle_proposal": lambda _: self.show_proposal(not self.proposal.is_shown),
            "toggle_hover": lambda _: self.show_hover(not self.hover.is_on),
            "carry": lambda _: self.carrying.run(),
            "shape": lambda name: self.shaper.run(ShapeRequest(Shaping(name))),
            "refine": lambda _: self.scribbles.refine(),
            "clear_scribbles": lambda _: self.scribbles.clear(),
        }
        self.scribbles = Scribbles(viewer, layer, session, self.images)
        self.carrying = Carrying(session, self.view, self.images, lambda: self.scribbles.maps())
        self.shaper = Shaper(session, self.view, lambda: self.tool, self.images, self.carrying.run)
        strokes = Strokes(
            session, layer, self.view, lambda: self.tool, self.images, self.scribbles.draw
        )
        self._bridge = LayerBridge(layer, session, strokes, self.undo, self.redo)
        bare_brush_circle(viewer)
        self.hover = HoverPreview(viewer, layer, self.view, session, lambda: self.tool, strokes)
        self.on_tool.append(self.hover.follow)
        spacing = session.grid.spacing
        self.lasso = LassoHand(
            viewer, layer, self.view, spacing, lambda: self.tool, self.images, strokes.enclose
        )
        self._mouse = EditMouse(
            layer,
            self.view,
            self._bridge,
            strokes,
            self.lasso,
            lambda: self.tool,
            self._pick,
            self._choose,
        )
        self._controls = LayerControls(
            viewer, layer, self.view, session.protocol, lambda: self.tool, self.use, self._take
        )
        bind_keys(viewer, layer, session.protocol, self.run)
        self._show_tool()

    def join(self, widget: EditWidget) -> None:
        """Let the edit panel drive this controller and show its state, until `detach`."""
        if self._link is not None:
            self._link.cut()
        self._link = EditLink(self, widget)

    def detach(self) -> None:
        """Let go of layer, session and keys; the layer stays as a plain Labels layer."""
        self.session.end()
        if self._link is not None:
            self._link.cut()
            self._link = None
        unbind_keys(self.viewer, self.layer, self.session.protocol)
        self._controls.detach()
        self._mouse.detach()
        self.lasso.detach()
        self.hover.detach()
        self._bridge.detach()
        self.proposal.detach()
        self.scribbles.detach()
        self.carrying.detach()

    @property
    def is_editable(self) -> bool:
        """Can the labels be edited in the present view?"""
        return self.view.is_flat

    # Commands

    def run(self, action: EditAction) -> None:
        """Do what a key or a button stands for; nothing for what no section offers."""
        if (do := self._commands.get(action.name)) is not None:
            do(action.argument)

    def offer(self, name: str, do: Callable[[], None]) -> None:
        """Let the actions of a name (see `EditAction`) do something that is not done here."""
        self._commands[name] = lambda _: do()

    def use(self, **changes: Any) -> None:
        """Take another tool into the hand: fields of `EditTool` by name."""
        wanted = replace(self.tool, **changes)
        size = min(max(wanted.diameter, SMALLEST_BRUSH_MM), LARGEST_BRUSH_MM)
        wanted = replace(wanted, diameter=size, tool=Tool(wanted.tool))
        if wanted.tool is not Tool.NAVIGATE:
            if not self.is_editable:
                say(ONLY_IN_2D)
                wanted = replace(wanted, tool=Tool.NAVIGATE)
            elif "tool" in changes:
                self.layer.visible = True
                self.viewer.layers.selection.active = self.layer
        self.tool = wanted
        if wanted.tool is not Tool.LASSO:
            self.lasso.clear()
        self._show_tool()

    def undo(self) -> None:
        """Take back the last step, and show where that was."""
        self._replay(self.session.undo)

    def redo(self) -> None:
        """Do the last undone step again, and show where that is."""
        self._replay(self.session.redo)

    def restore(self, region: str) -> None:
        """Bring one region back to what was proposed."""
        self.session.restore(region)

    def show_proposal(self, shown: bool) -> None:
        """Outline what was proposed beside the labels, or no longer."""
        self.proposal.show(shown)
        self._tell()

    def show_hover(self, shown: bool) -> None:
        """Outline what a press would take while the pointer rests, or no longer."""
        self.hover.show(shown)
        self._tell()

    # Inside

    def _replay(self, act: Callable[[], object]) -> None:
        changes: list[Change] = []
        note = changes.append
        self.session.on_change.append(note)
        try:
            act()
        finally:
            self.session.on_change.remove(note)
        for change in changes:
            self.view.turn_to(change)

    def _look_at_next(self) -> None:
        """All contrasts, then each by itself."""
        choices = [ALL_CONTRASTS, *self.images]
        now = choices.index(self.tool.looks_at) if self.tool.looks_at in choices else 0
        self.use(looks_at=choices[(now + 1) % len(choices)])

    def _pick(self, voxel: Voxel) -> None:
        """Take the region under the cursor into the hand."""
        code = self.session.codes[voxel]
        for region in self.session.protocol.regions:
            if region.code == code:
                self.use(region=region.name)

    def _choose(self, voxel: Voxel) -> None:
        for listener in self.on_choose:
            listener(voxel)

    def _take(self, tool: EditTool) -> None:
        """A tool that napari's own controls show already."""
        self.tool = tool
        self._tell()

    def _show_tool(self) -> None:
        self._controls.show(self.tool)
        self._tell()

    def _tell(self) -> None:
        for listener in self.on_tool:
            listener()
