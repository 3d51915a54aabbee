"""The Correct section of the panel: tool, region, brush, undo, and what was changed so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QWidget,
)

from ..protocol import Protocol
from .editing_actions import (
    COMMON_ACTIONS,
    SMART_ACTIONS,
    TOOL_ACTIONS,
    EditAction,
    region_actions,
)
from .editing_sentence import sentence
from .editing_toggles import ToggleRow
from .editing_tool import (
    ALL_CONTRASTS,
    FLAT_TOOLS,
    HOVER_TOOLS,
    LOOKING_TOOLS,
    ROUND_TOOLS,
    EditTool,
    Tool,
)
from .widgets.brush_size import BrushSize
from .widgets.scribble_row import ScribbleRow
from .widgets.section import Choice, column, quiet
from .widgets.swatch import swatch

_ACTIONS = {action.name: action for action in COMMON_ACTIONS}

_ADD, _ERASE = "add", "erase"

_GAP_PX = 8


@dataclass(frozen=True)
class EditState:
    """What the panel tells about the edit session."""

    undo_label: str
    redo_label: str
    undo_depth: int
    edits: Mapping[str, Mapping[str, int]]
    proposal_shown: bool


class EditWidget(QWidget):
    """Emits what the user wants edited and how; knows neither viewer nor layers."""

    action_requested = Signal(object)  # EditAction
    erase_requested = Signal(bool)
    exact_requested = Signal(bool)
    in_3d_requested = Signal(bool)
    diameter_requested = Signal(float)  # mm
    contrast_requested = Signal(str)  # a modality, or ALL_CONTRASTS
    restore_requested = Signal(str)  # region
    proposal_requested = Signal(bool)
    hover_requested = Signal(bool)
    box_side_requested = Signal(int)  # voxels, of the box that refining solves again

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._protocol: Protocol | None = None
        self._restores: dict[str, QPushButton] = {}
        self._counts: dict[str, QLabel] = {}
        self._build_tools()
        self._build_brush()
        self._scribbles = ScribbleRow()
        self._scribbles.action_requested.connect(self.action_requested)
        self._scribbles.box_side_requested.connect(self.box_side_requested)
        self._build_history()
        layout = column(self)
        layout.addWidget(self._tools)
        layout.addWidget(self._smart)
        layout.addWidget(self._regions)
        modes = QHBoxLayout()
        modes.addWidget(self._adding, 1)
        modes.addSpacing(_GAP_PX)
        modes.addWidget(self._exact)
        modes.addWidget(self._in_3d)
        layout.addLayout(modes)
        layout.addWidget(self._sentence)
        layout.addWidget(self._size)
        layout.addWidget(self._looks_row)
        layout.addWidget(self._hover)
        layout.addWidget(self._scribbles)
        layout.addLayout(self._history_row)
        layout.addWidget(self._proposal)
        layout.addLayout(self._edit_grid)
        self.setEnabled(False)

    def _build_tools(self) -> None:
        self._tools = ToggleRow()
        self._tools.offer([(a.title, a.argument, a.hint, None) for a in TOOL_ACTIONS])
        self._tools.chosen.connect(partial(self._emit_action, TOOL_ACTIONS))
        self._smart = ToggleRow()
        self._smart.offer([(a.title, a.argument, a.hint, None) for a in SMART_ACTIONS])
        self._smart.chosen.connect(partial(self._emit_action, SMART_ACTIONS))
        self._regions = ToggleRow()
        self._regions.chosen.connect(self._region_chosen)
        self._adding = ToggleRow()
        hint = _ACTIONS["toggle_erase"].hint
        self._adding.offer([("Add", _ADD, hint, None), ("Erase", _ERASE, hint, None)])
        self._adding.chosen.connect(lambda name: self.erase_requested.emit(name == _ERASE))
        self._exact = QCheckBox("Exact")
        self._exact.setToolTip(
            "Edit exactly one compartment (oedema, core or enhancing tumour) "
            f"instead of the nested region ({_ACTIONS['toggle_exact'].key})"
        )
        self._exact.toggled.connect(self.exact_requested)
        self._sentence = quiet()

    def _build_brush(self) -> None:
        self._size = BrushSize()
        self._size.diameter_requested.connect(self.diameter_requested)
        self._in_3d = QCheckBox("3D")
        self._in_3d.setToolTip(
            "Brush a ball and fill a volume instead of the shown plane only "
            f"({_ACTIONS['toggle_3d'].key})"
        )
        self._in_3d.toggled.connect(self.in_3d_requested)
        self._looks_at = Choice()
        self._looks_at.setToolTip(
            "The contrast whose edges count; with all of them the adaptive brush stops at an edge "
            "in any, and the lasso follows the contrast on screen "
            f"({_ACTIONS['next_contrast'].key} for the next)"
        )
        self._looks_at.currentIndexChanged.connect(
            lambda _: self.contrast_requested.emit(str(self._looks_at.value))
        )
        self._looks_row = QWidget()
        row = QHBoxLayout(self._looks_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("Looks at"))
        row.addWidget(self._looks_at, 1)

        action = _ACTIONS["toggle_hover"]
        self._hover = QCheckBox(action.title)
        self._hover.setToolTip(action.hint)
        self._hover.clicked.connect(self.hover_requested)

    def _build_history(self) -> None:
        self._undo, self._redo = QPushButton("Undo"), QPushButton("Redo")
        self._undo.clicked.connect(lambda: self.action_requested.emit(_ACTIONS["undo"]))
        self._redo.clicked.connect(lambda: self.action_requested.emit(_ACTIONS["redo"]))
        self._history_row = QHBoxLayout()
        self._history_row.addWidget(self._undo)
        self._history_row.addWidget(self._redo)
        self._proposal = QCheckBox("Outline what was proposed")
        self._proposal.setToolTip(
            f"Show the model's proposal beside the labels ({_ACTIONS['toggle_proposal'].key})"
        )
        self._proposal.clicked.connect(self.proposal_requested)
        self._edit_grid = QGridLayout()
        self._edit_grid.setContentsMargins(0, 0, 0, 0)
        self._edit_grid.setVerticalSpacing(2)
        self._edit_grid.setColumnStretch(1, 1)

    def show_protocol(self, protocol: Protocol | None) -> None:
        """Offer a protocol's regions; None when there is nothing to edit."""
        self.setEnabled(protocol is not None)
        if protocol is None or protocol is self._protocol:
            return
        self._protocol = protocol
        colours = {region.name: region.colour for region in protocol.regions}
        self._regions.offer(
            [
                (a.title, a.argument, a.hint, swatch((*colours[a.argument], 1.0)))
                for a in region_actions(protocol)
            ]
        )
        while (item := self._edit_grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        self._restores, self._counts = {}, {}
        for row, region in enumerate(protocol.regions):
            counts = QLabel()
            restore = QPushButton("Restore all")
            restore.setToolTip(f"Bring all of {region.title} back to what was proposed")
            restore.clicked.connect(partial(self.restore_requested.emit, region.name))
            for at, widget in enumerate((QLabel(region.name), counts, restore)):
                self._edit_grid.addWidget(widget, row, at)
            self._counts[region.name], self._restores[region.name] = counts, restore

    def offer_contrasts(self, names: Sequence[str]) -> None:
        """The contrasts that a tool can look at; without any it looks at none."""
        self._looks_at.offer([("", ALL_CONTRASTS), *((name, name) for name in names)])
        self._name_all(Tool.ADAPTIVE)

    def _name_all(self, tool: Tool) -> None:
        """Say what a tool looks at where no contrast was chosen."""
        if self._looks_at.count() < 2:
            text = "no image: a plain brush"
        elif tool is Tool.LASSO:
            text = "the contrast on screen"
        else:
            text = "all contrasts"
        self._looks_at.setItemText(0, text)

    def show_tool(self, tool: EditTool, editable: bool = True) -> None:
        """Show the tool in the hand, without emitting; `editable` is false in the 3D view."""
        quietly = (self._exact, self._in_3d, self._looks_at)
        for widget in quietly:
            widget.blockSignals(True)
        for row in (self._tools, self._smart):
            row.mark(tool.tool)
            row.allow(lambda name: editable or name == Tool.NAVIGATE)
        self._regions.mark(tool.region)
        self._adding.mark(_ERASE if tool.erase else _ADD)
        self._exact.setChecked(tool.exact)
        self._in_3d.setChecked(tool.in_3d)
        self._in_3d.setEnabled(tool.tool not in FLAT_TOOLS)
        self._adding.setEnabled(tool.tool is not Tool.RESTORE)
        self._exact.setEnabled(tool.tool not in (Tool.RESTORE, Tool.SCRIBBLE))
        self._size.show_diameter(tool.diameter)
        self._size.setEnabled(tool.tool in ROUND_TOOLS)
        self._name_all(tool.tool)
        self._looks_at.choose(tool.looks_at)
        self._looks_row.setVisible(tool.tool in LOOKING_TOOLS)
        self._hover.setVisible(tool.tool in HOVER_TOOLS)
        for widget in quietly:
            widget.blockSignals(False)
        if self._protocol is not None:
            text = sentence(tool, self._protocol)
            self._sentence.setText(text if editable else "Labels are edited in the 2D view.")

    def show_hover(self, shown: bool) -> None:
        """Show whether the user wants to see what a press takes, without emitting."""
        self._hover.setChecked(shown)

    def show_state(self, state: EditState) -> None:
        """Show history, edit counts and the proposal's tick, without emitting."""
        for button, label, action in (
            (self._undo, state.undo_label, _ACTIONS["undo"]),
            (self._redo, state.redo_label, _ACTIONS["redo"]),
        ):
            button.setEnabled(bool(label))
            button.setToolTip(f"{action.hint}: {label}" if label else action.hint)
        self._undo.setText(f"Undo ({state.undo_depth})" if state.undo_depth else "Undo")
        self._proposal.setChecked(state.proposal_shown)
        for name, counts in state.edits.items():
            added, removed = counts["added"], counts["removed"]
            changed = bool(added or removed)
            self._counts[name].setText(
                f"+{added:,}  −{removed:,} voxels".replace(",", " ") if changed else "as proposed"
            )
            self._restores[name].setEnabled(changed)

    def show_scribbles(self, shown: bool, any_drawn: bool, busy: bool, side: int) -> None:
        """Offer to refine, in a box of `side` voxels, while scribbling or with scribbles there."""
        self._scribbles.show_scribbles(shown, any_drawn, busy, side)

    @property
    def sentence(self) -> str:
        """What the panel says that a stroke does."""
        return str(self._sentence.text())

    def counts_text(self, region: str) -> str:
        """What the panel says was changed in a region."""
        return str(self._counts[region].text())

    def _region_chosen(self, name: str) -> None:
        if self._protocol is not None:
            self._emit_action(region_actions(self._protocol), name)

    def _emit_action(self, actions: Sequence[EditAction], argument: str) -> None:
        self.action_requested.emit(next(a for a in actions if a.argument == argument))
