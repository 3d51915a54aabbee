"""Who reads what: seeded, balanced, and never changed by what comes later."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_mmseg.grid import Grid
from napari_mmseg.study import Assignment, CaseEntry, Design, Plan, Proposals
from napari_mmseg.study.assign import assign

GRID = Grid((2, 2, 2), np.eye(4))


def plan(raters: int, cases: int, seed: int = 0, **design: object) -> Plan:
    entries = tuple(CaseEntry(f"case-{n:03d}", f"c{n}", f"{n}", GRID) for n in range(cases))
    names = tuple(f"r{n}" for n in range(raters))
    return Plan("s", "glioma", seed, Design(**design), names, entries)  # type: ignore[arg-type]


plans = st.builds(
    plan,
    raters=st.integers(1, 5),
    cases=st.integers(1, 9),
    seed=st.integers(0, 99),
    proposal=st.sampled_from(list(Proposals)),
    repeats=st.sampled_from([0.0, 0.2, 0.5, 1.0]),
    mirror=st.booleans(),
    raters_per_case=st.integers(0, 3),
)


@settings(max_examples=60, deadline=None)
@given(whole=plans, raters=st.integers(0, 5), cases=st.integers(0, 9))
def test_adding_later_changes_nothing_that_was_handed_out(whole, raters, cases):
    part = replace(whole, raters=whole.raters[:raters], cases=whole.cases[:cases])
    before = assign(part, ())
    later = assign(whole, before)
    everything = (*before, *later)
    assert assign(whole, everything) == ()
    assert assign(part, ()) == before
    assert len({a.item for a in everything}) == len(everything)
    check_all(whole, everything)


def check_all(whole: Plan, found: tuple[Assignment, ...]) -> None:
    firsts = {(a.rater, a.case): a for a in found if not a.repeat}
    assert len(firsts) == sum(not a.repeat for a in found)
    for rater in whole.raters:
        own = [a for a in found if a.rater == rater]
        assert sorted(a.order for a in own) == list(range(1, len(own) + 1))
    for again in (a for a in found if a.repeat):
        first = firsts[again.rater, again.case]
        assert first.order < again.order
        assert first.proposal_shown == again.proposal_shown
        assert again.mirrored == whole.design.mirror
        assert not first.mirrored
    if whole.design.proposal is not Proposals.RANDOMISED:
        shown = whole.design.proposal is Proposals.SHOWN
        assert all(a.proposal_shown == shown for a in found)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 999), raters=st.integers(1, 6), cases=st.integers(1, 12))
def test_the_arms_are_balanced_within_raters_and_cases(seed, raters, cases):
    found = assign(plan(raters, cases, seed, proposal=Proposals.RANDOMISED), ())
    assert len(found) == raters * cases
    for name in ("rater", "case"):
        excess: Counter[str] = Counter()
        for a in found:
            excess[getattr(a, name)] += 1 if a.proposal_shown else -1
        # A rater's half is exact; a case may give way by one rater to keep it so.
        assert max(map(abs, excess.values())) <= (1 if name == "rater" else 2)


def test_the_arms_stay_balanced_when_cases_come_one_by_one():
    whole = plan(6, 20, 1, proposal=Proposals.RANDOMISED)
    found: tuple[Assignment, ...] = ()
    for count in range(1, 21):
        found += assign(replace(whole, cases=whole.cases[:count]), found)
    for name in ("rater", "case"):
        shown = Counter(getattr(a, name) for a in found if a.proposal_shown)
        assert set(shown.values()) == {10 if name == "rater" else 3}


def test_arms_are_drawn_anew_with_another_seed_and_alike_with_the_same():
    def arms(seed: int) -> list[bool]:
        found = assign(plan(4, 20, seed, proposal=Proposals.RANDOMISED), ())
        return [a.proposal_shown for a in sorted(found, key=lambda a: (a.rater, a.case))]

    assert arms(3) == arms(3)
    assert arms(3) != arms(4)


def test_the_order_differs_between_raters_and_is_not_that_of_the_cases():
    found = assign(plan(3, 20), ())
    orders = [tuple(a.case for a in found if a.rater == f"r{n}") for n in range(3)]
    assert len(set(orders)) == 3
    assert all(list(order) != sorted(order) for order in orders)


def test_a_share_of_the_cases_comes_back_much_later():
    found = assign(plan(12, 40, repeats=0.2, mirror=True), ())
    firsts = {(a.rater, a.case): a.order for a in found if not a.repeat}
    gaps = [a.order - firsts[a.rater, a.case] for a in found if a.repeat]
    assert Counter(a.rater for a in found if a.repeat) == dict.fromkeys(
        (f"r{n}" for n in range(12)), 8
    )
    assert min(gaps) > 48 * 0.15
    assert np.mean(gaps) > 48 / 3
    # Not all at the end, where a rater would look for them.
    assert min(a.order for a in found if a.repeat) < 30


def test_each_case_goes_to_as_many_raters_as_wanted_and_all_get_alike():
    found = assign(plan(5, 20, raters_per_case=3), ())
    assert set(Counter(a.case for a in found).values()) == {3}
    assert set(Counter(a.rater for a in found).values()) == {12}


def test_the_assignments_of_a_seed_are_pinned():
    # A study is made once and read for months: another draw by a newer version would lose it.
    found = assign(plan(2, 4, 7, repeats=0.5, proposal=Proposals.RANDOMISED), ())
    told = [(a.rater, a.case[-1], a.repeat, a.proposal_shown) for a in found]
    assert told == PINNED


PINNED = [
    ("r0", "1", 0, True),
    ("r0", "0", 0, False),
    ("r0", "3", 0, False),
    ("r0", "0", 1, False),
    ("r0", "3", 1, False),
    ("r0", "2", 0, True),
    ("r1", "3", 0, True),
    ("r1", "0", 0, True),
    ("r1", "3", 1, True),
    ("r1", "2", 0, False),
    ("r1", "1", 0, False),
    ("r1", "0", 1, True),
]
