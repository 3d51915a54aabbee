"""What raters agree on, and what sets them apart, on one page that needs no other file."""

from __future__ import annotations

from html import escape

from ..agreement.effects import Effect, Kind
from ..agreement.effects.findings import FEWEST_CASES, MEANING
from ..agreement.icc import Icc
from .plots import Group, bland_altman, box_plot
from .raters_case import RatersReport
from .raters_disputes import colour_of
from .raters_methods import methods
from .raters_others import against_others
from .raters_plots import Row, dots, forest, heat_map
from .raters_repeats import against_themselves
from .raters_slices import most_disputed, rater_key
from .raters_summary import MEASURES, PAIRS, case_values, icc_of_volumes, pair_means, summarise
from .style import document, in_figure, key
from .summary import Measure, Summary

#: Digits of an effect, by kind.
_DIGITS = {Kind.BIAS: 1, Kind.VOLUME_DRIFT: 1}

#: What the table has room for; the rest is in the CSV and JSON.
_SHOWN = tuple(measure for measure in MEASURES if measure.key != "jaccard")

_NOTE = '<p class="note">{}</p>'


def as_html(report: RatersReport) -> str:
    """The whole page."""
    body = [
        f"<h1>{escape(report.title)}: agreement of the raters</h1>",
        _lead(report),
        *(
            f'<p class="warning">{escape(name)} was left out: {escape(said)}</p>'
            for name, said in report.skipped.items()
        ),
        "<h2>In short</h2>",
        _in_short(report),
        *_agreement(report),
        *against_others(report),
        *_spread(report),
        *_raters(report),
        *against_themselves(report),
        *_time(report),
        *most_disputed(report),
        "<h2>Methods</h2>",
        *(f"<p>{escape(paragraph)}</p>" for paragraph in methods(report)),
        *_cases(report),
    ]
    return document(f"{report.title}: agreement of the raters", body)


def _lead(report: RatersReport) -> str:
    states = ", ".join(f"{n} {state}" for state, n in report.counts.items() if n)
    cases = len(report.cases)
    return (
        f'<p class="lead">{cases} {"case" if cases == 1 else "cases"}, {len(report.raters)} '
        f"raters; regions {escape(', '.join(report.regions))} ({escape(report.protocol)})"
        f"{f'; readings: {escape(states)}' if states else ''}. For research use.</p>"
    )


def _in_short(report: RatersReport) -> str:
    told = []
    for region, measures in summarise(report).items():
        dice, size = measures["dice"], measures["volume_difference_ml"]
        if dice.mean is not None:
            between = f" [{dice.ci95[0]:.3f}, {dice.ci95[1]:.3f}]" if dice.ci95 else ""
            apart = f"; two raters differ by {size.mean:.1f} ml" if size.mean is not None else ""
            told.append(
                f"{region}: Dice of two raters {dice.mean:.3f}{between} on average{apart}"
                f"{_alone(report, region)}."
            )
    for kind in Kind:
        real = [one for one in report.effects.of(kind) if one.is_real]
        if real:
            unit, meaning = MEANING[kind]
            found = "; ".join(
                f"{one.rater or 'all raters'} in {one.region} {_told(one)}" for one in real
            )
            told.append(f"{str(kind).capitalize()} ({meaning}; {unit}): {found}.")
    if not report.effects.real and any(one.p is not None for one in report.effects.effects):
        told.append(
            "No effect of a rater, of the proposal, of order or of time stands out beyond chance."
        )
    return f"<ul>{''.join(f'<li>{escape(sentence)}</li>' for sentence in told)}</ul>"


def _alone(report: RatersReport, region: str) -> str:
    """In how many pairs only one rater saw the region: their Dice is 0 however small it is."""
    agreed = [case.agreement.regions[region] for case in report.cases if case.agreement]
    alone = sum(one.one_empty for one in agreed)
    pairs = sum(len(one.pairs) for one in agreed)
    return f"; in {alone} of {pairs} pairs only one of them saw it (Dice 0)" if alone else ""


def _told(one: Effect) -> str:
    digits = _DIGITS.get(one.kind, 3)
    text = f"{one.estimate:+.{digits}f}"
    if one.low is not None and one.high is not None:
        text += f" [{one.low:+.{digits}f}, {one.high:+.{digits}f}]"
    return text.replace("-", "−")


def _agreement(report: RatersReport) -> list[str]:
    if not any(case.agreement for case in report.cases):
        return []
    rows = []
    for region, measures in summarise(report).items():
        cells = "".join(f"<td>{_cell(m, measures[m.key])}</td>" for m in _SHOWN)
        cells += f"<td>{_icc_cell(icc_of_volumes(report, region))}</td>"
        rows.append(f"<tr><td class=region>{key(region, report.colours)}</td>{cells}</tr>")
    head = "".join(f"<th>{escape(m.heading)}</th>" for m in _SHOWN)
    head += "<th>ICC(2,1) of volumes</th>"
    maps = [
        in_figure(heat_map(f"Dice, {region}", report.raters, pair_means(report, region)))
        for region in report.regions
    ]
    return [
        "<h2>Agreement</h2>",
        f'<div class="wide"><table><thead><tr><th>region</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>",
        _NOTE.format(
            "Mean over the cases of the mean over all pairs of raters, 95 % interval (bootstrap "
            "of the cases), cases that have a value. Definitions: see Methods."
        ),
        "<h2>Rater by rater</h2>",
        _NOTE.format(
            "Mean Dice of each pair over its cases; white is the lowest pair of the region (or "
            "0.9), the deepest blue is 1."
        ),
        f'<div class="grid">{"".join(maps)}</div>',
    ]


def _cell(measure: Measure, summary: Summary) -> str:
    lines = [f"<b>{measure.text(summary.mean)}</b>"]
    if summary.ci95 is not None:
        low, high = (measure.text(end) for end in summary.ci95)
        lines.append(f"<small>[{low}, {high}]</small>")
    return "".join([*lines, f"<small>n {summary.n}</small>"])


def _icc_cell(found: Icc | None) -> str:
    if found is None:
        return "<b>–</b>"
    return (
        f"<b>{found.value:.3f}</b><small>[{found.low:.3f}, {found.high:.3f}]</small>"
        f"<small>n {found.cases}</small>"
    )


def _spread(report: RatersReport) -> list[str]:
    first = [r for r in report.readings if r.repeat == 0]
    plots = [
        box_plot(
            measure.heading,
            [
                Group(region, report.colours[region], case_values(report, region, measure.key))
                for region in report.regions
            ],
            (0.0, 1.0) if measure.key in ("dice", "nsd", "lesion_f1") else None,
        )
        for measure in PAIRS
        if measure.key in ("dice", "hd95_mm", "nsd")
    ]
    against = []
    for region in report.regions:
        others, own = [], []
        for one in first:
            if one.region == region and one.consensus_ml is not None:
                others.append((one.volume_ml + one.consensus_ml) / 2)
                own.append((f"{one.case}, {one.rater}", one.volume_ml - one.consensus_ml))
        if own:
            against.append(
                bland_altman(f"{region}, ml", Group(region, report.colours[region], own), others)
            )
    made = []
    if len(report.cases) > 1:
        made += [
            "<h2>Spread over the cases</h2>",
            _NOTE.format("A dot is a case (number of cases in brackets): the mean of its pairs."),
            f'<div class="grid">{"".join(map(in_figure, plots))}</div>',
        ]
    if against:
        made += [
            "<h2>Volumes (Bland-Altman)</h2>",
            _NOTE.format(
                "Each rater minus the majority of the others, against the mean of both, in ml; "
                "dashed: limits of agreement, mean ± 1.96 SD. Majorities of wavering outlines are "
                "a little smaller than the outlines themselves."
            ),
            f'<div class="grid">{"".join(map(in_figure, against))}</div>',
        ]
    return made


def _raters(report: RatersReport) -> list[str]:
    made = []
    plots = []
    for kind in Kind:
        effects = [one for one in report.effects.of(kind) if one.low is not None]
        for region in report.regions:
            rows = [
                Row(one.rater or "all raters", one.estimate, one.low, one.high, one.is_real)
                for one in effects
                if one.region == region
            ]
            if rows:
                plots.append(in_figure(forest(f"{kind}, {region}", MEANING[kind][0], rows)))
    if plots:
        made += [
            "<h2>What sets raters apart</h2>",
            _NOTE.format(
                "Estimates with 95 % intervals; filled and in red what is called real after "
                "correction for the number of questions (see Methods). Raters with fewer than "
                f"{FEWEST_CASES} cases that tell are not shown: they have no interval. "
                + "; ".join(f"{kind}: {meaning}" for kind, (_, meaning) in MEANING.items())
                + "."
            ),
            f'<div class="grid">{"".join(plots)}</div>',
        ]
    elif report.effects.effects:
        made.append(_NOTE.format("There are too few cases to tell raters apart with intervals."))
    return made


def _time(report: RatersReport) -> list[str]:
    region = report.regions[0]
    timed = [r for r in report.readings if r.region == region and r.repeat == 0 and r.active_s]
    if not timed:
        return []
    groups = [
        Group(
            rater,
            colour_of(report.raters, rater)[0],
            [(r.case, (r.active_s or 0) / 60) for r in timed if r.rater == rater],
        )
        for rater in report.raters
    ]
    names = [case.name for case in report.cases]
    rank = report.effects.effort_ranks.get(region)
    told = (
        ""
        if rank is None
        else (
            f" Spearman's correlation of time and agreement in {escape(region)}, cases and raters "
            f"apart: {rank:+.2f}."
        )
    )
    return [
        "<h2>Time against case</h2>",
        _NOTE.format(f"Active minutes of each first reading.{told}{rater_key(report)}"),
        in_figure(dots("active time, min", "cases in the order of the study", names, groups)),
    ]


def _cases(report: RatersReport) -> list[str]:
    shown = (*PAIRS[:1], *PAIRS[2:5])
    head = "".join(f"<th>{escape(m.heading)}</th>" for m in shown)
    rows = []
    for case in report.cases:
        regions = case.agreement.regions if case.agreement else {}
        for number, (region, agreed) in enumerate(regions.items()):
            name = (
                f'<td class="case" rowspan="{len(regions)}">{escape(case.name)}</td>'
                f'<td rowspan="{len(regions)}">{len(case.raters)}</td>'
                if number == 0
                else ""
            )
            cells = "".join(f"<td>{m.text(agreed.mean(m.key))}</td>" for m in shown)
            ml = agreed.volumes_ml.values()
            rows.append(
                f"<tr{' class=first' if number == 0 else ''}>{name}"
                f'<td class="region">{key(region, report.colours)}</td>{cells}'
                f"<td>{min(ml):.1f} to {max(ml):.1f}</td></tr>"
            )
    if not rows:
        return []
    return [
        "<h2>Cases</h2>",
        '<div class="wide"><table><thead><tr><th>case</th><th>raters</th>'
        f'<th class="region">region</th>{head}<th>volumes, ml</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>",
    ]
