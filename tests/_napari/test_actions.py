"""Keys of the view."""

from __future__ import annotations

from napari.components import ViewerModel
from napari.utils.shortcuts import default_shortcuts

from napari_mmseg._napari.actions import ACTIONS, bind, help_text, hint, unbind
from napari_mmseg._napari.editing_actions import all_actions
from napari_mmseg.protocol import load_protocol


def plain(key: str) -> str:
    return key.replace("Control", "Ctrl").replace("-", "+").upper()


def test_no_key_is_taken_from_napari_or_the_edit_tools() -> None:
    napari = {str(key).upper() for keys in default_shortcuts.values() for key in keys}
    editing = {plain(a.key) for a in all_actions(load_protocol()) if a.key}
    ours = [plain(action.key) for action in ACTIONS]
    assert len(set(ours)) == len(ours)
    assert not set(ours) & napari
    assert not set(ours) & editing


def test_every_key_runs_its_action_until_unbound(model_viewer: ViewerModel) -> None:
    ran: list[str] = []
    before = dict(model_viewer.keymap)
    bind(model_viewer, {a.name: (lambda n=a.name: ran.append(n)) for a in ACTIONS})
    for function in (f for k, f in model_viewer.keymap.items() if k not in before):
        function(model_viewer)
    assert sorted(ran) == sorted(a.name for a in ACTIONS)
    unbind(model_viewer)
    assert dict(model_viewer.keymap) == before


def test_tooltips_name_the_key() -> None:
    assert hint("coronal") == "Coronal plane (Ctrl+2)"


def test_the_help_line_names_the_regions_keys() -> None:
    assert help_text(load_protocol()).startswith("1/2/3 region")
    assert help_text(load_protocol("ms_lesion")).startswith("1 region")
