"""A training seen from afar: its log as a page with the loss drawn, rewritten while it runs.

One self-contained HTML file with an SVG: no script, no address, it reloads itself.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

PAGE = "loss.html"
RELOAD_SECONDS = 60
SMOOTH_STEPS = 25  # of the thick line: the mean of as many steps
MOST_POINTS = 1200  # of a line: more than the picture has pixels

_WIDTH, _HEIGHT = 860, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 20, 20, 46


@dataclass(frozen=True)
class Record:
    """One line of the log."""

    step: int
    loss: float
    rate: float
    minutes: float
    validation: float | None = None


def read_log(path: Path) -> list[Record]:
    """The steps of a log in order; those repeated after a kill count once, the last time.

    A last line cut short by a kill is left out.
    """
    records: dict[int, Record] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            told = json.loads(line)
        except json.JSONDecodeError:
            continue
        records[told["step"]] = Record(
            told["step"], told["loss"], told["lr"], told["minutes"], told.get("validation")
        )
    return [records[step] for step in sorted(records)]


def write_page(log: Path, page: Path, title: str, steps: int) -> Path:
    """Draw the log into `page`, replacing it at once; `steps` is the length of the axis."""
    records = read_log(log)
    temporary = page.with_suffix(".tmp")
    temporary.write_text(_html(records, title, steps), encoding="utf-8")
    temporary.replace(page)
    return page


def running_mean(values: Sequence[float], length: int = SMOOTH_STEPS) -> list[float]:
    """Mean of the last `length` values at each place (of fewer at the start)."""
    means, total = [], 0.0
    for place, value in enumerate(values):
        total += value - (values[place - length] if place >= length else 0.0)
        means.append(total / min(place + 1, length))
    return means


def _html(records: Sequence[Record], title: str, steps: int) -> str:
    if records:
        last, mean = records[-1], running_mean([r.loss for r in records])[-1]
        told = (
            f"step {last.step} of {steps}, loss {mean:.3f} (mean of the last "
            f"{min(len(records), SMOOTH_STEPS)} steps), learning rate {last.rate:.2g}"
        )
    else:
        told = "no step is done yet"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="refresh" content="{RELOAD_SECONDS}">\n'
        f"<title>{escape(title)}</title>\n"
        "<style>body{font:15px sans-serif;margin:2em;color:#222;background:#fff}"
        "text{font:12px sans-serif;fill:#555}</style></head>\n"
        f"<body><h1>{escape(title)}</h1>\n<p>{told}</p>\n{_svg(records, steps)}\n"
        "<p>Thin: the loss of each step. Thick: its running mean. Orange: the learning rate, from "
        "0 to its highest. Green: mean Dice on the cases it is judged on, from 0 to 1.</p>"
        "</body></html>\n"
    )


def _svg(records: Sequence[Record], steps: int) -> str:
    losses = [record.loss for record in records]
    highest = max(losses, default=1.0)
    # The first steps tower over all others: the axis follows the bulk.
    if len(losses) > SMOOTH_STEPS:
        highest = sorted(losses)[int(0.98 * (len(losses) - 1))] * 1.15
    lowest = min([0.0, *losses])
    span = max(highest - lowest, 1e-6)
    last = max(steps, max((r.step for r in records), default=1), 1)
    top_rate = max((r.rate for r in records), default=0.0) or 1.0
    inner_width, inner_height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def x(step: float) -> float:
        return _LEFT + inner_width * step / last

    def y(share: float) -> float:
        return _TOP + inner_height * (1 - min(max(share, 0.0), 1.0))

    def line(values: Sequence[float], colour: str, width: float) -> str:
        every = max(1, len(values) // MOST_POINTS)
        points = " ".join(
            f"{x(record.step):.1f},{y(value):.1f}"
            for record, value in list(zip(records, values, strict=True))[::every]
        )
        return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}"/>'

    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" role="img">']
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(share):.1f}" y2="{y(share):.1f}" '
            'stroke="#ddd"/>'
            f'<text x="{_LEFT - 8}" y="{y(share) + 4:.1f}" text-anchor="end">'
            f"{lowest + share * span:.2f}</text>"
            f'<text x="{x(share * last):.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">'
            f"{round(share * last)}</text>"
        )
    parts.append(
        f'<text x="{_LEFT + inner_width / 2:.1f}" y="{_HEIGHT - 8}" text-anchor="middle">step'
        f'</text><text x="14" y="{_TOP + inner_height / 2:.1f}" text-anchor="middle" '
        f'transform="rotate(-90 14 {_TOP + inner_height / 2:.1f})">loss</text>'
    )
    if records:
        parts.append(line([r.rate / top_rate for r in records], "#e69f00", 1.2))
        parts.append(line([(v - lowest) / span for v in losses], "#c3d4e8", 0.8))
        parts.append(line([(v - lowest) / span for v in running_mean(losses)], "#1f4e8c", 2.2))
    parts += [
        f'<circle cx="{x(r.step):.1f}" cy="{y(r.validation):.1f}" r="4" fill="#009e73"/>'
        for r in records
        if r.validation is not None
    ]
    return "\n".join([*parts, "</svg>"])
