"""Colours of codes, with regions hidden or not."""

from __future__ import annotations

import pytest

from napari_mmseg._napari.colours import TRANSPARENT, code_colours, label_colormap
from napari_mmseg.protocol import load_protocol

GLIOMA = load_protocol("glioma")
WT, TC, ET = ((*GLIOMA[name].colour, 1.0) for name in ("WT", "TC", "ET"))


@pytest.mark.parametrize(
    ("hidden", "expected"),
    [
        ((), (WT, TC, ET)),
        (("ET",), (WT, TC, TC)),
        (("TC", "ET"), (WT, WT, WT)),
        (("WT",), (TRANSPARENT, TC, ET)),
        (("WT", "TC"), (TRANSPARENT, TRANSPARENT, ET)),
        (("WT", "TC", "ET"), (TRANSPARENT,) * 3),
    ],
)
def test_a_hidden_region_shows_as_the_region_it_is_part_of(
    hidden: tuple[str, ...], expected: tuple[object, ...]
) -> None:
    assert tuple(code_colours(GLIOMA, hidden).values()) == expected


def test_the_defaults_are_green_blue_and_purple() -> None:
    assert max(range(3), key=lambda i: WT[i]) == 1
    assert max(range(3), key=lambda i: TC[i]) == 2
    assert min(range(3), key=lambda i: ET[i]) == 1


def test_the_colormap_leaves_background_and_unknown_labels_clear() -> None:
    colours = label_colormap(GLIOMA).color_dict
    assert colours[None][3] == 0
    assert colours[0][3] == 0
    assert colours[3][3] == 1


def test_any_protocol_has_colours() -> None:
    assert set(code_colours(load_protocol("ms_lesion"))) == {1}
