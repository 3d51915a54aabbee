"""Box plots and Bland-Altman plots as SVG, written by hand: two kinds need no plotting library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from ..agreement.bland_altman import LIMITS_SD

#: A whisker ends at the last value within this many interquartile ranges of the box (Tukey).
WHISKER_IQR = 1.5

_WIDTH, _HEIGHT = 300.0, 230.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 48.0, 10.0, 26.0, 30.0
#: Values nearer than this are drawn as one.
_NARROWEST = 1e-6

_GREY = "#868e96"
_LIMIT_NAMES = ("mean", f"−{LIMITS_SD} SD:", f"+{LIMITS_SD} SD:")
_ENDS = ("start", "end", "end")


@dataclass(frozen=True)
class Group:
    """The values of one box or cloud: `points` are (case, value)."""

    title: str
    colour: str
    points: Sequence[tuple[str, float]]


@dataclass(frozen=True)
class Axis:
    """A straight scale from data to pixels."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    @property
    def ticks(self) -> list[float]:
        return [t for t in ticks(self.low, self.high) if self.low <= t <= self.high]


def box_plot(title: str, groups: Sequence[Group], domain: tuple[float, float] | None = None) -> str:
    """A box, whiskers and all values for each group, as one `<svg>` element.

    `domain` are the ends of the value axis; by default those of the values.
    """
    every = [value for group in groups for _, value in group.points]
    low, high = domain or rounded_range(every)
    y = Axis(low, high, _HEIGHT - _BOTTOM, _TOP)
    parts = [_y_axis(y)]
    step = (_WIDTH - _LEFT - _RIGHT) / max(len(groups), 1)
    for number, group in enumerate(groups):
        centre = _LEFT + step * (number + 0.5)
        parts.append(text_at(centre, _HEIGHT - 10, f"{group.title} ({len(group.points)})"))
        if group.points:
            parts.append(_box(centre, step * 0.28, group, y))
    return _svg(title, parts)


def bland_altman(title: str, group: Group, means: Sequence[float]) -> str:
    """Differences (`group`'s values) against means of two measurements, with limits of agreement.

    `title` names both axes' unit. The limits are the mean difference +- 1.96 SD.
    """
    differences = [value for _, value in group.points]
    spread = _limits(differences)
    x = Axis(*rounded_range([0.0, *means]), _LEFT, _WIDTH - _RIGHT)
    y = Axis(*rounded_range([0.0, *differences, *spread]), _HEIGHT - _BOTTOM, _TOP)
    parts = [_y_axis(y)]
    for tick in x.ticks:
        parts.append(text_at(x.at(tick), _HEIGHT - _BOTTOM + 13, f"{tick:g}"))
    parts.append(text_at((_LEFT + _WIDTH) / 2, _HEIGHT - 4, "mean of both, ml"))
    parts.append(_line(_LEFT, y.at(0), _WIDTH - _RIGHT, y.at(0), "#495057"))
    for name, value, dash, end in zip(
        _LIMIT_NAMES, spread, ("", "4 3", "4 3"), _ENDS, strict=False
    ):
        parts.append(_line(_LEFT, y.at(value), _WIDTH - _RIGHT, y.at(value), group.colour, dash))
        where = _LEFT + 4 if end == "start" else _WIDTH - _RIGHT
        parts.append(text_at(where, y.at(value) - 3, f"{name} {signed(value)}", end))
    for (case, difference), mean in zip(group.points, means, strict=True):
        parts.append(_dot(x.at(mean), y.at(difference), group.colour, f"{case}: {difference:.1f}"))
    return _svg(title, parts)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers that cover `low` to `high`, some `about` of them."""
    raw = (high - low) / about
    power = 10.0 ** np.floor(np.log10(raw))
    step = float(power * next(m for m in (1, 2, 5, 10) if m * power >= raw * (1 - 1e-9)))
    first, last = int(np.floor(low / step)), int(np.ceil(high / step))
    return [round(n * step, 10) for n in range(first, last + 1)]


def rounded_range(values: Sequence[float]) -> tuple[float, float]:
    """Round ends of an axis that holds all values."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if high - low < _NARROWEST:
        low, high = low - 0.5, high + 0.5
    marks = ticks(low, high)
    return marks[0], marks[-1]


def _limits(differences: Sequence[float]) -> tuple[float, ...]:
    """The mean difference and the limits of agreement, where the values differ."""
    if not differences:
        return ()
    mean = float(np.mean(differences))
    reach = LIMITS_SD * float(np.std(differences, ddof=1)) if len(differences) > 1 else 0.0
    if reach == 0:
        return (mean,)
    return mean, mean - reach, mean + reach


def _box(centre: float, half: float, group: Group, y: Axis) -> str:
    values = np.array([value for _, value in group.points])
    low, middle, high = np.percentile(values, (25, 50, 75))
    reach = WHISKER_IQR * (high - low)
    bottom = min(low, values[values >= low - reach].min())  # not above an interpolated quartile
    top = max(high, values[values <= high + reach].max())
    left, right, colour = centre - half, centre + half, group.colour
    drawn = [
        _line(centre, y.at(bottom), centre, y.at(low), colour),
        _line(centre, y.at(high), centre, y.at(top), colour),
        f'<rect x="{left:.1f}" y="{y.at(high):.1f}" width="{right - left:.1f}" '
        f'height="{y.at(low) - y.at(high):.1f}" fill="{colour}" fill-opacity="0.15" '
        f'stroke="{colour}"/>',
        _line(left, y.at(middle), right, y.at(middle), colour, width=2.5),
    ]
    # Beside each other in the order of the cases: no two runs draw other pictures.
    places = np.linspace(-0.7, 0.7, len(values)) if len(values) > 1 else np.zeros(1)
    for place, (case, value) in zip(places, group.points, strict=True):
        drawn.append(_dot(centre + half * place, y.at(value), colour, f"{case}: {value:.3g}"))
    return "".join(drawn)


def _y_axis(y: Axis) -> str:
    drawn = []
    for tick in y.ticks:
        drawn.append(_line(_LEFT, y.at(tick), _WIDTH - _RIGHT, y.at(tick), "#dee2e6"))
        drawn.append(text_at(_LEFT - 6, y.at(tick) + 4, f"{tick:g}".replace("-", "−"), "end"))
    return "".join(drawn)


def signed(value: float) -> str:
    """A number in three figures with a true minus sign."""
    return f"{value:.3g}".replace("-", "−")


def _svg(title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img" aria-label="{escape(title)}" '
        f'font-family="sans-serif" font-size="11">'
        f'<text x="{_LEFT:g}" y="15" font-size="13" font-weight="bold">{escape(title)}</text>'
        f"{''.join(parts)}</svg>"
    )


def _line(
    x1: float, y1: float, x2: float, y2: float, colour: str, dash: str = "", width: float = 1.0
) -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width:g}"{dashed}/>'
    )


def text_at(x: float, y: float, text: str, anchor: str = "middle") -> str:
    """Grey words at a place."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{_GREY}">{escape(text)}</text>'
    )


def _dot(x: float, y: float, colour: str, tip: str) -> str:
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{colour}" fill-opacity="0.75">'
        f"<title>{escape(tip)}</title></circle>"
    )
