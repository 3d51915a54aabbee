"""A rater in a process of its own: draws until it is told to stop, or killed."""

from __future__ import annotations

import sys
from pathlib import Path

from napari_mmseg.editing import EditSession, Footprint, Mode, Stroke
from napari_mmseg.journal import Journal
from napari_mmseg.study import load_study, open_item


def main(folder: str, rater: str, strokes: int) -> None:
    import numpy as np

    sitting = open_item(load_study(folder), rater)
    edit = EditSession(sitting.start)
    place = sitting.place
    journal = Journal(edit, place.file, place.fingerprint, place.rater)
    for number in range(strokes):
        sys.stdin.readline()  # one stroke a word
        corner = tuple(int(n) for n in np.unravel_index(number, edit.codes.shape))
        edit.apply(Stroke("WT", Mode.PAINT, Footprint(corner, np.ones((1, 1, 1), bool))), "brush")
        journal.writer.flush()  # type: ignore[union-attr]
        print(number, flush=True)  # it is on the disk
    journal.close()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
