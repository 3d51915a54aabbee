"""Raters come, go and are shown; letters and colours stay with them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_mmseg._napari.raters_group import RaterGroup
from napari_mmseg._napari.session import blank
from napari_mmseg.errors import InputError


def test_letters_and_colours_stay_when_another_rater_leaves(case):
    group, told = RaterGroup(), []
    group.members_changed.connect(lambda: told.append(len(group)))
    group.add([(name, blank(case)) for name in ("x", "y", "z")])
    colours = {rater.letter: rater.colour for rater in group}
    group.remove("B")
    assert [(r.letter, r.name) for r in group] == [("A", "x"), ("C", "z")]
    group.add([("z", blank(case))])
    assert [(r.letter, r.name) for r in group] == [("A", "x"), ("C", "z"), ("B", "z-2")]
    assert {rater.letter: rater.colour for rater in group} == colours
    assert told == [3, 2, 3]
    assert list(group.annotations) == ["x", "z", "z-2"]


def test_some_can_be_hidden(case):
    group, told = RaterGroup(), []
    group.shown_changed.connect(lambda: told.append([r.letter for r in group.shown]))
    group.add([(name, blank(case)) for name in ("x", "y", "z")])
    group.show("B", False)
    group.show_only({"A", "B"})
    group.show("C", True)
    assert told == [["A", "C"], ["A", "B"], ["A", "B", "C"]]


def test_too_many_and_other_protocols_are_refused(case):
    group = RaterGroup()
    group.add([("x", blank(case))])
    other = replace(blank(case).protocol, name="other")
    with pytest.raises(InputError, match="y follows the protocol other"):
        group.add([("y", blank(case, other))])
    with pytest.raises(InputError, match="20 raters can be told apart"):
        group.add([(f"r{n}", blank(case)) for n in range(20)])
    assert len(group) == 20
