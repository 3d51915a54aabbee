"""The wires between the edit panel and the controller of one layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .editing_tool import Tool

if TYPE_CHECKING:
    from .editing_controller import EditController
    from .editing_widget import EditWidget


class EditLink:
    """Carries the panel's intentions to the controller and shows its state, until `cut`."""

    def __init__(self, controller: EditController, widget: EditWidget) -> None:
        self._controller = controller
        self._widget = widget
        self._wires = (
            (widget.action_requested, controller.run),
            (widget.erase_requested, self._erase),
            (widget.exact_requested, self._exact),
            (widget.in_3d_requested, self._in_3d),
            (widget.diameter_requested, self._diameter),
            (widget.contrast_requested, self._contrast),
            (widget.restore_requested, controller.restore),
            (widget.proposal_requested, controller.show_proposal),
            (widget.hover_requested, controller.show_hover),
            (widget.box_side_requested, self._box_side),
        )
        for signal, slot in self._wires:
            signal.connect(slot)
        controller.on_tool.append(self._show_tool)
        controller.scribbles.on_state.append(self._show_scribbles)
        controller.session.on_state.append(self._show_state)
        widget.show_protocol(controller.session.protocol)
        widget.offer_contrasts(list(controller.images))
        self._show_tool()

    def cut(self) -> None:
        """Take the wires off; the panel is then empty and greyed."""
        for signal, slot in self._wires:
            signal.disconnect(slot)
        self._controller.on_tool.remove(self._show_tool)
        self._controller.scribbles.on_state.remove(self._show_scribbles)
        self._controller.session.on_state.remove(self._show_state)
        self._widget.show_protocol(None)

    def _erase(self, erase: bool) -> None:
        self._controller.use(erase=erase)

    def _exact(self, exact: bool) -> None:
        self._controller.use(exact=exact)

    def _in_3d(self, in_3d: bool) -> None:
        self._controller.use(in_3d=in_3d)

    def _diameter(self, diameter: float) -> None:
        self._controller.use(diameter=diameter)

    def _contrast(self, name: str) -> None:
        self._controller.use(looks_at=name)

    def _box_side(self, side: int) -> None:
        self._controller.scribbles.side = side

    def _show_tool(self) -> None:
        self._widget.show_tool(self._controller.tool, self._controller.is_editable)
        self._widget.show_hover(self._controller.hover.is_on)
        self._show_scribbles()
        self._show_state()

    def _show_scribbles(self) -> None:
        scribbles = self._controller.scribbles
        self._widget.show_scribbles(
            self._controller.tool.tool is Tool.SCRIBBLE,
            scribbles.count > 0,
            scribbles.is_busy,
            scribbles.side,
        )

    def _show_state(self) -> None:
        from .editing_widget import EditState

        session = self._controller.session
        self._widget.show_state(
            EditState(
                session.undo_label,
                session.redo_label,
                session.undo_depth,
                session.edit_counts(),
                self._controller.proposal.is_shown,
            )
        )
