"""The agreement of many cases, one after the other: only one case is in memory at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..agreement.metrics import TOLERANCE_MM, RegionAgreement, evaluate
from ..annotation import Annotation
from ..errors import AmbiguousEncodingError, InputError, MmsegError
from ..io.sidecar import without_names
from .pairs import Pair, Pairing

#: Reads a label file.
Reader = Callable[[Path], Annotation]


@dataclass(frozen=True)
class CaseScores:
    """One case's agreement by region; `name` may be an alias, `pair` never is."""

    name: str
    pair: Pair = field(repr=False)
    regions: dict[str, RegionAgreement]


@dataclass(frozen=True)
class Cohort:
    """The agreement of all cases that could be measured, and what is missing from it.

    Parameters
    ----------
    cases
        In the order of their names.
    skipped
        A sentence a case that could not be read or compared.
    without_reference, without_prediction
        Names of the cases that only one of the folders has.
    notes
        Sentences about files that could not be told apart.
    tolerance_mm
        That of NSD.
    """

    cases: tuple[CaseScores, ...]
    skipped: dict[str, str] = field(default_factory=dict)
    without_reference: tuple[str, ...] = ()
    without_prediction: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    tolerance_mm: float = TOLERANCE_MM

    @property
    def regions(self) -> list[str]:
        return list(self.cases[0].regions)

    def anonymous(self) -> Cohort:
        """The same with case-1, case-2, ... for names, and no name in any sentence."""
        names = [
            *(case.name for case in self.cases),
            *self.skipped,
            *self.without_reference,
            *self.without_prediction,
        ]
        alias = {name: f"case-{n}" for n, name in enumerate(dict.fromkeys(names), start=1)}
        return replace(
            self,
            cases=tuple(replace(case, name=alias[case.name]) for case in self.cases),
            skipped={alias[name]: without_names(said) for name, said in self.skipped.items()},
            without_reference=tuple(alias[name] for name in self.without_reference),
            without_prediction=tuple(alias[name] for name in self.without_prediction),
            notes=tuple(without_names(note) for note in self.notes),
        )


def measure(
    pairing: Pairing,
    read_prediction: Reader,
    read_reference: Reader,
    *,
    tolerance_mm: float = TOLERANCE_MM,
    progress: Callable[[int, int], None] | None = None,
) -> Cohort:
    """Compare every pair; a case that cannot be is skipped with a sentence.

    Parameters
    ----------
    read_prediction, read_reference
        From a path to an annotation.
    progress
        Called with the cases done and their total.

    Raises
    ------
    AmbiguousEncodingError
        When a file can be read in several ways: without those cases the means would mislead.
    InputError
        When no case could be measured.
    """
    cases: list[CaseScores] = []
    skipped: dict[str, str] = {}
    for done, pair in enumerate(pairing.pairs, start=1):
        try:
            reference = read_reference(pair.reference)
            prediction = read_prediction(pair.prediction)
            regions = evaluate(prediction, reference, tolerance_mm=tolerance_mm)
            cases.append(CaseScores(pair.name, pair, regions))
        except AmbiguousEncodingError:
            raise
        except MmsegError as error:
            skipped[pair.name] = str(error)
        if progress:
            progress(done, len(pairing.pairs))
    if not cases:
        name, said = next(iter(skipped.items()))
        raise InputError(f"none of the {len(skipped)} cases could be compared; {name}: {said}")
    return Cohort(
        tuple(cases),
        skipped,
        pairing.without_reference,
        pairing.without_prediction,
        pairing.notes,
        tolerance_mm,
    )
