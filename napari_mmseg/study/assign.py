"""Who reads what, in which order: chance with a seed, and what was handed out stays as it is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .chance import uniform
from .names import item_name
from .plan import Plan, Proposals

#: Where in a rater's order the first reading of a repeated case lies at the latest, and how much
#: later its repeat comes at least (shares of the order, on average).
_FIRST_BEFORE = 0.65
_REPEAT_AFTER = 0.3


@dataclass(frozen=True)
class Assignment:
    """One reading that a rater is to do.

    Parameters
    ----------
    rater, case
        Who reads which case.
    item
        What the reading is called towards the rater.
    repeat
        0 for the first reading of the case by this rater, 1 for its blind repeat.
    mirrored
        Left and right are exchanged.
    proposal_shown
        Does the rater begin with the model's proposal?
    order
        The place in the rater's work list, from 1.
    """

    rater: str
    case: str
    item: str
    repeat: int
    mirrored: bool
    proposal_shown: bool
    order: int

    def facts(self) -> dict[str, Any]:
        return {
            "rater": self.rater,
            "case": self.case,
            "item": self.item,
            "repeat": self.repeat,
            "mirrored": self.mirrored,
            "proposal_shown": self.proposal_shown,
            "order": self.order,
        }

    @classmethod
    def of_facts(cls, told: dict[str, Any]) -> Assignment:
        return cls(
            told["rater"],
            told["case"],
            told["item"],
            int(told["repeat"]),
            bool(told["mirrored"]),
            bool(told["proposal_shown"]),
            int(told["order"]),
        )


def assign(plan: Plan, before: Sequence[Assignment]) -> tuple[Assignment, ...]:
    """What is still to be handed out under a plan; nothing of `before` changes.

    Within each rater the arms of a randomised proposal differ in size by one at most, and each
    case is shown with its proposal to half of its raters as nearly as that allows. A repeat is
    in the arm of its first reading, and comes later in the rater's order, by about a third of
    the list or more.
    """
    new = _first_readings(plan, before)
    new = _with_arms(plan, before, new)
    new += _repeats(plan, before, new)
    return tuple(_named(plan, before, _ordered(plan, before, new)))


def _first_readings(plan: Plan, before: Iterable[Assignment]) -> list[Assignment]:
    there = {(a.rater, a.case) for a in before}
    load = Counter(rater for rater, _ in there)
    readers = Counter(case for _, case in there)
    wanted = plan.design.raters_per_case or len(plan.raters)
    found = []
    for case in plan.cases:
        free = [r for r in plan.raters if (r, case.id) not in there]
        free.sort(key=lambda r: (load[r], uniform(plan.seed, "reader", r, case.id)))
        missing = wanted - readers[case.id] if plan.design.raters_per_case else len(free)
        for rater in free[: max(0, missing)]:
            load[rater] += 1
            found.append(Assignment(rater, case.id, "", 0, False, False, 0))
    return found


def _with_arms(
    plan: Plan, before: Iterable[Assignment], new: Sequence[Assignment]
) -> list[Assignment]:
    if plan.design.proposal is not Proposals.RANDOMISED:
        shown = plan.design.proposal is Proposals.SHOWN
        return [replace(a, proposal_shown=shown) for a in new]
    excess: Counter[str] = Counter()  # by case and by rater: shown more often than hidden
    for assignment in before:
        if assignment.repeat == 0:
            step = 1 if assignment.proposal_shown else -1
            excess[f"case {assignment.case}"] += step
            excess[f"rater {assignment.rater}"] += step
    found = []
    for rater in plan.raters:
        own = [a for a in new if a.rater == rater]
        own.sort(key=lambda a: (excess[f"case {a.case}"], uniform(plan.seed, "arm", rater, a.case)))
        spare = len(own) - excess[f"rater {rater}"]
        count = min(max(spare // 2, 0), len(own))
        if (
            spare > 0 and spare % 2 and count < len(own)
        ):  # one too many for two halves: where its case needs it
            case = own[count].case
            lack = -excess[f"case {case}"]
            count += lack > 0 or (lack == 0 and uniform(plan.seed, "odd", rater, case) < 0.5)
        for place, assignment in enumerate(own):
            shown = place < count
            excess[f"case {assignment.case}"] += 1 if shown else -1
            found.append(replace(assignment, proposal_shown=shown))
    return found


def _repeats(
    plan: Plan, before: Iterable[Assignment], new: Sequence[Assignment]
) -> list[Assignment]:
    firsts = Counter(a.rater for a in (*before, *new) if a.repeat == 0)
    there = Counter(a.rater for a in before if a.repeat)
    found = []
    for rater in plan.raters:
        own = [a for a in new if a.rater == rater]
        own.sort(key=lambda a: uniform(plan.seed, "repeat", rater, a.case))
        wanted = int(plan.design.repeats * firsts[rater] + 0.5) - there[rater]
        mirrored = plan.design.mirror
        found += [replace(a, repeat=1, mirrored=mirrored) for a in own[: max(0, wanted)]]
    return found


def _ordered(
    plan: Plan, before: Iterable[Assignment], new: Sequence[Assignment]
) -> list[Assignment]:
    last: defaultdict[str, int] = defaultdict(int)
    for assignment in before:
        last[assignment.rater] = max(last[assignment.rater], assignment.order)
    again = {(a.rater, a.case) for a in new if a.repeat}

    def place(a: Assignment) -> float:
        first = uniform(plan.seed, "order", a.rater, a.case)
        if (a.rater, a.case) in again:
            first *= _FIRST_BEFORE
        if not a.repeat:
            return first
        earliest = first + _REPEAT_AFTER
        return earliest + (1.0 - earliest) * uniform(plan.seed, "again", a.rater, a.case)

    found = []
    for assignment in sorted(new, key=lambda a: (plan.raters.index(a.rater), place(a))):
        last[assignment.rater] += 1
        found.append(replace(assignment, order=last[assignment.rater]))
    return found


def _named(
    plan: Plan, before: Iterable[Assignment], new: Iterable[Assignment]
) -> Iterable[Assignment]:
    taken = {a.item for a in before}
    for assignment in new:
        turn = 0
        while (item := _name(plan, assignment, turn)) in taken:
            turn += 1
        taken.add(item)
        yield replace(assignment, item=item)


def _name(plan: Plan, a: Assignment, turn: int) -> str:
    return item_name(plan.seed, a.rater, a.case, a.repeat, turn)
