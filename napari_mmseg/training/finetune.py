"""Go on with a model on a user's own cases, and keep it only if it got no worse.

Some cases are held out by lot (the run's `cases.json` records which). The model as it was and the
model as it has become are both judged on them; a worse one replaces nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_mmseg.errors import InputError, ModelError
from napari_mmseg.inference.torch import load_network
from napari_mmseg.models import Card, available, load_card
from napari_mmseg.models.card import CARD_FILE
from napari_mmseg.models.networks import KINDS
from napari_mmseg.models.seen import LEARNT_FROM, learnt_from
from napari_mmseg.training.datasets import FOLDER, Tell, stored_cases
from napari_mmseg.training.export import base_card, export_model, half_weights, network_of
from napari_mmseg.training.finish import replace_model, rounded, told_of
from napari_mmseg.training.judge import held_out_dice
from napari_mmseg.training.loop import Progress, load_checkpoint, train
from napari_mmseg.training.options import TrainOptions
from napari_mmseg.training.presets import PRESETS, REGIONS
from napari_mmseg.volume import Modality

REPLAY = 0.5  # share of simulated crops
LEARNING_RATE = 2e-4  # a tenth of a training's: what the model knows is to be kept
REJECTED = "-rejected"


class WorseModelError(ModelError):
    """The model that came out does worse on the held-out cases than the one that went in."""


@dataclass(frozen=True)
class Tuned:
    """A model that was accepted, and the mean Dice by region before and after."""

    folder: Path
    cases: int
    before: Mapping[str, float]
    after: Mapping[str, float]


def finetune(
    options: TrainOptions,
    model: str,
    folder: Path,
    report: Progress | None = None,
    tell: Tell | None = None,
) -> Tuned:
    """Train `model` on the cases of `options.data` and write what comes of it into `folder`.

    With `options.anatomy` a share `options.replay` of the crops is simulated, so that the model
    keeps what the cases do not show; without, nothing is replayed, which is said: made-up heads
    would teach it worse. The network, its size and its intensity scale are those of the model.

    Raises
    ------
    WorseModelError
        When the result does worse on the held-out cases: it is kept beside `folder`, under a name
        of its own, and `folder` is left as it was.
    InputError
        When no case can be used, there is none to hold out, or `folder` holds another model.
    ModelError
        When the model cannot be trained here.
    """
    card = load_card(model)
    if not 0 < options.hold_out < 1:
        raise InputError(
            f"{options.hold_out:g} is no share of the cases to hold out: give one between 0 and 1"
        )
    options = options_for(card, model, options)
    refuse_others_folder(folder, card)
    say = tell or (lambda _: None)
    if options.anatomy is None:
        say(
            "no --anatomy was given: nothing simulated is replayed, so the model may forget what "
            "your cases do not show"
        )
    state = load_checkpoint(train(options, report, tell))
    cases = stored_cases(options.folder / FOLDER)
    network = network_of(state)
    # As it will be stored, as the other one was.
    network.load_state_dict({name: w.float() for name, w in half_weights(network).items()})
    thresholds = dict(card.thresholds)
    before = held_out_dice(load_network(card), card.stride, cases, cases.held_out, thresholds)
    after = held_out_dice(network, network.stride, cases, cases.held_out, thresholds)
    told = {
        **base_card(options.name, network),
        **continued(card, told_of(options, state)),
        "validation": {
            "held_out": {
                "cases": len(cases.held_out),
                "dice": rounded(after),
                "dice_before": rounded(before),
            }
        },
    }
    if after["mean"] < before["mean"]:
        kept = folder.with_name(folder.name + REJECTED)
        write_model(network, kept, {**told, "name": told["name"] + REJECTED})
        raise WorseModelError(
            f"{card.name} stays: continued on your cases it does worse on the "
            f"{len(cases.held_out)} held out (mean Dice {after['mean']:.3f} against "
            f"{before['mean']:.3f}); what came out is kept aside as {kept.name}"
        )
    write_model(network, folder, told)
    return Tuned(folder, len(cases.held_out), before, after)


def options_for(card: Card, model: str, options: TrainOptions) -> TrainOptions:
    """`options` with the network, size and preset of the model that is continued.

    Raises
    ------
    ModelError
        When it is a network that training does not know, or it wants other channels, regions or
        intensities than training gives.
    InputError
        When there is no case to learn from.
    """
    if options.data is None:
        raise InputError("a model is continued on labelled cases: name their folder with --data")
    preset = next(
        (
            name
            for name, known in PRESETS.items()
            if (known.normalisation, known.resize) == (card.normalisation, card.resize)
        ),
        None,
    )
    usual = (
        card.channels == tuple(Modality)
        and card.regions == REGIONS
        and card.orientation == "IPL"
        and card.window is None
    )
    if card.network.kind not in KINDS or preset is None or not usual:
        raise ModelError(
            f"the model {card.name} was made elsewhere and wants other channels, regions or "
            "intensities than training gives here: it can be run, but not continued"
        )
    if preset != "default" and options.anatomy is not None:
        raise InputError(
            f"simulated cases come on another intensity scale than {card.name} takes: leave out "
            "--anatomy"
        )
    return replace(
        options,
        init=model,
        network=card.network.kind,
        base=card.network.base,
        levels=card.network.levels,
        preset=preset,
        replay=options.replay if options.anatomy is not None else 0.0,
    )


def refuse_others_folder(folder: Path, card: Card) -> None:
    """Refuse to write into a folder, or under a name, that is another model's than `card`'s."""
    # A shipped model of the name would be found instead of the new one.
    named = any(c.name == folder.name and c.folder != folder for c in available())
    there = (folder / CARD_FILE).exists() or named
    if there and folder.resolve() != card.folder.resolve():
        raise InputError(
            f"there is a model {folder.name} already: give this one another --name, or continue "
            f"that one with --model {folder.name}"
        )


def continued(card: Card, told: Mapping[str, Any]) -> dict[str, Any]:
    """What `told_of` tells of a run that went on with a model, and what stays of its card."""
    kept = (
        "thresholds",
        "smallest_component_mm3",
        "peaks",
        "appearance",
        "looks",
        "intended_use",
        "not_for",
        "licence",
    )
    before = card.details.get("trained_on", f"what {card.name} was trained on")
    return {
        **told,
        **{key: card.details[key] for key in kept if key in card.details},
        "trained_on": f"First as {card.name}: {str(before).rstrip('.')}. "
        f"Then tuned on {told['trained_on']}",
        LEARNT_FROM: sorted(learnt_from(card) | set(told[LEARNT_FROM])),
        "continues": {"model": card.name, "weights_sha256": card.weights_sha256},
    }


def write_model(network: Any, folder: Path, card: dict[str, Any]) -> None:
    """The model's files, all at once in the place of what is in `folder`."""
    made = folder.with_name(f".{folder.name}-new")
    if made.exists():
        shutil.rmtree(made)
    export_model(network, made, card["name"], card)
    replace_model(made, folder)
