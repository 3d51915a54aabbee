"""Pictures of the real window for README and docs: `python scripts/screenshots.py CASE FOLDER`.

Opens the case, segments it with the default model, and saves: the result on FLAIR, outlines on
T1ce in the coronal plane, and the T1ce - T1 subtraction. Needs a screen (or xvfb-run).
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from qtpy.QtWidgets import QApplication

from napari_mmseg._napari.launch import open_window, save_screenshot
from napari_mmseg._napari.panel import panel_of
from napari_mmseg._napari.widgets.segment_box import SegmentRequest
from napari_mmseg.models import DEFAULT_MODEL
from napari_mmseg.volume import Modality

_LONGEST_S = 600

# Pictures of the case as it comes, not of work left in the user's folder.
os.environ.setdefault("NAPARI_MMSEG_WORK", "off")


def main(case: Path, folder: Path) -> None:
    viewer = open_window(case)
    panel = panel_of(viewer)
    assert panel is not None
    session = panel.coordinator.session
    assert session is not None
    panel.segment.run_requested.emit(SegmentRequest(DEFAULT_MODEL, "auto", new_layer=False))
    end = time.monotonic() + _LONGEST_S
    while panel.coordinator.segmenter.is_running and time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.02)
    session.jump_to(session.protocol.regions[-1].name)
    save_screenshot(viewer, folder / "viewer.png")
    session.looks.show_modality(Modality.T1CE)
    session.looks.show_plane("coronal")
    session.show_outline(True)
    session.jump_to(session.protocol.regions[-1].name)
    save_screenshot(viewer, folder / "outline.png")
    session.looks.show_plane("axial")
    session.looks.show_subtraction()
    save_screenshot(viewer, folder / "subtraction.png")
    session.edit.mark_saved()
    viewer.close()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
