"""The ablation's cells as rows with intervals, and docs/ablation.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from napari_mmseg.report.summary import summary_of

from ._ablation_cells import REGIONS, CaseDice, Cell

GROUPS = ("shifted", "real")
DIGITS = 4

Results = Mapping[Cell, Mapping[str, Any]]


@dataclass(frozen=True)
class Row:
    """One setting on one group of cases: means over its seeds.

    `regions`: mean Dice over the cases (one neither there nor found does not count, one invented
    counts 0). `mean` of all regions of a case, over the cases, with its 95 % bootstrap interval
    over the cases; `seeds`: that mean for each seed.
    """

    regions: Mapping[str, float | None]
    mean: float
    interval: tuple[float, float] | None
    seeds: tuple[float, ...]


def row(results: Sequence[Mapping[str, CaseDice]]) -> Row | None:
    """Of one setting's seeds, each with its cases; None without a case."""
    if not results or not results[0]:
        return None
    by_case = case_means(results)
    summary = summary_of(list(by_case.values()))
    return Row(
        regions={region: _mean(_of(results, region)) for region in REGIONS},
        mean=round(mean(by_case.values()), DIGITS),
        interval=_interval(summary.ci95),
        seeds=tuple(round(mean(case_means([one]).values()), DIGITS) for one in results),
    )


def case_means(results: Sequence[Mapping[str, CaseDice]]) -> dict[str, float]:
    """By case, over the seeds: mean Dice of its regions, one neither there nor found counting 1."""
    return {
        name: mean(1.0 if v is None else v for one in results for v in one[name].values())
        for name in results[0]
    }


def compared(
    first: Sequence[Mapping[str, CaseDice]], second: Sequence[Mapping[str, CaseDice]]
) -> tuple[float, tuple[float, float] | None]:
    """How much better `second` is, case by case, and the 95 % bootstrap interval of that."""
    before, after = case_means(first), case_means(second)
    summary = summary_of([after[name] - before[name] for name in before])
    return round(summary.mean or 0.0, DIGITS), _interval(summary.ci95)


def verdict(difference: float, interval: tuple[float, float] | None) -> str:
    """What the interval of a difference allows to say."""
    if interval is None or interval[0] <= 0.0 <= interval[1]:
        return "no difference is shown"
    return "it helps" if difference > 0 else "it does worse"


def summarised(results: Results) -> dict[str, Any]:
    """Rows by setting and group, and CMFT beside Kaiming, as plain values."""
    settings: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for cell, found in results.items():
        settings.setdefault(cell.setting, []).append(found)
    rows = []
    for (network, init, loss), seeds in settings.items():
        told: dict[str, Any] = {"network": network, "init": init, "loss": loss, "n": len(seeds)}
        for group in GROUPS:
            of_group = row([one[group] for one in seeds])
            told[group] = None if of_group is None else vars(of_group)
        told["cases"] = {
            name: {r: _mean(_of([one["real"] for one in seeds], r, name)) for r in REGIONS}
            for name in seeds[0]["real"]
        }
        told["seconds"] = round(mean(one["seconds"] for one in seeds), 1)
        rows.append(told)
    return {"rows": rows, "cmft_over_kaiming": list(_cmft(settings))}


def _cmft(settings: Mapping[tuple[str, str, str], list[Mapping[str, Any]]]) -> Iterable[Any]:
    for (network, init, loss), seeds in settings.items():
        others = settings.get((network, "kaiming", loss))
        if init != "cmft" or not others:
            continue
        both = min(len(seeds), len(others))
        for group in GROUPS:
            if not seeds[0][group]:
                continue
            gain, interval = compared(
                [one[group] for one in others[:both]], [one[group] for one in seeds[:both]]
            )
            yield {
                "network": network, "loss": loss, "cases": group, "difference": gain,
                "interval": interval, "verdict": verdict(gain, interval),
            }  # fmt: skip


def page(result: Mapping[str, Any]) -> str:
    """docs/ablation.md, whole."""
    rows = result["rows"]
    lines = [
        "# Ablation",
        "",
        f"Networks, first weights and losses on the same footing: {result['steps']} steps of two "
        f"small crops, base {result['base']}, {result['levels']} levels, the same simulated cases "
        "for the same seed, averaged weights, nothing dropped from the proposals. These are short "
        "runs: they compare, they do not say what a network reaches in the end. Shifted: heads of "
        "anatomies kept out of training, simulated differently. Real: cases that nothing here "
        "learnt from. Mean: of the three regions of a case (one neither there nor found counts 1, "
        "so a network that finds nothing gains where nothing is: look at the regions first), "
        "with the 95 % bootstrap interval over the cases; n: seeds. CMFT: the generators were "
        f"trained for {result['steps']} steps before, which the others did not have.",
        "",
        "Made by `python -m benchmarks ablation --write`; do not edit.",
        "",
    ]
    for group in GROUPS:
        if all(one[group] is None for one in rows):
            continue
        lines += [
            f"## {'Differently simulated' if group == 'shifted' else 'Real'} cases",
            "",
            "| network | init | loss | n | WT | TC | ET | mean (95 %) | seeds |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        ranked = [one for one in rows if one[group] is not None]
        ranked.sort(key=lambda one: -one[group]["mean"])
        for one in ranked:
            found = one[group]
            cells = [_cell(found["regions"][region]) for region in REGIONS]
            seeds = ", ".join(map(_cell, found["seeds"]))
            lines.append(
                f"| {one['network']} | {one['init']} | {one['loss']} | {one['n']} "
                f"| {' | '.join(cells)} | {_cell(found['mean'])} {_range(found['interval'])} "
                f"| {seeds} |"
            )
        lines.append("")
    lines += _case_table(rows)
    lines += ["## CMFT against Kaiming", ""]
    for one in result["cmft_over_kaiming"]:
        lines.append(
            f"- {one['network']}, {one['loss']}, {one['cases']} cases: mean Dice "
            f"{one['difference']:+.3f} {_range(one['interval'])}: {one['verdict']}."
        )
    if not result["cmft_over_kaiming"]:
        lines.append("Not yet measured.")
    if result["missing"]:
        lines += ["", f"Not run yet: {', '.join(result['missing'])}."]
    return "\n".join([*lines, ""])


def _case_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    names = list(rows[0]["cases"]) if rows else []
    if not names:
        return []
    lines = [
        "## Each real case",
        "",
        "WT / TC / ET, mean over the seeds; - where the region is neither there nor found.",
        "",
        f"| network, init, loss | {' | '.join(name.split('_')[-1] for name in names)} |",
        "|---" * (len(names) + 1) + "|",
    ]
    for one in rows:
        cells = [
            " / ".join(_short(one["cases"][name][region]) for region in REGIONS) for name in names
        ]
        setting = f"{one['network']}, {one['init']}, {one['loss']}"
        lines.append(f"| {setting} | {' | '.join(cells)} |")
    return [*lines, ""]


def _of(
    results: Sequence[Mapping[str, CaseDice]], region: str, name: str | None = None
) -> list[float]:
    found = (
        dice[region]
        for one in results
        for case, dice in one.items()
        if name is None or case == name
    )
    return [value for value in found if value is not None]


def _mean(values: Sequence[float]) -> float | None:
    return round(mean(values), DIGITS) if values else None


def _interval(found: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if found is None else (round(found[0], DIGITS), round(found[1], DIGITS))


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _range(interval: Sequence[float] | None) -> str:
    return "" if interval is None else f"[{interval[0]:.3f}, {interval[1]:.3f}]"
