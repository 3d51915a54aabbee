"""What a study is about: its design, raters and cases, as `study.toml` tells it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from ..errors import InputError, MmsegError
from ..grid import Grid
from .names import checked_name

FILE_NAME = "study.toml"

#: The layout of `study.toml`; a higher one is refused.
SCHEMA = 1

_HEAD = """\
# A study of napari-mmseg. This file tells cases and pseudonyms apart: keep it from the raters.
# `napari-mmseg study add` adds to it; assignments.jsonl records who reads what.
"""


class Proposals(StrEnum):
    """Whether raters begin with the model's proposal; randomised: each rater with half of them."""

    SHOWN = "shown"
    HIDDEN = "hidden"
    RANDOMISED = "randomised"


@dataclass(frozen=True)
class Design:
    """How readings are handed out.

    Parameters
    ----------
    proposal
        Do raters begin with the model's proposal?
    repeats
        The share of each rater's cases that come back under another name (0 to 1).
    mirror
        Repeats come back with left and right exchanged.
    raters_per_case
        How many raters read each case; 0: all.
    """

    proposal: Proposals = Proposals.HIDDEN
    repeats: float = 0.0
    mirror: bool = False
    raters_per_case: int = 0

    def __post_init__(self) -> None:
        if not 0.0 <= self.repeats <= 1.0:
            raise InputError(f"the share of repeats lies between 0 and 1, not at {self.repeats}")
        if self.raters_per_case < 0:
            raise InputError("the raters of each case cannot be fewer than none")


@dataclass(frozen=True, eq=False)
class CaseEntry:
    """A case of a study.

    Parameters
    ----------
    id
        Its name in the study and in everything that leaves it, such as "case-001".
    path
        Where its images are: relative to the study's folder, or absolute.
    fingerprint
        Of its reference image (`journal.fingerprint_of`).
    grid
        In display orientation.
    proposal
        A label file, relative to the study's folder; empty when there is none.
    encoding
        How that file is encoded; empty: its sidecar says so.
    """

    id: str
    path: str
    fingerprint: str
    grid: Grid
    proposal: str = ""
    encoding: str = ""


@dataclass(frozen=True, eq=False)
class Plan:
    """What `study.toml` tells. `problems` are sentences about entries that were left out."""

    name: str
    protocol: str
    seed: int
    design: Design
    raters: tuple[str, ...] = ()
    cases: tuple[CaseEntry, ...] = ()
    problems: tuple[str, ...] = field(default=(), repr=False)


def read_plan(file: Path) -> Plan:
    """Read `study.toml`.

    Raises
    ------
    InputError
        When it is not there, cannot be read, or is made by a newer version. A single rater or
        case that cannot be used is left out and told in `problems`.
    """
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f'the folder "{file.parent.name}" is no study, it holds no {FILE_NAME}: '
            "make one with napari-mmseg study new"
        ) from None
    except OSError as error:
        raise InputError(f'"{file.name}" cannot be read: {error.strerror}') from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f'"{file.name}" cannot be understood: {error}') from error
    try:
        if int(told["schema"]) > SCHEMA:
            raise InputError(f'"{file.name}" was made by a newer version: update this program')
        return _plan(told)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f'"{file.name}" lacks or misstates {error}: mend it by hand') from error


def plan_text(plan: Plan) -> str:
    """The content of `study.toml`."""
    design = plan.design
    lines = [
        _HEAD,
        f"schema = {SCHEMA}",
        f"name = {_text(plan.name)}",
        f"protocol = {_text(plan.protocol)}",
        f"seed = {plan.seed}",
        f"raters = [{', '.join(map(_text, plan.raters))}]",
        "",
        "[design]",
        f"proposal = {_text(design.proposal)}",
        f"repeats = {float(design.repeats)!r}",
        f"mirror = {str(design.mirror).lower()}",
        f"raters_per_case = {design.raters_per_case}",
    ]
    for case in plan.cases:
        rows = ", ".join(str([float(x) for x in row]) for row in case.grid.affine[:3])
        lines += [
            "",
            "[[cases]]",
            f"id = {_text(case.id)}",
            f"path = {_text(case.path)}",
            f"fingerprint = {_text(case.fingerprint)}",
            f"shape = {list(case.grid.shape)}",
            f"affine = [{rows}]",
        ]
        lines += [f"proposal = {_text(case.proposal)}"] if case.proposal else []
        lines += [f"encoding = {_text(case.encoding)}"] if case.encoding else []
    return "\n".join(lines) + "\n"


def _plan(told: Mapping[str, Any]) -> Plan:
    problems: list[str] = []
    design = told.get("design", {})
    return Plan(
        str(told["name"]),
        str(told["protocol"]),
        int(told["seed"]),
        Design(
            Proposals(design.get("proposal", Proposals.HIDDEN)),
            float(design.get("repeats", 0.0)),
            bool(design.get("mirror", False)),
            int(design.get("raters_per_case", 0)),
        ),
        tuple(_raters(told.get("raters", ()), problems)),
        tuple(_cases(told.get("cases", ()), problems)),
        tuple(problems),
    )


def _raters(names: Iterable[Any], problems: list[str]) -> Iterable[str]:
    seen: set[str] = set()
    for name in names:
        try:
            checked = checked_name(str(name))
        except InputError as refusal:
            problems.append(f"{FILE_NAME}: {refusal}")
            continue
        if checked.lower() in seen:
            problems.append(f"{FILE_NAME}: there are two raters {checked}: rename one")
            continue
        seen.add(checked.lower())
        yield checked


def _cases(entries: Iterable[Mapping[str, Any]], problems: list[str]) -> Iterable[CaseEntry]:
    seen: set[str] = set()
    for number, told in enumerate(entries, start=1):
        try:
            case = _case(told)
        except (MmsegError, KeyError, TypeError, ValueError) as error:
            reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
            problems.append(f"{FILE_NAME}: case number {number} cannot be used: {reason}")
            continue
        if case.id.lower() in seen:
            problems.append(f"{FILE_NAME}: there are two cases {case.id}: rename one")
            continue
        seen.add(case.id.lower())
        yield case


def _case(told: Mapping[str, Any]) -> CaseEntry:
    a, b, c = told["shape"]
    affine = np.vstack([np.array(told["affine"], dtype=np.float64), [0.0, 0.0, 0.0, 1.0]])
    proposal = str(told.get("proposal", ""))
    if PurePath(proposal).is_absolute() or ".." in PurePath(proposal).parts:
        raise InputError("its proposal lies outside the study's folder")
    return CaseEntry(
        checked_name(str(told["id"]), "case"),
        str(told["path"]),
        str(told["fingerprint"]),
        Grid((int(a), int(b), int(c)), affine),
        proposal,
        str(told.get("encoding", "")),
    )


def _text(value: str) -> str:
    """A TOML string: JSON's escapes are TOML's too, but for the delete character."""
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
