"""Each rater against the majority of the others: a table over the cases."""

from __future__ import annotations

from html import escape

from .raters_case import RatersReport
from .raters_summary import PAIRS, others_values
from .style import key
from .summary import Measure

_NOTE = (
    "Mean over a rater's first readings against a consensus that the rater had no part in: what "
    "more than half of the other raters say (exactly half is out); n where fewer cases have a "
    "value than were read. The volume difference is the rater's minus the majority's."
)

#: Pairs have no first, so their table tells sizes; here the sign says who draws more.
_SIZE = " (size)"


def against_others(report: RatersReport) -> list[str]:
    """The section of the page; empty when no case has two readings."""
    if not any(case.others for case in report.cases):
        return []
    head = "".join(f"<th>{escape(measure.heading.replace(_SIZE, ''))}</th>" for measure in PAIRS)
    rows = []
    for region in report.regions:
        for number, rater in enumerate(report.raters):
            first = ' class="first"' if number == 0 else ""
            read = sum(rater in case.others.get(region, {}) for case in report.cases)
            cells = "".join(
                f"<td>{_cell(m, others_values(report, region, rater, m.key), read)}</td>"
                for m in PAIRS
            )
            rows.append(
                f'<tr{first}><td class="region">{key(region, report.colours)}</td>'
                f'<td class="region">{escape(rater)}</td><td>{read}</td>{cells}</tr>'
            )
    return [
        "<h2>Each rater against the majority of the others</h2>",
        f'<p class="note">{_NOTE}</p>',
        '<div class="wide"><table><thead><tr><th class="region">region</th>'
        f'<th class="region">rater</th><th>cases</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>",
    ]


def _cell(measure: Measure, values: list[float], read: int) -> str:
    if not values:
        return "–"
    sign = "+" if measure.key == "volume_difference_ml" else ""
    text = f"{sum(values) / len(values):{sign}.{measure.digits}f}".replace("-", "−")
    return text + (f"<small>n {len(values)}</small>" if len(values) < read else "")
