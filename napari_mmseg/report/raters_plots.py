"""Plots of raters as SVG: a heat map of pairs, dots of time, and effects with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from .plots import Axis, Group, rounded_range, signed, text_at

#: More raters than this get a heat map without numbers (they are in the table and the tips).
MOST_NUMBERED = 12

_GREY, _REAL = "#868e96", "#c2255c"
_PALE, _DEEP = np.array([255, 255, 255]), np.array([16, 78, 139])
_DARK_ABOVE = 0.55


@dataclass(frozen=True)
class Row:
    """One effect of a forest plot; None where there is no interval."""

    label: str
    estimate: float
    low: float | None
    high: float | None
    is_real: bool = False


def heat_map(title: str, names: Sequence[str], matrix: NDArray[np.float64]) -> str:
    """A square for each pair of raters, from the smallest value (pale) to 1 (deep).

    `matrix` is (raters, raters) with not-a-number where nothing is known.
    """
    known = matrix[np.isfinite(matrix)]
    low = min(float(known.min()), 0.9) if known.size else 0.0
    side = max(16.0, min(44.0, 300.0 / max(len(names), 1)))
    left = 12 + 6.4 * max((len(name) for name in names), default=0)
    top = 30.0
    parts = []
    for i, name in enumerate(names):
        y = top + side * i
        parts.append(text_at(left - 5, y + side / 2 + 4, name, "end"))
        x = left + side * (i + 0.5)
        bottom = top + side * len(names) + 12
        parts.append(
            f'<text transform="translate({x + 3:.1f} {bottom:.1f}) rotate(-60)" text-anchor="end" '
            f'fill="{_GREY}">{escape(name)}</text>'
        )
        for j, other in enumerate(names):
            tip = f"{name} and {other}"
            parts.append(_square(left + side * j, y, side, matrix[i, j], low, tip, len(names)))
    width = left + side * len(names) + 10
    height = top + side * len(names) + 20 + 5.8 * max((len(name) for name in names), default=0)
    return _svg(title, width, height, parts)


def dots(title: str, across: str, names: Sequence[str], groups: Sequence[Group]) -> str:
    """Values (`Group.points`: case and value) over the cases in the order of `names`."""
    width, height, left, bottom, top = 620.0, 250.0, 52.0, 36.0, 28.0
    every = [value for group in groups for _, value in group.points]
    y = Axis(*rounded_range([0.0, *every]), height - bottom, top)
    step = (width - left - 12) / max(len(names), 1)
    place = {name: left + step * (n + 0.5) for n, name in enumerate(names)}
    parts = []
    for tick in y.ticks:
        parts.append(_line(left, y.at(tick), width - 10, y.at(tick), "#dee2e6"))
        parts.append(text_at(left - 6, y.at(tick) + 4, f"{tick:g}", "end"))
    parts.append(text_at((left + width) / 2, height - 6, across))
    for number, group in enumerate(groups):
        shift = step * 0.7 * ((number + 0.5) / len(groups) - 0.5)
        for case, value in group.points:
            parts.append(
                f'<circle cx="{place[case] + shift:.1f}" cy="{y.at(value):.1f}" r="3" '
                f'fill="{group.colour}" stroke="#495057" stroke-width=".5">'
                f"<title>{escape(group.title)}, {escape(case)}: {value:.1f}</title></circle>"
            )
    return _svg(title, width, height, parts)


def forest(title: str, unit: str, rows: Sequence[Row]) -> str:
    """Estimates with 95 % intervals about zero; real ones filled and in colour."""
    line_height, top, foot = 17.0, 30.0, 40.0
    left = 14 + 6.4 * max((len(row.label) for row in rows), default=0)
    width = max(320.0, left + 220)
    height = top + line_height * len(rows) + foot
    ends = [v for row in rows for v in (row.estimate, row.low, row.high) if v is not None]
    x = Axis(*rounded_range([0.0, *ends]), left, width - 16)
    bottom = height - foot + 2
    parts = []
    for tick in x.ticks:
        parts.append(_line(x.at(tick), top - 6, x.at(tick), bottom, "#e9ecef"))
        parts.append(text_at(x.at(tick), bottom + 14, signed(tick)))
    parts.append(text_at((left + width - 16) / 2, height - 6, unit))
    parts.append(_line(x.at(0), top - 6, x.at(0), bottom, "#495057"))
    for n, row in enumerate(rows):
        y = top + line_height * (n + 0.5)
        colour = _REAL if row.is_real else "#495057"
        parts.append(text_at(left - 8, y + 4, row.label, "end"))
        told = signed(row.estimate)
        if row.low is not None and row.high is not None:
            parts.append(_line(x.at(row.low), y, x.at(row.high), y, colour, 2.0))
            told += f" [{signed(row.low)}, {signed(row.high)}]"
        parts.append(
            f'<circle cx="{x.at(row.estimate):.1f}" cy="{y:.1f}" r="3.6" stroke="{colour}" '
            f'stroke-width="1.5" fill="{colour if row.is_real else "#fff"}">'
            f"<title>{escape(row.label)}: {told}</title></circle>"
        )
    return _svg(title, width, height, parts)


def _square(
    x: float, y: float, side: float, value: float, low: float, tip: str, raters: int
) -> str:
    if not np.isfinite(value):
        return (
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{side:.1f}" height="{side:.1f}" '
            'fill="#f1f3f5" stroke="#fff"/>'
        )
    depth = float(np.clip((value - low) / max(1.0 - low, 1e-9), 0.0, 1.0))
    red, green, blue = (round(float(c)) for c in _PALE + (_DEEP - _PALE) * depth)
    drawn = (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{side:.1f}" height="{side:.1f}" '
        f'fill="#{red:02x}{green:02x}{blue:02x}" stroke="#dee2e6">'
        f"<title>{escape(tip)}: {value:.3f}</title></rect>"
    )
    if raters > MOST_NUMBERED:
        return drawn
    ink = "#fff" if depth > _DARK_ABOVE else "#212529"
    return drawn + (
        f'<text x="{x + side / 2:.1f}" y="{y + side / 2 + 4:.1f}" text-anchor="middle" '
        f'fill="{ink}">{_short(value)}</text>'
    )


def _short(value: float) -> str:
    """Two digits: 0.87 as .87, which fits small squares."""
    text = f"{value:.2f}"
    return text[1:] if text.startswith("0") else text


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1.0) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width:g}"/>'
    )


def _svg(title: str, width: float, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" style="max-width:{width * 1.25:.0f}px" '
        f'role="img" aria-label="{escape(title)}" font-family="sans-serif" font-size="11">'
        f'<text x="4" y="15" font-size="13" font-weight="bold">{escape(title)}</text>'
        f"{''.join(parts)}</svg>"
    )
