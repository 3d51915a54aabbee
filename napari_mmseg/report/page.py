"""The cohort on one page: an HTML file that needs no other file and no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from ..agreement.lesions import PENALTY_MM, UNSCORED_MM3
from ..io.sidecar import without_names
from ..protocol import Protocol
from .cohort import CaseScores, Cohort
from .pictures import PREDICTION_COLOUR, REFERENCE_COLOUR
from .plots import Group, bland_altman, box_plot
from .style import document, hex_colour, in_figure, key
from .summary import MEASURES, RESAMPLES, Measure, Summary, summarise, values

#: Measures that get a box plot, with the ends of their axis where these are given by nature.
_PLOTTED: tuple[tuple[str, tuple[float, float] | None], ...] = (
    ("dice", (0.0, 1.0)),
    ("lesionwise_dice", (0.0, 1.0)),
    ("nsd", (0.0, 1.0)),
    ("sensitivity", (0.0, 1.0)),
    ("precision", (0.0, 1.0)),
    ("specificity", None),
    ("hd95_mm", None),
    ("lesionwise_hd95_mm", None),
    ("volume_error_ml", None),
)


@dataclass(frozen=True)
class Picture:
    """A slice of one case and region: an `<svg>` element and which slice it is (from 0)."""

    case: str
    region: str
    dice: float
    index: int
    svg: str


def as_html(cohort: Cohort, protocol: Protocol, pictures: Sequence[Picture] = ()) -> str:
    """The whole page."""
    colours = {region.name: hex_colour(region.colour) for region in protocol.regions}
    summary = summarise(cohort)
    count = len(cohort.cases)
    body = [
        "<h1>Predictions against references</h1>",
        f'<p class="lead">{count} {"case" if count == 1 else "cases"} compared; '
        f"regions {escape(', '.join(cohort.regions))} ({escape(protocol.title)}). "
        "For research use.</p>",
        _missing(cohort),
        "<h2>Summary</h2>",
        _summary_table(summary, colours),
        _conventions(cohort),
        "<h2>Spread over the cases</h2>",
        '<p class="note">Box: quartiles and median; whiskers: the last case within 1.5 '
        "interquartile ranges; a dot is a case (number of cases in brackets).</p>",
        f'<div class="grid">{"".join(_box_plots(cohort, colours))}</div>',
        "<h2>Volumes (Bland-Altman)</h2>",
        '<p class="note">Prediction minus reference against the mean of both, in ml; dashed: '
        "limits of agreement, mean ± 1.96 SD.</p>",
        f'<div class="grid">{"".join(_volume_plots(cohort, colours))}</div>',
    ]
    if pictures:
        body += [
            "<h2>Worst slices</h2>",
            f'<p class="note">Of the cases with the lowest Dice, the axial slice with the most '
            f"differing voxels.{_legend()}</p>",
            f'<div class="grid">{"".join(map(_figure, pictures))}</div>',
        ]
    body += ["<h2>Cases</h2>", _case_table(cohort.cases, colours)]
    return document("Predictions against references", body)


def _missing(cohort: Cohort) -> str:
    """What the numbers do not cover, before any number; files' own names may be a patient's."""
    said = [without_names(note) for note in cohort.notes]
    said += [
        f"{name} was skipped: {without_names(sentence)}"
        for name, sentence in cohort.skipped.items()
    ]
    if cohort.without_prediction:
        said.append(
            f"{len(cohort.without_prediction)} without a prediction, not counted as failures: "
            f"{', '.join(cohort.without_prediction)}"
        )
    if cohort.without_reference:
        said.append(
            f"{len(cohort.without_reference)} without a reference: "
            f"{', '.join(cohort.without_reference)}"
        )
    return "".join(f'<p class="warning">{escape(sentence)}</p>' for sentence in said)


def _summary_table(summary: Mapping[str, Mapping[str, Summary]], colours: Mapping[str, str]) -> str:
    rows = []
    for region, measures in summary.items():
        cells = "".join(f"<td>{_summary_cell(m, measures[m.key])}</td>" for m in MEASURES)
        rows.append(f"<tr><td class=region>{key(region, colours)}</td>{cells}</tr>")
    head = "".join(f"<th>{escape(m.heading)}</th>" for m in MEASURES)
    return (
        f'<div class="wide"><table><thead><tr><th>region</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _summary_cell(measure: Measure, summary: Summary) -> str:
    lines = [f"<b>{measure.text(summary.mean)}</b>"]
    if summary.ci95 is not None:
        low, high = (measure.text(end) for end in summary.ci95)
        lines.append(f"<small>[{low}, {high}]</small>")
    lines.append(f"<small>SD {measure.text(summary.sd)}</small>")
    lines.append(f"<small>median {measure.text(summary.median)}</small>")
    lines.append(f"<small>n {summary.n}</small>")
    return "".join(lines)


def _conventions(cohort: Cohort) -> str:
    return (
        f'<p class="note">Mean, 95 % interval of the mean (bootstrap of the cases, {RESAMPLES} '
        "resamplings, fixed seed), standard deviation, median, number of cases that have a value. "
        "A region that is empty on both sides has no Dice; HD95 (of surface voxels) needs "
        "the region on both sides. "
        f"NSD: share of both surfaces within {cohort.tolerance_mm:g} mm of each other. "
        "Specificity depends on the field of view. Lesion-wise: BraTS 2023, with Dice 0 and HD95 "
        f"{PENALTY_MM:g} mm for lesions missed or invented, reference lesions up to "
        f"{UNSCORED_MM3:g} mm³ not scored, HD95 of surface area, and Dice 1, HD95 0 where both "
        "sides are empty. Volume errors are prediction minus reference.</p>"
    )


def _box_plots(cohort: Cohort, colours: Mapping[str, str]) -> list[str]:
    by_key = {measure.key: measure for measure in MEASURES}
    return [
        in_figure(
            box_plot(
                by_key[key].heading,
                [
                    Group(region, colours[region], values(cohort, region, key))
                    for region in cohort.regions
                ],
                domain,
            )
        )
        for key, domain in _PLOTTED
    ]


def _volume_plots(cohort: Cohort, colours: Mapping[str, str]) -> list[str]:
    plots = []
    for region in cohort.regions:
        scores = [case.regions[region] for case in cohort.cases]
        means = [(s.volume_ml + s.reference_volume_ml) / 2 for s in scores]
        differences = values(cohort, region, "volume_error_ml")
        group = Group(region, colours[region], differences)
        plots.append(in_figure(bland_altman(f"{region}, ml", group, means)))
    return plots


def _case_table(cases: Sequence[CaseScores], colours: Mapping[str, str]) -> str:
    head = "".join(f"<th>{escape(m.heading)}</th>" for m in MEASURES)
    rows = []
    for case in cases:
        for number, (region, scores) in enumerate(case.regions.items()):
            first = ' class="first"' if number == 0 else ""
            name = (
                f'<td class="case" rowspan="{len(case.regions)}">{escape(case.name)}</td>'
                if number == 0
                else ""
            )
            cells = "".join(f"<td>{m.text(getattr(scores, m.key))}</td>" for m in MEASURES)
            volumes = f"<td>{scores.volume_ml:.1f} / {scores.reference_volume_ml:.1f}</td>"
            rows.append(
                f'<tr{first}>{name}<td class="region">{key(region, colours)}</td>'
                f"{cells}{volumes}</tr>"
            )
    return (
        f'<div class="wide"><table><thead><tr><th>case</th><th class="region">region</th>{head}'
        f"<th>volume, ml: prediction / reference</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _figure(picture: Picture) -> str:
    caption = (
        f"{escape(picture.case)}, {escape(picture.region)}: Dice {picture.dice:.2f}; "
        f"slice {picture.index} from the top"
    )
    return in_figure(picture.svg, f"<figcaption>{caption}</figcaption>")


def _legend() -> str:
    return (
        f'<span class="name"><span class="line" style="border-color:{REFERENCE_COLOUR}"></span>'
        'reference</span> <span class="name"><span class="line" '
        f'style="border-color:{PREDICTION_COLOUR};border-top-style:dashed"></span>'
        "prediction</span>"
    )
