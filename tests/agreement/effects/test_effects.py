"""Effects of raters: against dummies and lstsq, published examples, and what was planted."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from napari_mmseg.agreement.effects import Effect, Kind, RepeatedReading, effects_of
from napari_mmseg.agreement.effects.clusters import fit
from napari_mmseg.agreement.effects.findings import FEWEST_CASES, corrected, spread_of
from napari_mmseg.agreement.effects.raters import bias, skill
from napari_mmseg.agreement.effects.repeats import repeatability
from napari_mmseg.agreement.effects.slopes import anchoring, drift, effort, effort_rank

from .tables import as_hidden, table, without


def by_rater(effects):
    return {one.rater: one for one in effects}


def test_levels_are_those_of_dummies_for_cases_and_raters():
    rows = without(table(skill=-0.05), 0.3)
    raters, cases = sorted({r.rater for r in rows}), sorted({r.case for r in rows})
    dummies = np.zeros((len(rows), len(raters) + len(cases)))
    for n, row in enumerate(rows):
        dummies[n, raters.index(row.rater)] = 1
        dummies[n, len(raters) + cases.index(row.case)] = 1
    found = np.linalg.lstsq(dummies, np.array([r.score for r in rows]), rcond=None)[0]
    expected = found[: len(raters)] - found[: len(raters)].mean()
    ours = [one.estimate for one in skill(rows, "WT")]
    assert ours == pytest.approx(expected, abs=1e-9)


def test_slopes_are_those_of_dummies_for_cases_and_raters():
    rows = without(table(anchoring=0.1), 0.2)
    raters, cases = sorted({r.rater for r in rows}), sorted({r.case for r in rows})
    columns = np.zeros((len(rows), 1 + len(raters) + len(cases)))
    for n, row in enumerate(rows):
        columns[n, 0] = row.proposal_shown
        columns[n, 1 + raters.index(row.rater)] = 1
        columns[n, 1 + len(raters) + cases.index(row.case)] = 1
    found = np.linalg.lstsq(columns, np.array([r.proposal_score for r in rows]), rcond=None)[0]
    assert by_rater(anchoring(rows, "WT"))[None].estimate == pytest.approx(found[0], abs=1e-9)


@pytest.mark.parametrize("cases", [8, 30])
def test_the_interval_of_a_mean_is_as_wide_as_students(cases):
    values = np.random.default_rng(3).normal(1, 2, cases)
    found = fit(
        values, np.ones((cases, 1)), np.arange(cases), np.ones((1, 1)),
        within_cases=False, resamples=8000,
    )  # fmt: skip
    low, high, p = spread_of(found.estimates[0], found.draws[:, 0], cases - 1, cases)
    by_t = stats.ttest_1samp(values, 0)
    assert (low, high) == pytest.approx(by_t.confidence_interval(0.95), abs=0.12 * (high - low))
    assert p == pytest.approx(by_t.pvalue, rel=0.25)


def test_holm_is_that_of_r():
    ps = (0.01, 0.04, 0.03, 0.02, 0.05)
    made = [Effect(Kind.SKILL, "WT", None, 1.0, p=p) for p in ps]
    # R: p.adjust(c(0.01, 0.04, 0.03, 0.02, 0.05), "holm")
    assert [one.p_holm for one in corrected(made)] == pytest.approx([0.05, 0.09, 0.09, 0.08, 0.09])


@given(st.lists(st.floats(0, 1), max_size=12))
def test_a_corrected_p_is_never_smaller_and_keeps_the_order(ps):
    made = corrected([Effect(Kind.BIAS, "WT", None, 1.0, p=p) for p in ps])
    told = [(one.p, one.p_holm) for one in made]
    assert all(p <= holm <= 1 for p, holm in told)
    assert [h for _, h in sorted(told)] == sorted(h for _, h in told)


def test_what_was_planted_is_found_and_nothing_else():
    planted = {"skill": -0.06, "bias": 0.15, "anchoring": 0.08, "drift": 0.03, "effort": 0.02}
    found = effects_of(table(cases=40, **planted))
    real = {(one.kind, one.rater) for one in found.real}
    assert {(Kind.SKILL, "r0"), (Kind.BIAS, "r0"), (Kind.ANCHORING, "r0")} <= real
    assert {(Kind.DRIFT, "r0"), (Kind.EFFORT, None)} <= real
    assert not [one for one in found.of(Kind.VOLUME_DRIFT) if one.is_real]
    anchored = by_rater(found.of(Kind.ANCHORING))["r0"]
    assert anchored.low < 0.08 < anchored.high
    assert found.effort_ranks["WT"] > 0.4


def test_nothing_is_found_where_nothing_was_planted():
    false = sum(len(effects_of(table(raters=4, cases=20, seed=seed)).real) for seed in range(4))
    assert false <= 1  # of 4 x 27 questions; by Holm one study in twenty has one, each kind


def test_bias_is_in_percent_of_the_mean_of_all():
    rows = table(raters=2, cases=25, bias=np.log(1.21))
    found = by_rater(bias(rows, "WT"))
    assert found["r0"].estimate == pytest.approx(10, abs=2)  # 1.21 = 1.1 times 1.1
    assert found["r0"].unit == "%"


def test_the_same_table_gives_the_same_numbers():
    rows = table(cases=12)
    assert effects_of(rows) == effects_of(list(rows))


def test_few_cases_give_an_estimate_and_no_interval():
    found = skill(table(cases=FEWEST_CASES - 1), "WT")
    assert [one.low for one in found] == [None] * 5
    assert not any(one.is_real for one in found)
    assert all(np.isfinite(one.estimate) for one in found)


def test_raters_without_a_case_in_common_are_not_compared():
    rows = [r for r in table(raters=2) if (int(r.case[1:]) < 15) == (r.rater == "r0")]
    assert skill(rows, "WT") == []


def test_cases_shown_to_all_or_none_are_compared_with_each_other():
    rows = [replace(r, proposal_shown=int(r.case[1:]) % 2 == 0) for r in table(cases=40)]
    rows = [replace(r, proposal_score=r.proposal_score + 0.2 * r.proposal_shown) for r in rows]
    overall = by_rater(anchoring(rows, "WT"))[None]
    assert overall.low < 0.2 < overall.high
    randomised = by_rater(anchoring(table(cases=40), "WT"))[None]
    assert overall.high - overall.low > 2 * (randomised.high - randomised.low)


def test_what_is_not_known_is_left_out():
    found = effects_of(as_hidden(table(cases=10)))
    assert {one.kind for one in found.effects} == {Kind.SKILL, Kind.BIAS}
    assert effects_of([]).effects == ()
    one_arm = [replace(r, proposal_shown=True) for r in table(cases=10)]
    assert anchoring(one_arm, "WT") == []
    assert effort_rank(as_hidden(table(cases=4)), "WT") is None


def test_a_hard_case_and_a_slow_rater_are_no_effort():
    rows = table(cases=30)  # some cases take more time and are agreed on more
    slow = [replace(r, active_s=r.active_s * (3 if r.rater == "r1" else 1)) for r in rows]
    found = by_rater(effort(slow, "WT"))[None]
    assert found.low < 0 < found.high
    assert found.estimate == pytest.approx(by_rater(effort(rows, "WT"))[None].estimate, abs=1e-9)


def test_drift_of_one_rater_is_not_that_of_others():
    found = by_rater(drift(table(cases=40, drift=0.04), "WT"))
    assert found["r0"].estimate == pytest.approx(0.04, abs=0.01)
    assert found["r1"].low < 0 < found["r1"].high


def test_repeatability_is_bland_and_altmans():
    random = np.random.default_rng(1)
    rows = [
        RepeatedReading("a", f"c{n}", "WT", 0.9, float(first), float(second))
        for n, (first, second) in enumerate(10 * np.exp(random.normal(0, 0.05, (400, 2))))
    ]
    both, own = repeatability(rows)
    assert both.rater is None
    assert own.volume_sd == pytest.approx(5, rel=0.1)
    assert own.volume_sd_ci95[0] < 5 < own.volume_sd_ci95[1]
    assert own.repeatability == pytest.approx(2.77 * own.volume_sd, rel=0.01)
    assert own.dice == pytest.approx(0.9)


def test_empty_repeats_have_no_volume_spread():
    (both, own) = repeatability([RepeatedReading("a", "c", "ET", None, 0.0, 0.0)])
    assert own.pairs == both.pairs == 1
    assert own.dice is None
    assert own.volume_sd is None
    assert (own.pairs, own.dice_pairs, own.volume_pairs) == (1, 0, 0)
    half = [
        RepeatedReading("a", "c", "ET", 0.0, 1.0, 0.0),
        RepeatedReading("a", "d", "ET", 0.8, 1.0, 1.2),
    ]
    _, own = repeatability(half)
    assert (own.pairs, own.dice_pairs, own.volume_pairs) == (2, 2, 1)


@given(st.integers(0, 1000), st.floats(-5, 5), st.floats(0.1, 3))
@settings(max_examples=15, deadline=None)
def test_a_change_of_scale_changes_nothing_else(seed, shift, scale):
    rows = without(table(raters=3, cases=8, seed=seed), 0.2, seed)
    moved = [replace(r, score=shift + scale * r.score) for r in rows]
    for one, other in zip(skill(rows, "WT"), skill(moved, "WT"), strict=True):
        assert other.estimate == pytest.approx(scale * one.estimate, abs=1e-6)
        if one.low is not None:
            assert other.low == pytest.approx(scale * one.low, abs=1e-6)
            assert other.p == pytest.approx(one.p, rel=1e-4, abs=1e-9)


def test_facts_are_json():
    found = effects_of(table(cases=8), [RepeatedReading("r0", "c0", "WT", 0.9, 1.0, 1.1)])
    facts = json.loads(json.dumps(found.facts(), allow_nan=False))
    assert facts["effects"][0]["kind"] == "skill"
    assert facts["repeats"][0]["pairs"] == 1
