"""The panel shows what was unfolded in it."""

from __future__ import annotations

from typing import Any

import pytest

from napari_mmseg._napari.panel import Panel


@pytest.mark.parametrize("name", ["shape", "lesions", "next"])
def test_a_section_at_the_lower_end_is_brought_into_sight(
    model_viewer: Any, stand_in_model: Any, qtbot: Any, name: str
) -> None:
    panel = Panel(model_viewer)
    qtbot.addWidget(panel)
    panel.resize(400, 500)
    panel.show()
    qtbot.waitExposed(panel)
    section = panel.sections[name]
    section.expand()
    seen = section.height
    qtbot.waitUntil(lambda: section.visibleRegion().boundingRect().height() >= min(seen(), 300))
    section.expand(False)
