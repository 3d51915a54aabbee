"""Many cases one after the other, and their means."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from napari_mmseg.annotation import Annotation
from napari_mmseg.errors import AmbiguousEncodingError, InputError
from napari_mmseg.report import Pair, Pairing, measure, summarise
from napari_mmseg.report.summary import summary_of, values
from napari_mmseg.report.tables import as_csv, as_values

from .made_up import annotation, blocks, cohort

PAIRING = Pairing(
    tuple(Pair(name, Path(f"p/{name}"), Path(f"r/{name}")) for name in ("a", "b", "c")),
    without_prediction=("d",),
)


def reader(failing: str = "", error: Exception | None = None):
    def read(path: Path) -> Annotation:
        if error and path.name == failing:
            raise error
        return annotation(blocks(1 if path.parts[0] == "p" else 0))

    return read


def test_every_pair_is_measured_in_order():
    told: list[tuple[int, int]] = []
    found = measure(PAIRING, reader(), reader(), progress=lambda *n: told.append(n))
    assert [case.name for case in found.cases] == ["a", "b", "c"]
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert found.without_prediction == ("d",)
    assert found.cases[0].regions["WT"].hd95_mm == 1.0


def test_a_corrupt_case_is_skipped_with_its_sentence():
    found = measure(PAIRING, reader("b", InputError('"b" is empty')), reader())
    assert [case.name for case in found.cases] == ["a", "c"]
    assert found.skipped == {"b": '"b" is empty'}
    assert as_values(found)["skipped"] == {"b": '"b" is empty'}


def test_an_ambiguous_case_refuses_all_as_means_without_it_would_mislead():
    with pytest.raises(AmbiguousEncodingError):
        measure(PAIRING, reader(), reader("c", AmbiguousEncodingError("which?")))


def test_nothing_left_is_refused_with_the_first_reason():
    one = replace(PAIRING, pairs=PAIRING.pairs[:1])
    with pytest.raises(InputError, match=r'none of the 1 cases.*a: "a" is empty'):
        measure(one, reader("a", InputError('"a" is empty')), reader())


def test_summaries_are_their_definitions():
    sample = [0.1, 0.5, 0.6, 0.9, 0.95]
    summary = summary_of(sample)
    assert summary.n == 5
    assert summary.mean == pytest.approx(np.mean(sample))
    assert summary.sd == pytest.approx(np.std(sample, ddof=1))
    assert summary.median == 0.6
    assert summary_of(sample) == summary
    theirs = stats.bootstrap(
        (sample,), np.mean, method="percentile", n_resamples=5000, rng=np.random.default_rng(7)
    ).confidence_interval
    assert summary.ci95 == pytest.approx((theirs.low, theirs.high), abs=0.03)


def test_small_samples_claim_no_spread():
    assert summary_of([]).n == 0
    assert summary_of([]).mean is None
    alone = summary_of([0.5])
    assert (alone.mean, alone.median, alone.sd, alone.ci95) == (0.5, 0.5, None, None)


def test_undefined_ratios_do_not_count():
    made = cohort("a", "b", "c")
    empty = replace(made.cases[1].regions["ET"], dice=None, hd95_mm=None)
    cases = list(made.cases)
    cases[1] = replace(cases[1], regions={**cases[1].regions, "ET": empty})
    made = replace(made, cases=tuple(cases))
    summary = summarise(made)
    assert (summary["ET"]["dice"].n, summary["WT"]["dice"].n) == (2, 3)
    assert [name for name, _ in values(made, "ET", "dice")] == ["a", "c"]
    assert summary["ET"]["lesionwise_dice"].n == 3


def test_csv_has_a_row_a_case_and_region():
    made = cohort("a", 'odd, "name"')
    rows = list(csv.DictReader(io.StringIO(as_csv(made))))
    assert [(row["case"], row["region"]) for row in rows] == [
        (name, region) for name in ("a", 'odd, "name"') for region in ("WT", "TC", "ET")
    ]
    assert float(rows[3]["dice"]) == made.cases[1].regions["WT"].dice
    assert list(rows[0])[2:8] == [
        *("dice", "hd95_mm", "sensitivity", "precision", "volume_ml", "reference_volume_ml"),
    ]


def test_values_are_json_with_their_conventions():
    told = json.loads(json.dumps(as_values(cohort("a", "b")), allow_nan=False))
    assert told["cases"]["a"]["WT"]["dice"] == 1
    assert set(told["summary"]["WT"]["dice"]) == {"n", "mean", "sd", "median", "ci95"}
    assert told["conventions"]["lesionwise"]["penalty_mm"] == 374
    assert told["conventions"]["nsd_tolerance_mm"] == 1


def test_aliases_take_every_name():
    made = replace(
        cohort("Jane Doe", "John Roe"),
        skipped={"Max": 'the file "Max_seg.nii.gz" was cut off'},
        without_reference=("Eve",),
        without_prediction=("Ann",),
        notes=('left out, as 2 files have one case\'s name: "Bob.nii", "Bob_seg.nii"',),
    )
    told = json.dumps(as_values(made.anonymous())) + as_csv(made.anonymous())
    for name in ("Jane", "Doe", "John", "Max", "Eve", "Ann", "Bob"):
        assert name not in told
    assert [case.name for case in made.anonymous().cases] == ["case-1", "case-2"]
    assert made.anonymous().without_prediction == ("case-5",)
