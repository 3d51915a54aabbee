"""Raters against themselves: a table of the blind repeats."""

from __future__ import annotations

from html import escape

from ..agreement.effects import Repeatability
from .raters_case import RatersReport
from .style import key

_NOTE = (
    "Blind repeats against first readings, left and right as in the patient. Where a region is "
    "empty there is no Dice or ratio of volumes: n then says how many repeats count."
)


def against_themselves(report: RatersReport) -> list[str]:
    """The section of the page; empty when nothing came back."""
    if not report.effects.repeats:
        return []
    rows = "".join(_row(one, report) for one in report.effects.repeats)
    return [
        "<h2>Raters against themselves</h2>",
        f'<p class="note">{_NOTE}</p>',
        '<div class="wide"><table><thead><tr><th class="region">region</th>'
        '<th class="region">rater</th><th>repeats</th><th>Dice</th>'
        "<th>within-rater SD of volume, %</th><th>repeatability coefficient, %</th></tr>"
        f"</thead><tbody>{rows}</tbody></table></div>",
    ]


def _row(one: Repeatability, report: RatersReport) -> str:
    first = ' class="first"' if one.rater is None else ""
    cells = [
        _with_interval(one.dice, one.dice_ci95, 3) + _fewer(one.dice_pairs, one.pairs),
        _with_interval(one.volume_sd, one.volume_sd_ci95, 1) + _fewer(one.volume_pairs, one.pairs),
        "–" if one.repeatability is None else f"{one.repeatability:.1f}",
    ]
    return (
        f'<tr{first}><td class="region">{key(one.region, report.colours)}</td>'
        f'<td class="region">{escape(one.rater or "all")}</td><td>{one.pairs}</td>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr>"
    )


def _fewer(count: int, pairs: int) -> str:
    """How many repeats a figure rests on, where it is not all of them."""
    return f"<small>n {count}</small>" if 0 < count < pairs else ""


def _with_interval(value: float | None, ends: tuple[float, float] | None, digits: int) -> str:
    if value is None:
        return "–"
    between = f" [{ends[0]:.{digits}f}, {ends[1]:.{digits}f}]" if ends else ""
    return f"{value:.{digits}f}{between}"
