"""A contact sheet of models' answers to simulated tumours: what each version finds and misses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_mmseg.inference.engine import Engine, candidates
from napari_mmseg.models import Card, load_card
from napari_mmseg.training.calibrate import predicted
from napari_mmseg.training.gallery import TILE, Image, grey, outlined, square
from napari_mmseg.training.simulate.anatomy import Head
from napari_mmseg.training.simulate.case import simulate_geometry
from napari_mmseg.training.simulate.chance import Chance
from napari_mmseg.training.simulate.render import draw_recipe, render
from napari_mmseg.training.simulate.tumour import KINDS, Kind, Plan
from napari_mmseg.training.validate import Labelled, dice

HEALTHY = "no tumour"
TITLE_HEIGHT = 16
SHOWN = {"T1ce": 1, "T2": 2, "FLAIR": 3}  # channels
LEAST_RADIUS_MM = 14.0  # a tumour large enough to be seen in one slice
_STREAM = 71


@dataclass(frozen=True)
class Answered:
    """A case (images (4, I, P, L), depths (I, P, L)) and each model's answer to it, as depths."""

    name: str
    volumes: NDArray[np.float32]
    depth: NDArray[np.uint8]
    answers: Mapping[str, NDArray[np.uint8]]


def cases_of_kinds(heads: Sequence[Head], seed: int = 0) -> Iterator[tuple[str, Labelled]]:
    """One case of every kind of tumour in turn, and at last one without any."""
    for number, kind in enumerate((*KINDS, None)):
        chance = Chance(seed, _STREAM, number)
        head = heads[number % len(heads)]
        case = simulate_geometry(
            head,
            chance,
            healthy=kind is None,
            adjust=partial(_as_kind, kind),
        )
        i, p, left = case.shape
        box = (slice(0, i), slice(0, p), slice(0, left))
        volumes = render(case, box, draw_recipe(case, chance), chance).numpy()
        yield kind or HEALTHY, (volumes, case.depth())


def answered(
    cases: Iterator[tuple[str, Labelled]], models: Mapping[str, str | Path]
) -> Iterator[Answered]:
    """Each case with the answers of `models` (folders or names, by title)."""
    cards = {title: load_card(model) for title, model in models.items()}
    engines = {title: candidates("cpu")[0][1](card) for title, card in cards.items()}
    try:
        for name, (volumes, depth) in cases:
            answers = {
                title: _answer(card, engines[title], volumes) for title, card in cards.items()
            }
            yield Answered(name, volumes, depth, answers)
    finally:
        for engine in engines.values():
            engine.close()


def case_row(case: Answered) -> tuple[Image, list[str]]:
    """The slice with most tumour, true or found: contrasts, labels, answers; a title for each."""
    brain = (case.volumes != 0).any(axis=0)
    found = sum((answer > 0).sum(axis=(1, 2)) for answer in case.answers.values())
    true = (case.depth > 0).sum(axis=(1, 2))
    index = int(np.argmax(true if true.any() else found))
    tiles = [grey(case.volumes[c][index], case.volumes[c][brain]) for c in SHOWN.values()]
    flair = tiles[-1]
    tiles.append(outlined(flair, case.depth[index]))
    tiles += [outlined(flair, answer[index]) for answer in case.answers.values()]
    titles = [*SHOWN, "labels"]
    titles += [f"{title}: {_said(case, answer)}" for title, answer in case.answers.items()]
    titles[0] = f"{case.name}: {titles[0]}"
    return np.concatenate([square(tile) for tile in tiles], axis=1), titles


def write_answers(cases: Iterator[Answered], path: Path) -> Path:
    """A PNG with a row for each case, titles above its tiles."""
    from PIL import Image as Picture
    from PIL import ImageDraw

    rows: list[Image] = []
    lines: list[list[str]] = []
    for case in cases:
        row, titles = case_row(case)
        rows += [np.zeros((TITLE_HEIGHT, row.shape[1], 3), np.uint8), row]
        lines.append(titles)
    picture = Picture.fromarray(np.concatenate(rows))
    pen = ImageDraw.Draw(picture)
    for number, titles in enumerate(lines):
        for place, title in enumerate(titles):
            top = number * (TITLE_HEIGHT + TILE) + 2
            pen.text((place * TILE + 4, top), title, fill=(255, 255, 255))
    temporary = path.with_name(f".{path.name}.tmp")
    # A palette keeps grey pictures with a few colours small.
    picture.quantize(256, dither=Picture.Dither.NONE).save(temporary, format="PNG", optimize=True)
    temporary.replace(path)
    return path


def _as_kind(kind: Kind | None, plan: Plan) -> Plan:
    if kind is None:
        return plan
    return replace(plan, kind=kind, radius=max(plan.radius, LEAST_RADIUS_MM))


def _answer(card: Card, engine: Engine, volumes: NDArray[np.float32]) -> NDArray[np.uint8]:
    # The protocol's codes are depths of nesting.
    return predicted(card, engine, volumes).annotation().codes


def _said(case: Answered, answer: NDArray[np.uint8]) -> str:
    """Dice of WT, TC and ET; where a region is not there, the ml invented."""
    said = []
    for level in (1, 2, 3):
        true = case.depth >= level
        if true.any():
            said.append(f"{dice(true, answer >= level):.2f}")
        else:
            said.append(f"{(answer >= level).sum() / 1000:.1f} ml")
    return " ".join(said)
