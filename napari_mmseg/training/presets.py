"""Known recipes: how cases are prepared, and with which patches, rate and loss one trains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from napari_mmseg.errors import InputError
from napari_mmseg.models.card import Card, Network
from napari_mmseg.training.options import TrainOptions
from napari_mmseg.volume import Modality

_CUBE = (128, 128, 128)
REGIONS = ("WT", "TC", "ET")


@dataclass(frozen=True)
class Preset:
    """A recipe.

    Parameters
    ----------
    normalisation
        Name of the intensity scale, as written in the model's card (`preprocess.schemes`).
    resize
        The voxels (I, P, L) that every brain box is stretched to; None: 1 mm voxels.
    changes
        Fields of `TrainOptions` that differ from their defaults.
    """

    name: str
    about: str
    normalisation: str = "robust"
    resize: tuple[int, int, int] | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def card(self) -> Card:
        """What `inference.prepare` needs to know to prepare a case as for a model of this preset.

        Training goes through the same function as use, so the two cannot differ.
        """
        return Card(
            name=self.name,
            version="0",
            folder=Path(),
            network=Network("unet", 1, 1, len(Modality), len(REGIONS)),
            channels=tuple(Modality),
            regions=REGIONS,
            orientation="IPL",
            spacing_mm=1.0,
            stride=1,
            output="logits",
            files={},
            thresholds={},
            normalisation=self.normalisation,
            resize=self.resize,
        )


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        preset.name: preset
        for preset in (
            Preset("default", "as the shipped model: 1 mm, robust z-score, crops and whole brains"),
            Preset(
                "paper",
                "Zhang et al., Pattern Recognition 110:107562, 2021: z-score over the brain cut to "
                "its percentiles 2 to 98, one 128^3 crop a step, Adam at 1e-4, 30,000 steps",
                normalisation="zscore-clipped",
                changes={
                    "network": "cmff",
                    "loss": "dice",
                    "steps": 30_000,
                    "patch": _CUBE,
                    "whole": _CUBE,
                    "crops": 1,
                    "optimiser": "adam",
                    "schedule": "constant",
                    "learning_rate": 1e-4,
                    "weight_decay": 0.0,
                    "ema": 0.0,
                },
            ),
            Preset(
                "minmax128",
                "intensities to 0..1, the brain box stretched to 128^3 voxels, labels by nearest "
                "neighbour",
                normalisation="minmax",
                resize=_CUBE,
                changes={"patch": _CUBE, "whole": _CUBE, "crops": 1},
            ),
        )
    }
)


def preset_named(name: str) -> Preset:
    """The preset of a name.

    Raises
    ------
    InputError
        When there is none.
    """
    if name not in PRESETS:
        raise InputError(f"there is no preset {name!r}: choose one of {', '.join(PRESETS)}")
    return PRESETS[name]


def options_with(preset: str, **chosen: Any) -> TrainOptions:
    """Options of a run: the user's word (None: none) before the preset's before the defaults.

    Raises
    ------
    InputError
        When there is no such preset, or it does not go with what the run learns from.
    """
    changes = {
        **preset_named(preset).changes,
        **{name: value for name, value in chosen.items() if value is not None},
    }
    if changes.get("data") and changes.get("anatomy") and preset != "default":
        raise InputError(
            f"simulated cases come normalised as the preset default has them, not as {preset}: "
            "train on --data or on --anatomy alone"
        )
    unknown = set(changes) - {f.name for f in fields(TrainOptions)}
    if unknown:
        raise TypeError(f"no such option: {', '.join(sorted(unknown))}")
    return TrainOptions(**{"anatomy": None, **changes, "preset": preset})
