"""Several raters' readings of many cases, measured case by case: one at a time is in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..agreement.effects import (
    Rated,
    RepeatedReading,
    ScoredReading,
    StudyEffects,
    effects_of,
    score_case,
)
from ..agreement.many import CaseAgreement, agree
from ..agreement.metrics import TOLERANCE_MM
from ..agreement.others import against_others
from ..agreement.pair import PairAgreement
from ..annotation import Annotation
from ..case import Case
from ..errors import InputError, MmsegError
from ..io.sidecar import without_names
from .raters_disputes import DisputedSlice, disputed_slices, most_disputed

#: By region and rater: against the majority of the others.
Others = Mapping[str, Mapping[str, PairAgreement]]


@dataclass(frozen=True)
class RatedReading:
    """One reading that can be loaded; see `ScoredReading` for what its fields mean."""

    rater: str
    load: Callable[[], Annotation]
    repeat: int = 0
    proposal_shown: bool | None = None
    order: int | None = None
    active_s: float | None = None
    confidence: int | None = None


@dataclass(frozen=True)
class RatedCase:
    """One case with its readings, the model's proposal and its images, each loaded when asked.

    `agreement` and `others` are those of the first readings, where they are known already.
    """

    name: str
    readings: tuple[RatedReading, ...]
    load_proposal: Callable[[], Annotation | None] = lambda: None
    load_images: Callable[[], Case | None] = lambda: None
    agreement: CaseAgreement | None = None
    others: Others | None = None


@dataclass(frozen=True)
class MeasuredCase:
    """What one case told.

    `agreement` is among first readings, None with fewer than two; `others` is each first reading
    against the majority of the others, then empty.
    """

    name: str
    raters: tuple[str, ...]
    agreement: CaseAgreement | None
    scored: tuple[ScoredReading, ...]
    others: Others = field(default_factory=dict)


@dataclass(frozen=True)
class RatersReport:
    """Everything that the report shows.

    Parameters
    ----------
    title
        The study's name, or what was compared.
    protocol
        Its name; `regions` and `colours` ("#rrggbb") come from it.
    cases
        In the order given.
    disputed
        The slices that the raters differ about most.
    skipped
        A sentence for each case or reading that could not be used.
    counts
        Readings by state, where the source knows it: "submitted" to 12.
    """

    title: str
    protocol: str
    regions: tuple[str, ...]
    colours: dict[str, str]
    raters: tuple[str, ...]
    cases: tuple[MeasuredCase, ...]
    repeats: tuple[RepeatedReading, ...]
    effects: StudyEffects
    disputed: tuple[DisputedSlice, ...] = ()
    skipped: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    tolerance_mm: float = TOLERANCE_MM

    @property
    def readings(self) -> list[ScoredReading]:
        return [one for case in self.cases for one in case.scored]


def measure_raters(
    title: str,
    cases: Iterable[RatedCase],
    *,
    counts: dict[str, int] | None = None,
    skipped: dict[str, str] | None = None,
    tolerance_mm: float = TOLERANCE_MM,
    progress: Callable[[str], None] = lambda _: None,
) -> RatersReport:
    """Measure all cases; a reading or case that cannot be used is skipped with a sentence.

    Parameters
    ----------
    progress
        Called with each case's name before it is measured.

    Raises
    ------
    InputError
        When nothing could be measured.
    """
    from ..protocol import Protocol
    from .style import hex_colour

    problems = dict(skipped or {})
    measured: list[MeasuredCase] = []
    repeats: list[RepeatedReading] = []
    slices: list[DisputedSlice] = []
    protocol: Protocol | None = None
    for case in cases:
        progress(case.name)
        try:
            rated = _loaded(case, problems)
            if not rated:
                continue
            if protocol is not None and rated[0].annotation.protocol.name != protocol.name:
                raise InputError(
                    f"it follows the protocol {rated[0].annotation.protocol.name}, the others "
                    f"{protocol.name}"
                )
            first = {r.rater: r.annotation for r in rated if r.repeat == 0}
            scored, again = score_case(case.name, rated, _proposal(case, problems))
            agreed, others = case.agreement, case.others
            if agreed is None and len(first) > 1:
                agreed = agree(first, tolerance_mm=tolerance_mm)
            if others is None and len(first) > 1:
                others = against_others(first, tolerance_mm=tolerance_mm)
        except MmsegError as error:
            problems[case.name] = str(error)
            continue
        protocol = rated[0].annotation.protocol
        measured.append(MeasuredCase(case.name, tuple(first), agreed, tuple(scored), others or {}))
        repeats += again
        found = disputed_slices(case.name, first)
        slices = most_disputed([*slices, *found])
        if any(one.case == case.name for one in slices):
            slices = _with_images(slices, case, problems)
    if protocol is None:
        name, said = next(iter(problems.items()), ("", "there is none"))
        raise InputError(f"no reading could be measured: {name + ': ' if name else ''}{said}")
    every = [one for case in measured for one in case.scored]
    return RatersReport(
        title=title,
        protocol=protocol.name,
        regions=tuple(region.name for region in protocol.regions),
        colours={region.name: hex_colour(region.colour) for region in protocol.regions},
        raters=tuple(dict.fromkeys(one.rater for one in every)),
        cases=tuple(measured),
        repeats=tuple(repeats),
        effects=effects_of(every, repeats),
        disputed=tuple(slices),
        skipped={name: without_names(said) for name, said in problems.items()},
        counts=counts or {},
        tolerance_mm=tolerance_mm,
    )


def _loaded(case: RatedCase, problems: dict[str, str]) -> list[Rated]:
    """The readings of a case that can be read."""
    found = []
    for reading in case.readings:
        try:
            annotation = reading.load()
        except MmsegError as error:
            again = f", repeat {reading.repeat}" if reading.repeat else ""
            problems[f"{case.name}, {reading.rater}{again}"] = str(error)
            continue
        found.append(
            Rated(
                reading.rater,
                annotation,
                reading.repeat,
                reading.proposal_shown,
                reading.order,
                reading.active_s,
                reading.confidence,
            )
        )
    return found


def _proposal(case: RatedCase, problems: dict[str, str]) -> Annotation | None:
    try:
        return case.load_proposal()
    except MmsegError as error:
        problems[f"{case.name}, proposal"] = str(error)
        return None


def _with_images(
    slices: Sequence[DisputedSlice], case: RatedCase, problems: dict[str, str]
) -> list[DisputedSlice]:
    """The slices of a case over its images, where it has any on the labels' grid."""
    try:
        images = case.load_images()
    except MmsegError as error:
        problems[f"{case.name}, images"] = str(error)
        images = None
    if images is None:
        return list(slices)
    found = [one.over(images) if one.case == case.name else one for one in slices]
    if any(one.case == case.name and one.grey is None for one in found):
        problems[f"{case.name}, images"] = "the images lie on another grid than the labels"
    return found
