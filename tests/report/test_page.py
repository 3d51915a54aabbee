"""The page, its plots and its pictures."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_mmseg.protocol import load_protocol
from napari_mmseg.report import Cohort
from napari_mmseg.report.page import as_html
from napari_mmseg.report.pictures import outline, picture, png, windowed, worst_slice
from napari_mmseg.report.plots import Group, bland_altman, box_plot, ticks
from napari_mmseg.report.worst import worst_pictures

from .made_up import annotation, blocks, cohort

GLIOMA = load_protocol()


class Text(HTMLParser):
    """What a reader sees."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.words.append(data)


def page(of: Cohort) -> str:
    first = annotation(blocks(2))
    pictures = worst_pictures(of, GLIOMA, lambda _: first, lambda _: annotation(blocks()))
    return as_html(of, GLIOMA, pictures)


def test_the_page_needs_nothing_else_and_holds_every_case():
    made = page(cohort("a1", "b2", "c3"))
    assert not re.search(r"https?:|//|@import|url\(|<script|<link", made)
    text = " ".join(Text(made).words)
    for name in ("a1", "b2", "c3", "WT", "TC", "ET", "lesion-wise Dice", "Bland-Altman"):
        assert name in text
    assert "color-scheme: light" in made
    assert "@media print" in made


def test_names_cannot_break_the_page():
    bad = '<script>alert("x")</script>&'
    made = page(replace(cohort("a", bad), skipped={bad: bad}, notes=(bad,)))
    assert "<script" not in made
    assert "script" not in Text(made).tags
    assert bad in " ".join(Text(made).words)


def test_what_is_missing_comes_before_the_numbers():
    made = replace(
        cohort("a", "b"),
        without_prediction=("c",),
        skipped={"d": 'the file "Jane_seg.nii" is empty'},
    )
    text = " ".join(Text(page(made)).words)
    assert text.index("without a prediction") < text.index("Summary")
    assert text.index("d was skipped: the file a file is empty") < text.index("Summary")


def test_one_case_makes_a_page():
    assert "1 case compared" in page(cohort("a"))


def test_the_worst_cases_come_first_and_a_perfect_one_is_not_shown():
    made = cohort("perfect", "good", "bad")
    first = annotation(blocks(2))
    drawn = worst_pictures(made, GLIOMA, lambda _: first, lambda _: annotation(blocks()))
    assert [(p.region, p.case) for p in drawn] == [
        (region, name) for region in ("WT", "TC", "ET") for name in ("bad", "good")
    ]


def test_cases_without_images_are_told(tmp_path):
    (tmp_path / "good-2_flair.nii.gz").touch()  # another case's, "good" is no case of it
    (tmp_path / "bad").mkdir()
    told: list[str] = []
    both = annotation(blocks(1))
    worst_pictures(
        cohort("good1", "bad"), GLIOMA, lambda _: both, lambda _: both, images=tmp_path,
        warn=told.append,
    )  # fmt: skip
    assert len(told) == 1
    assert '"bad" were left out' in told[0]


@given(arrays(bool, (5, 7)))
@settings(deadline=None, max_examples=60)
def test_the_outline_is_as_long_as_the_mask_has_edges(mask):
    drawn = re.findall(r"M(\d+) (\d+)([hv])(\d+)", outline(mask))
    padded = np.pad(mask, 1)
    edges = {"h": padded[1:] ^ padded[:-1], "v": padded[:, 1:] ^ padded[:, :-1]}
    for letter, there in edges.items():
        painted = np.zeros_like(there)
        for x, y, way, length in drawn:
            if way == letter:
                x, y, length = int(x), int(y), int(length)
                # The padding moves pixels by one along the edge, not across it.
                run = (
                    np.s_[y, x + 1 : x + 1 + length]
                    if way == "h"
                    else np.s_[y + 1 : y + 1 + length, x]
                )
                assert not painted[run].any()
                painted[run] = True
        assert np.array_equal(painted, there)


def test_png_is_read_by_another_program():
    image = pytest.importorskip("PIL.Image", reason="pillow is the reference here")
    grey = np.random.default_rng(0).integers(0, 256, (9, 13)).astype(np.uint8)
    assert np.array_equal(np.asarray(image.open(io.BytesIO(png(grey)))), grey)


def test_pictures_keep_the_shape_of_the_voxels_and_hold_their_image():
    mask = np.zeros((20, 20), bool)
    mask[5:15, 5:15] = True
    grey = np.full((20, 20), 200, np.uint8)
    drawn = ElementTree.fromstring(picture(mask, mask, (3.0, 1.0), grey))
    width, height = (float(n) for n in drawn.attrib["viewBox"].split()[2:])
    assert height == pytest.approx(3 * width, rel=1e-3)
    data = next(drawn.iter("image")).attrib["href"]
    assert base64.b64decode(data.split(",")[1]).startswith(b"\x89PNG")


def test_the_worst_slice_has_the_most_differences():
    first, second = np.zeros((2, 6, 4, 4), bool)
    first[1, :2] = second[4, 0] = True
    assert worst_slice(first, second) == 1


def test_the_window_keeps_background_black_and_the_brain_above_it():
    volume = np.zeros((3, 4, 4), np.int16)
    volume[1, 1:3] = [100, 200, 300, 400]
    grey = windowed(volume, 1)
    assert (grey[0] == 0).all()
    assert (np.diff(grey[1].astype(int)) > 0).all()
    assert grey[1].min() >= 1
    assert (windowed(np.zeros((2, 3, 3)), 0) == 0).all()


@given(st.lists(st.floats(-500, 500), max_size=12), st.booleans())
@settings(deadline=None, max_examples=40)
def test_plots_are_drawn_of_any_values(values, same):
    points = [(f"case {n}", values[0] if same else v) for n, v in enumerate(values)]
    for drawn in (
        box_plot("Dice", [Group("WT", "#123456", points), Group("ET", "#123456", [])]),
        bland_altman("WT, ml", Group("WT", "#123456", points), [abs(v) for _, v in points]),
    ):
        root = ElementTree.fromstring(drawn)
        assert len(list(root.iter("circle"))) == len(points)
        assert "nan" not in drawn
        assert "inf" not in drawn


def test_the_box_is_the_quartiles():
    points = [(str(n), n / 10) for n in range(11)]
    root = ElementTree.fromstring(box_plot("Dice", [Group("WT", "#123456", points)], (0.0, 1.0)))
    box = next(root.iter("rect"))
    dots = [float(dot.attrib["cy"]) for dot in root.iter("circle")]
    height = dots[0] - dots[-1]
    assert float(box.attrib["height"]) == pytest.approx(0.5 * height, abs=0.2)


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4))
@settings(max_examples=60)
def test_ticks_are_few_and_cover(low, width):
    marks = ticks(low, low + width)
    assert marks[0] <= low + 1e-6
    assert marks[-1] >= low + width - 1e-6
    assert 2 <= len(marks) <= 8
