"""The made-up raters of the benchmark do what they are said to do."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import planted_study
from benchmarks._planted_raters import REGIONS, Habits, Workshop, nested, sequence, study
from napari_mmseg.agreement.effects import Effect, Kind, StudyEffects


@pytest.fixture(scope="module")
def workshop():
    return Workshop.of(5)


def test_labels_enclose_exactly_the_volume_asked_for_and_nest(workshop):
    labels = nested([workshop.noise() for _ in REGIONS], (4000, 900, 100))
    assert [int(labels.region(name).sum()) for name in REGIONS] == [4000, 900, 100]


def test_noise_has_the_spread_that_is_planted(workshop):
    field = np.stack([workshop.noise() for _ in range(20)])
    assert field.mean() == pytest.approx(0, abs=0.05)
    assert field.std() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("bias", [0.0, 0.2])
def test_bias_is_a_logarithm_of_volume(workshop, bias):
    logs = []
    for _ in range(12):
        tumour = workshop.tumour()
        way = workshop.own_way(Habits(bias=bias))
        labels, _ = workshop.read(tumour, way, order=0, middle=0, shown=False)
        logs.append(np.log(labels.volumes_ml["WT"] / tumour.truth.volumes_ml["WT"]))
    assert np.mean(logs) == pytest.approx(bias, abs=4 * 0.05 / np.sqrt(12))


def test_who_trusts_a_proposal_is_nearer_to_it_only_when_it_is_shown(workshop):
    tumour, near = workshop.tumour(), {}
    for shown in (True, False):
        way = workshop.own_way(Habits(trust=0.9, noise=0.2))
        labels, _ = workshop.read(tumour, way, order=0, middle=0, shown=shown)
        both = labels.region("WT") & tumour.proposal.region("WT")
        near[shown] = (
            2 * both.sum() / (labels.region("WT").sum() + tumour.proposal.region("WT").sum())
        )
    assert near[True] > near[False] + 0.03


def test_repeats_come_later_and_half_of_the_proposals_are_shown():
    order, shown = sequence(np.random.default_rng(1), 12, 4)
    assert len(order) == 16
    assert sum(shown) == 6
    for case, repeat in order:
        if repeat:
            assert order.index((case, 1)) > order.index((case, 0))


def test_every_rater_reads_every_case_in_an_order_of_their_own():
    made = list(study({"a": Habits(), "b": Habits()}, 4, 1, seed=0))
    assert [len([r for r in rated if r.repeat == 0]) for _, rated, _ in made] == [2] * 4
    for name in "ab":
        places = [r.order for _, rated, _ in made for r in rated if r.rater == name]
        assert sorted(places) == list(range(5))


def effect(rater, estimate, low, high, p_holm):
    return Effect(Kind.SKILL, "WT", rater, estimate, low, high, p_holm, p_holm, 40)


def test_recovered_and_invented_are_counted():
    told = StudyEffects((effect("a", 0.1, 0.05, 0.2, 0.001), effect("b", 0.1, 0.05, 0.2, 0.001)))
    truth = {(Kind.SKILL, "WT", "a"): 0.15, (Kind.SKILL, "WT", "b"): 0.0}
    inside, found = planted_study.recovered([told], truth)
    assert planted_study.share(inside) == planted_study.share(found) == 1
    called, without_zero = planted_study.invented([told], [], truth)
    assert called == {Kind.SKILL: [True]}
    assert without_zero == {Kind.SKILL: [True]}


def test_the_benchmark_runs_and_has_its_keys(monkeypatch):
    few = ("r01", "r03", "r06", "r07")
    for name, small in (
        ("MANY", 8),
        ("CASES", 8),
        ("REPEATS", 2),
        ("PLANTED", {rater: planted_study.PLANTED[rater] for rater in few}),
        ("NOBODY", {rater: Habits() for rater in few}),
    ):
        monkeypatch.setattr(planted_study, name, small)
    result = planted_study.run(n=1)
    assert 0 <= result["false_findings"] <= 0.05
    assert 0.5 <= result["recovered"] <= 1
    assert set(result["recovered_by_kind"]) >= {"skill", "bias", "anchoring", "effort", "repeats"}
