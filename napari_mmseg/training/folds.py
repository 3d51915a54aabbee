"""Tune a model on labelled cases such that each is also judged by a network that never saw it.

The cases are dealt into folds. For each fold a network is continued from the model on all the other
cases and judged on the fold's, as the command line would segment them. The final network is
continued in the same way on every case, so nothing is left to judge it by: its card gives the
folds' figures, and says whose they are. `folds.json` in the run's folder says which case was left
out where; what it holds is not done again when a run is resumed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from napari_mmseg.errors import InputError
from napari_mmseg.inference import segment
from napari_mmseg.models import Card, load_card
from napari_mmseg.models.networks.region import RegionNetwork
from napari_mmseg.models.seen import FOLDS, fingerprints, learnt_from
from napari_mmseg.training.checkpoint import load_checkpoint
from napari_mmseg.training.datasets import (
    FOLDER,
    CaseSet,
    Tell,
    case_files,
    collect,
    opened,
    write_index,
)
from napari_mmseg.training.export import base_card, export_model, network_of
from napari_mmseg.training.finetune import (
    REJECTED,
    WorseModelError,
    continued,
    options_for,
    refuse_others_folder,
    write_model,
)
from napari_mmseg.training.finish import told_of
from napari_mmseg.training.fold_record import (
    AFTER,
    BEFORE,
    Entry,
    Figures,
    Record,
    figures_of,
    mean_dice,
    overall,
)
from napari_mmseg.training.layouts import find_places
from napari_mmseg.training.loop import CHECKPOINT, Progress, train
from napari_mmseg.training.options import TrainOptions
from napari_mmseg.training.simulate.chance import Chance

RECORD = "folds.json"
EVERYTHING = "all"  # the run of the final network
_MODEL = "model"  # the folder of a fold's network within its run
_DEAL_STREAM = 51
_ET_DEPTH = 3


@dataclass(frozen=True)
class Folded:
    """A model that was tuned on all cases, and the mean Dice by region before and in the folds."""

    folder: Path
    record: Path
    cases: int
    before: Mapping[str, float | None]
    after: Mapping[str, float | None]


def tune_in_folds(
    options: TrainOptions,
    model: str,
    folds: int,
    folder: Path,
    licence: str,
    report: Progress | None = None,
    tell: Tell | None = None,
) -> Folded:
    """Continue `model` on the cases of `options.data`, fold by fold, then on all of them.

    Steps, rate, replay and averaging are those of `options`, the same for every network; the final
    model goes to `folder`, and the runs lie in the folder of `options.name`. As many `folds` as
    cases: each case is left out alone. `licence` is the final model's: what its cases allow.

    Raises
    ------
    WorseModelError
        When the networks do worse than `model` on the cases that they did not see: the final
        model is kept beside `folder`, under a name of its own.
    InputError
        When the cases cannot be used or dealt so, the model has learnt from one of them, or the
        run is there already, or was begun in another way.
    ModelError
        When the model cannot be trained here.
    """
    card = load_card(model)
    say = tell or (lambda _: None)
    options = replace(options_for(card, model, options), hold_out=0.0)
    refuse_others_folder(folder, card)
    _refuse_others_run(options)
    everything = replace(options, out=options.folder, name=EVERYTHING, resume=True)
    cases = collect(everything, tell)
    _refuse_known(card, cases)
    record = _record_of(options, card, cases, folds)
    _judge(record, record.entries, BEFORE, card.folder, options)
    for number in range(1, folds + 1):
        left_out = [entry for entry in record.entries if entry.fold == number]
        if any(entry.after is None for entry in left_out):
            say(f"fold {number} of {folds}: {len(cases.cases) - len(left_out)} cases to learn from")
            fold = replace(everything, name=f"fold-{number}")
            _share_cases(cases, {entry.name for entry in left_out}, fold)
            network = _trained(fold, report)
            about = base_card(fold.name, network) | continued(card, _told(fold))
            made = export_model(network, fold.folder / _MODEL, fold.name, about).parent
            _judge(record, left_out, AFTER, made, options)
        say(f"fold {number} of {folds}, not seen: {_line(e.after for e in left_out if e.after)}")
    say(f"the final network: {len(cases.cases)} cases to learn from")
    network = _trained(everything, report)
    before, after = record.figures(BEFORE), record.figures(AFTER)
    told = {
        **base_card(options.name, network),
        **continued(card, _told(everything)),
        "licence": licence,
        "validation": {FOLDS: record.for_card(card.name)},
    }
    if overall(after) < overall(before):
        kept = folder.with_name(folder.name + REJECTED)
        write_model(network, kept, {**told, "name": told["name"] + REJECTED})
        raise WorseModelError(
            f"tuned on your cases, {card.name} does worse on those it did not see (mean Dice "
            f"{overall(after):.3f} against {overall(before):.3f}): nothing is replaced, and what "
            f"came out is kept aside as {kept.name}"
        )
    write_model(network, folder, told)
    return Folded(folder, record.path, len(cases.cases), mean_dice(before), mean_dice(after))


def deal(with_et: Sequence[bool], folds: int, seed: int) -> tuple[int, ...]:
    """The fold, from 1, of each case: by lot, cases with and without ET spread evenly.

    Raises
    ------
    InputError
        When a fold would be empty or nothing would be left to learn from.
    """
    if not 2 <= folds <= len(with_et):
        raise InputError(
            f"{len(with_et)} cases cannot be dealt into {folds} folds: at least 2 are needed, and "
            "at most as many as there are cases"
        )
    order = Chance(seed, _DEAL_STREAM).rng.permutation(len(with_et)).tolist()
    order.sort(key=lambda case: with_et[case])
    place = {case: turn % folds + 1 for turn, case in enumerate(order)}
    return tuple(place[case] for case in range(len(with_et)))


def _record_of(options: TrainOptions, card: Card, cases: CaseSet, folds: int) -> Record:
    with_et = [bool((cases.read(case)[1] >= _ET_DEPTH).any()) for case in cases.cases]
    dealt = deal(with_et, folds, options.seed)
    origin = {
        "model": card.name,
        "weights_sha256": card.weights_sha256,
        "folds": folds,
        "seed": options.seed,
        "steps": options.steps,
        "learning_rate": options.learning_rate,
        "replay": options.replay,
        "ema": options.ema,
        "encoding": options.encoding,
        "learn": options.learn,
    }
    entries = (
        Entry(case.name, fold, case.images) for case, fold in zip(cases.cases, dealt, strict=True)
    )
    record = Record(options.folder / RECORD, origin, tuple(entries))
    if record.path.exists():
        return record.resumed()
    record.save()
    return record


def _refuse_others_run(options: TrainOptions) -> None:
    begun = (options.folder / RECORD).exists()
    # Networks without their record may have seen any case.
    if (begun and not options.resume) or (
        not begun and any(options.folder.glob(f"*/{CHECKPOINT}"))
    ):
        raise InputError(
            f"the run {options.name} is there already: go on with it (--resume) if it was one in "
            "folds, or give the new one another --name"
        )


def _refuse_known(card: Card, cases: CaseSet) -> None:
    known = learnt_from(card)
    seen = [case.name for case in cases.cases if not known.isdisjoint(case.images)]
    if seen:
        raise InputError(
            f"the model {card.name} has learnt from {seen[0]} already, so no network that goes on "
            "with it can be judged on that case: begin with another --model"
        )


def _share_cases(cases: CaseSet, left_out: set[str], fold: TrainOptions) -> None:
    """The prepared cases as those of a fold's run: the same files, others held out."""
    folder = fold.folder / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for case in cases.cases:
        for old, new in zip(
            case_files(cases.folder, case.number), case_files(folder, case.number), strict=True
        ):
            new.unlink(missing_ok=True)
            try:
                os.link(old, new)
            except OSError:  # some file systems know no links
                shutil.copyfile(old, new)
    dealt = tuple(replace(case, held_out=case.name in left_out) for case in cases.cases)
    write_index(replace(cases, folder=folder, cases=dealt), fold)


def _trained(run: TrainOptions, report: Progress | None) -> RegionNetwork:
    """The run's network, trained as far as it is not yet."""
    path = run.folder / CHECKPOINT
    if not path.exists() or load_checkpoint(path)["step"] < run.steps:
        torch.compiler.reset()  # what was compiled for the network before is of no use
        train(run, report)
    return network_of(load_checkpoint(path))


def _told(run: TrainOptions) -> dict[str, object]:
    return told_of(run, load_checkpoint(run.folder / CHECKPOINT))


def _judge(
    record: Record, entries: Sequence[Entry], when: str, model: Path, options: TrainOptions
) -> None:
    """Fill in what is missing of `entries`: their figures with the model in a folder."""
    assert options.data is not None
    places = {place.name: place for place in find_places(options.data)}
    for entry in entries:
        if getattr(entry, when) is not None:
            continue
        if entry.name not in places:
            raise InputError(f"the case {entry.name} is gone since the folds were begun")
        case, reference = opened(places[entry.name], options.data, options.encoding)
        if fingerprints(case) != entry.images:
            raise InputError(
                f"the images of {entry.name} were changed since the folds were begun: begin anew "
                "under another --name"
            )
        setattr(entry, when, figures_of(segment(case, model=model), reference))
        record.save()


def _line(figures: Iterable[Figures]) -> str:
    means = mean_dice(figures)
    return ", ".join(f"{region} {'-' if m is None else f'{m:.3f}'}" for region, m in means.items())
