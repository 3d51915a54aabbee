"""The report on raters: what is measured, what is left out, and the page."""

from __future__ import annotations

import csv
import json
import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from napari_mmseg.agreement import against_others, agree
from napari_mmseg.annotation import Annotation
from napari_mmseg.errors import InputError
from napari_mmseg.report.raters_case import RatedCase, RatedReading, measure_raters
from napari_mmseg.report.raters_disputes import (
    RATER_COLOURS,
    colour_of,
    disputed_slices,
    picture_of,
)
from napari_mmseg.report.raters_methods import methods
from napari_mmseg.report.raters_page import as_html
from napari_mmseg.report.raters_plots import Row, dots, forest, heat_map
from napari_mmseg.report.raters_source import report_on_files
from napari_mmseg.report.raters_summary import (
    case_values,
    icc_of_volumes,
    others_values,
    pair_means,
    summarise,
)
from napari_mmseg.report.raters_tables import as_csv, as_values

from .made_up import annotation, blocks


def seen(moved: int, author: str = "a") -> Annotation:
    return annotation(blocks(moved))


def refused() -> Annotation:
    raise InputError('the file "Jane.mmseg" is damaged')


def case(name: str, moves: dict[str, int], **more: object) -> RatedCase:
    readings = tuple(
        RatedReading(rater, lambda moved=moved: seen(moved), order=n, active_s=60.0 + n)
        for n, (rater, moved) in enumerate(moves.items())
    )
    return RatedCase(name, readings, **more)


def study(cases: int = 8):
    return measure_raters(
        "Wobbles",
        [case(f"c{n}", {"ann": 0, "bob": 1 + n % 2, "cy": 2}) for n in range(cases)],
        counts={"submitted": 3 * cases, "draft": 1},
    )


def test_every_case_is_measured_as_by_agree():
    report = study(3)
    expected = agree({"ann": seen(0), "bob": seen(2), "cy": seen(2)})
    assert report.cases[1].agreement == expected
    assert dict(case_values(report, "WT", "dice"))["c1"] == expected.regions["WT"].mean("dice")
    mean = np.mean([value for _, value in case_values(report, "WT", "dice")])
    assert summarise(report)["WT"]["dice"].mean == pytest.approx(mean)


def test_a_pairs_mean_is_over_the_cases_that_both_read():
    report = measure_raters(
        "x", [case("c1", {"ann": 0, "bob": 1}), case("c2", {"ann": 0, "bob": 2, "cy": 2})]
    )
    found = pair_means(report, "WT")
    first, second = (c.agreement.regions["WT"].pairs[0].dice for c in report.cases if c.agreement)
    assert found[0, 1] == found[1, 0] == pytest.approx((first + second) / 2)
    assert found[1, 2] == 1
    assert math.isnan(found[0, 0])
    assert icc_of_volumes(report, "WT") is None  # one case that all read


def test_what_cannot_be_read_is_skipped_and_told_without_names():
    broken = RatedCase("c2", (RatedReading("ann", refused), RatedReading("bob", lambda: seen(1))))
    report = measure_raters("x", [case("c1", {"ann": 0, "bob": 1}), broken])
    assert report.skipped == {"c2, ann": "the file a file is damaged"}
    assert [c.name for c in report.cases] == ["c1", "c2"]
    assert report.cases[1].agreement is None
    assert "c2, ann was left out" in as_html(report)


def test_nothing_to_measure_is_refused():
    with pytest.raises(InputError, match="no reading could be measured: c, ann: the file"):
        measure_raters("x", [RatedCase("c", (RatedReading("ann", refused),))])
    with pytest.raises(InputError, match="there is none"):
        measure_raters("x", [])


def test_the_page_needs_nothing_else_and_has_every_part():
    page = as_html(study())
    assert not re.search(r"https?:|//|@import|url\(|<script|<link", page)
    for heading in (
        "In short", "Agreement", "Rater by rater", "Spread over the cases",
        "Volumes (Bland-Altman)", "What sets raters apart", "Time against case",
        "Most disputed slices", "Methods", "Cases",
    ):  # fmt: skip
        assert f"<h2>{heading}</h2>" in page
    assert "24 submitted, 1 draft" in page
    assert page.count('aria-label="outlines of all raters"') == 5
    for drawn in re.findall(r"<svg.*?</svg>(?=</figure>|<figcaption>)", page, re.DOTALL):
        ElementTree.fromstring(drawn)


def test_one_case_makes_a_page_without_claims():
    page = as_html(report_on_files({"ann": seen(0), "bob": seen(1)}))
    assert "1 case, 2 raters" in page
    assert "too few cases" in page
    assert "stands out" not in page
    assert "Holm" not in page


def test_names_cannot_break_the_page():
    bad = '<script>alert("x")</script>&'
    page = as_html(measure_raters(bad, [case(bad, {bad: 0, "bob": 1})], skipped={bad: bad}))
    assert "<script" not in page


def test_raters_who_see_nothing_are_told():
    nothing = annotation(np.zeros_like(blocks()))
    report = report_on_files({"ann": seen(0), "bob": nothing, "cy": nothing})
    page = as_html(report)
    assert "in 2 of 3 pairs only one of them saw it" in page
    json.dumps(as_values(report), allow_nan=False)
    blank = report_on_files({"ann": nothing, "bob": nothing})
    assert blank.disputed == ()
    assert "Most disputed" not in as_html(blank)


def test_csv_has_a_row_a_reading_and_region():
    rows = list(csv.DictReader(as_csv(study(2)).splitlines()))
    assert len(rows) == 2 * 3 * 3
    assert rows[0]["rater"] == "ann"
    assert float(rows[0]["volume_ml"]) > 0
    assert rows[0]["proposal_score"] == ""


def test_json_holds_all_but_the_pictures():
    told = json.loads(json.dumps(as_values(study()), allow_nan=False))
    assert set(told["summary"]) == {"WT", "TC", "ET"}
    assert told["cases"]["c0"]["raters"] == ["ann", "bob", "cy"]
    assert {one["kind"] for one in told["effects"]} >= {"skill", "bias"}
    assert len(told["disputed"]) == 5
    assert told["methods"] == methods(study())


def test_the_most_disputed_slice_comes_first():
    first, second = blocks(), blocks()
    second[2] = 0
    found = disputed_slices("c", {"ann": annotation(first), "bob": annotation(second)})
    assert found[0].index == 2
    area = np.prod(found[0].spacing)
    assert found[0].doubt_mm2 == pytest.approx(np.count_nonzero(first[2]) * area)  # one bit each


def test_all_raters_outlines_are_drawn_with_their_names():
    found = disputed_slices("c", {f"r{n}": seen(n % 3) for n in range(12)})[0]
    drawn = ElementTree.fromstring(picture_of(found, [f"r{n}" for n in range(12)]))
    named = [title.text for title in drawn.iter("title")]
    assert named == [f"r{n}" for n in range(12)]


def test_twenty_raters_look_different():
    raters = [f"r{n}" for n in range(3 * len(RATER_COLOURS))]
    assert len({colour_of(raters, rater) for rater in raters}) == len(raters)


def test_plots_are_well_formed_for_few_and_many():
    for count in (1, 2, 20):
        names = [f"r<{n}>" for n in range(count)]
        matrix = np.full((count, count), 0.5)
        np.fill_diagonal(matrix, np.nan)
        ElementTree.fromstring(heat_map("a & b", names, matrix))
        rows = [Row(name, 0.1, None, None) for name in names]
        ElementTree.fromstring(forest("a & b", "%", rows))
    ElementTree.fromstring(dots("t", "across", [], []))
    numbers = re.findall(r">\.50<", heat_map("t", ["a", "b"], np.full((2, 2), 0.5)))
    assert len(numbers) == 4


def test_each_rater_stands_against_the_majority_of_the_others():
    report = study(3)
    expected = against_others({"ann": seen(0), "bob": seen(2), "cy": seen(2)})
    told = as_values(report)["against_others"]["c1"]["WT"]
    assert [one["first"] for one in told] == ["ann", "bob", "cy"]
    assert told[0]["dice"] == expected["WT"]["ann"].dice
    dice = others_values(report, "WT", "ann", "dice")
    assert len(dice) == 3
    page = as_html(report)
    assert "Each rater against the majority of the others" in page
    assert f"<td>{sum(dice) / 3:.3f}</td>" in page
    assert "against the majority" not in as_html(study_of_one_rater())


def study_of_one_rater():
    return measure_raters("Alone", [case(f"c{n}", {"ann": 0}) for n in range(2)])
