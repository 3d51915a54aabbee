"""A MONAI bundle for brain tumours, such as `brats_mri_segmentation`: read, never run.

Of `configs/inference.json` only plain values are used: the network's arguments, the normalisation,
the window. Expressions are never evaluated and classes never looked up by name. Channel and region
order come from `configs/metadata.json`. (MONAI model zoo: T1c, T1, T2, FLAIR in; TC, WT, ET out,
one sigmoid each; voxels that are not zero z-scored by channel; one window of 240x240x160.)
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ModelError
from ...volume import Modality
from ..card import Network
from .fields import Fields, read_fields
from .foreign import DEFAULT_THRESHOLD, ForeignModel
from .names import modalities_of, regions_of
from .segresnet import bundled_weights, read_segresnet
from .terms import find_terms
from .weights import read_torch_weights

if TYPE_CHECKING:
    from torch import Tensor

METADATA = Path("configs/metadata.json")
INFERENCE = Path("configs/inference.json")
WEIGHTS = Path("models/model.pt")

#: BraTS files store voxels towards left, posterior, superior, and such bundles do not turn them.
FILE_ORIENTATION = "LPS"
_SPACING_MM = 1.0

_HARMLESS = {
    "LoadImaged", "EnsureChannelFirstd", "EnsureTyped", "ToTensord", "CastToTyped",
    "AddChanneld", "AsChannelFirstd",
}  # fmt: skip
_MOST_CHANNELS = 64
_MOST_SIDE = 1024


def is_bundle(folder: Path) -> bool:
    return (folder / METADATA).is_file()


def read_bundle(folder: Path) -> ForeignModel:
    """The model of the bundle in `folder`.

    Raises
    ------
    ModelError
        When a file is missing or damaged, describes something that does not run here, or the
        files do not fit each other.
    """
    metadata, inference = read_fields(folder / METADATA), read_fields(folder / INFERENCE)
    channels, regions = _channels(metadata)
    network = read_segresnet(inference.table("network_def"))
    _check_counts(network, channels, regions)
    normalisation, orientation, spacing_mm = _preprocessing(inference)
    threshold = _postprocessing(inference)
    window = _window(inference)
    weights = _read_weights(folder, network)
    licence = metadata.text("license", metadata.text("licence", ""))
    copyright_line = metadata.text("copyright", "")
    intended = metadata.text("intended_use", "")
    return ForeignModel(
        name=metadata.text("name", folder.name),
        network=network,
        weights=weights,
        channels=channels,
        membership=regions,
        output_form="logits",
        orientation=orientation,
        spacing_mm=spacing_mm,
        stride=2 ** (network.levels - 1),
        normalisation=normalisation,
        window=window,
        thresholds=dict.fromkeys(regions, threshold),
        terms=find_terms(folder, (copyright_line, intended, licence)),
        facts={
            "format": "MONAI bundle",
            "version": metadata.text("version", "1"),
            "description": metadata.text("description", ""),
            "intended_use": intended,
            "licence": licence or copyright_line,
        },
    )


def _channels(
    metadata: Fields,
) -> tuple[tuple[Modality, ...], dict[str, tuple[int, ...]]]:
    layout = metadata.table("network_data_format")
    image = layout.table("inputs").table("image")
    outputs = layout.table("outputs").table("pred")
    channels = modalities_of(_in_order(image, METADATA.name), METADATA.name)
    return channels, regions_of(_in_order(outputs, METADATA.name), METADATA.name)


def _in_order(image: Fields, where: str) -> list[str]:
    """The channels' names by their numbers 0, 1, 2, ..., as many as `num_channels` says."""
    named = image.table("channel_def")
    count = image.whole("num_channels", most=_MOST_CHANNELS)
    if sorted(named.keys()) != sorted(str(i) for i in range(count)):
        raise ModelError(
            f"channel_def in {where} names the channels {', '.join(named.keys())}, but there are "
            f"{count}: download the model again"
        )
    return [named.text(str(i)) for i in range(count)]


def _check_counts(
    network: Network, channels: tuple[Modality, ...], regions: Mapping[str, object]
) -> None:
    for what, named, built in (
        ("input", len(channels), network.inputs),
        ("output", len(regions), network.outputs),
    ):
        if named != built:
            raise ModelError(
                f"{METADATA.name} names {named} {what} channels and {INFERENCE.name} builds a "
                f"network with {built}: the bundle is not of one piece, download it again"
            )


def _preprocessing(inference: Fields) -> tuple[str, str, float]:
    """Normalisation, orientation and spacing (mm) that the network wants."""
    normalisation, orientation, spacing_mm = "", FILE_ORIENTATION, _SPACING_MM
    for step in inference.table("preprocessing").tables("transforms"):
        target = step.text("_target_").rpartition(".")[2]
        if target == "NormalizeIntensityd":
            if not (step.flag("nonzero", False) and step.flag("channel_wise", False)):
                raise ModelError(
                    f"{INFERENCE.name} normalises over the background or all channels at once, "
                    "which is not known here: nonzero and channel_wise should be true"
                )
            normalisation = "zscore-nonzero"
        elif target == "Orientationd":
            orientation = step.text("axcodes").upper()
        elif target == "Spacingd":
            pixdim = step.numbers("pixdim")
            if len(set(pixdim)) != 1 or pixdim[0] <= 0:
                raise ModelError(f"pixdim in {INFERENCE.name} is not one length for all axes")
            spacing_mm = pixdim[0]
        elif target not in _HARMLESS:
            raise ModelError(
                f"{INFERENCE.name} prepares images with {target}, which is not known here: its "
                "results would not be those of the bundle"
            )
    if not normalisation:
        raise ModelError(
            f"{INFERENCE.name} has no NormalizeIntensityd: how to normalise is not known"
        )
    return normalisation, orientation, spacing_mm


def _postprocessing(inference: Fields) -> float:
    """The threshold of the sigmoid outputs; what comes after it only writes files."""
    threshold, sigmoid = DEFAULT_THRESHOLD, False
    for step in inference.table("postprocessing").tables("transforms"):
        target = step.text("_target_").rpartition(".")[2]
        if target == "Activationsd":
            sigmoid = step.flag("sigmoid", False)
        elif target == "AsDiscreted" and "threshold" in step:
            threshold = step.number("threshold")
    if not sigmoid:
        raise ModelError(
            f"{INFERENCE.name} does not squash the outputs with a sigmoid each, and only region "
            "outputs are read from bundles: export a softmax network as ONNX with a manifest"
        )
    if not 0 < threshold < 1:
        raise ModelError(f"threshold in {INFERENCE.name} is {threshold}: it lies between 0 and 1")
    return threshold


def _window(inference: Fields) -> tuple[int, int, int] | None:
    if "inferer" not in inference:
        return None
    inferer = inference.table("inferer")
    if "roi_size" not in inferer:
        return None
    sides = inferer.wholes("roi_size", most=_MOST_SIDE)
    if len(sides) != 3:
        raise ModelError(
            f"roi_size in {INFERENCE.name} is not three sides: download the model again"
        )
    return sides[0], sides[1], sides[2]


def _read_weights(folder: Path, network: Network) -> dict[str, Tensor]:
    tensors = read_torch_weights(folder / WEIGHTS)
    return bundled_weights(network, tensors, WEIGHTS.as_posix())
