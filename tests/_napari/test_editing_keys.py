"""Every edit key, pressed on a real keyboard's way through Qt and napari, does its own action."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from qtpy.QtCore import Qt
from test_editing_window import Hands

from napari_mmseg._napari.editing_actions import all_actions
from napari_mmseg.protocol import load_protocol

_MODIFIERS = {
    "Shift": Qt.KeyboardModifier.ShiftModifier,
    "Control": Qt.KeyboardModifier.ControlModifier,
    "Alt": Qt.KeyboardModifier.AltModifier,
}
_NAMED = {"[": "BracketLeft", "]": "BracketRight"}


def qt_key(key: str) -> tuple[Any, list[Any]]:
    """A key in napari's notation as Qt's key and modifiers."""
    *held, last = key.split("-")
    return getattr(Qt.Key, f"Key_{_NAMED.get(last, last)}"), [_MODIFIERS[name] for name in held]


@pytest.fixture
def hands(make_napari_viewer: Callable[..., Any], tmp_path: Any, monkeypatch: Any) -> Any:
    monkeypatch.setenv("NAPARI_MMSEG_CACHE", str(tmp_path))
    found = Hands(make_napari_viewer())
    yield found
    found.controller.detach()


def test_each_key_asks_for_its_action_and_for_nothing_else(hands):
    done: list[str] = []
    actions = [action for action in all_actions(load_protocol()) if action.key]
    for action in actions:
        hands.controller.offer(action.name, partial(done.append, action.name))
    hands.viewer.layers.selection.active = hands.layer
    layers = list(hands.viewer.layers)
    for action in actions:
        key, held = qt_key(action.key)
        hands.key(key, *held)
        assert done == [action.name], action.key
        done.clear()
    assert list(hands.viewer.layers) == layers
    assert hands.layer.mode == "pan_zoom"  # nothing of napari's own came through
