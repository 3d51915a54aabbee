"""The most disputed slices of the page, and the key to the raters' colours."""

from __future__ import annotations

from html import escape

from .raters_case import RatersReport
from .raters_disputes import DisputedSlice, colour_of, picture_of
from .style import in_figure

_NOTE = (
    "Axial slices, the patient's right on the left; doubt is the entropy of the votes in bits, "
    "summed over the area. Where outlines coincide the last rater's is seen."
)


def most_disputed(report: RatersReport) -> list[str]:
    """The section of the page; empty when nobody differs."""
    if not report.disputed:
        return []
    figures = "".join(_figure(one, report) for one in report.disputed)
    return [
        "<h2>Most disputed slices</h2>",
        f'<p class="note">{_NOTE}{rater_key(report)}</p>',
        f'<div class="grid">{figures}</div>',
    ]


def _figure(one: DisputedSlice, report: RatersReport) -> str:
    area = one.spacing[0] * one.spacing[1]
    sizes = sorted(float(mask.sum()) * area for mask in one.masks.values())
    caption = (
        f"{escape(one.case)}, {escape(one.region)}, slice {one.index} from the top: doubt "
        f"{one.doubt_mm2:.0f} mm²; areas {sizes[0]:.0f} to {sizes[-1]:.0f} mm²"
    )
    return in_figure(picture_of(one, report.raters), f"<figcaption>{caption}</figcaption>")


def rater_key(report: RatersReport) -> str:
    """Which line is whose."""
    made = []
    for rater in report.raters:
        colour, dash = colour_of(report.raters, rater)
        style = {"": "solid", "6 3": "dashed"}.get(dash, "dotted")
        made.append(
            '<span class="name"><span class="line" style="background:#343a40;padding:3px 2px 2px;'
            f'border-top:none;width:1.6em"><span style="display:block;border-top:2.5px {style} '
            f'{colour}"></span></span>{escape(rater)}</span>'
        )
    return " " + " ".join(made)
