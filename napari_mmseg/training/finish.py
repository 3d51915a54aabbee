"""A finished run as a model that can be used: weights, exported network, and an honest card."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from napari_mmseg.errors import ModelError
from napari_mmseg.models import load_card
from napari_mmseg.models.networks.region import RegionNetwork
from napari_mmseg.models.seen import LEARNT_FROM, learnt_from
from napari_mmseg.training.checkpoint import load_checkpoint
from napari_mmseg.training.choice import chosen
from napari_mmseg.training.datasets import FOLDER, stored_cases
from napari_mmseg.training.export import base_card, export_model, network_of
from napari_mmseg.training.initial import FIRST_WEIGHTS
from napari_mmseg.training.judge import held_out_dice
from napari_mmseg.training.options import TrainOptions
from napari_mmseg.training.presets import preset_named

DIGITS = 4


def export_trained(checkpoint: Path, options: TrainOptions, folder: Path) -> Path:
    """The model of a run, named as the run, in `folder`; returns the card's path.

    Where cases were held out, the model is judged on them first and the card says how it did.
    """
    state = chosen(load_checkpoint(checkpoint), checkpoint.parent)
    network = network_of(state)
    card = {
        **base_card(options.name, network),
        **told_of(options, state),
        "validation": _validation(network, options, state),
    }
    return export_model(network, folder, options.name, card)


def told_of(options: TrainOptions, state: dict[str, Any]) -> dict[str, Any]:
    """What a card says of how its model was trained and how it wants its images.

    No path and no case's name: a card travels with the model.
    """
    told: dict[str, Any] = {
        "trained_on": _trained_on(options),
        "steps": int(state["step"]),
        "minutes": round(float(state["seconds"]) / 60, 1),
        "seed": options.seed,
        "loss": options.loss,
        "init": _init(options),
    }
    if options.data is not None:
        preset = preset_named(options.preset)
        told |= {"preset": preset.name, "normalisation": preset.normalisation}
        if preset.resize is not None:
            told["resize"] = list(preset.resize)
    told[LEARNT_FROM] = sorted(_images_learnt_from(options))
    return told


def replace_model(made: Path, folder: Path) -> None:
    """Put the model folder `made` in the place of `folder`, which is never half-written."""
    old = folder.with_name(f".{folder.name}-old")
    if old.exists():
        shutil.rmtree(old)
    if folder.exists():
        folder.rename(old)
    made.rename(folder)
    if old.exists():
        shutil.rmtree(old)


def rounded(scores: dict[str, float]) -> dict[str, float]:
    return {name: round(value, DIGITS) for name, value in scores.items()}


def _init(options: TrainOptions) -> str:
    named = options.init or "torch's own"
    # A model may be named by its folder: only its last part is told.
    return Path(named).name


def _images_learnt_from(options: TrainOptions) -> set[str]:
    """Fingerprints of the run's own cases, and of those of the model that it began with.

    A model that is gone by now can no longer be asked; `init` in the card still names it.
    """
    images: set[str] = set()
    if options.data is not None:
        cases = stored_cases(options.folder / FOLDER)
        images = {image for case in cases.training for image in case.images}
    if options.init is not None and options.init not in FIRST_WEIGHTS:
        with suppress(ModelError):
            images |= learnt_from(load_card(options.init))
    return images


def _trained_on(options: TrainOptions) -> str:
    simulated = "simulated tumours in the label maps given with --anatomy"
    if options.data is None:
        return simulated
    count = len(stored_cases(options.folder / FOLDER).training)
    own = f"{count} labelled cases given with --data"
    return f"{own}, and {simulated}" if options.anatomy is not None else own


def _validation(
    network: RegionNetwork, options: TrainOptions, state: dict[str, Any]
) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if "chosen_by_dice" in state:
        on = "cases held out" if options.anatomy is None else "differently simulated cases"
        told["chosen"] = {
            "as_best_of_the_run_on": f"{options.validate} {on}",
            "dice_mean": round(float(state["chosen_by_dice"]), DIGITS),
        }
    cases = stored_cases(options.folder / FOLDER) if options.data is not None else None
    if cases is not None and cases.held_out:
        dice = held_out_dice(network, network.stride, cases, cases.held_out)
        told["held_out"] = {"cases": len(cases.held_out), "dice": rounded(dice)}
    return told
