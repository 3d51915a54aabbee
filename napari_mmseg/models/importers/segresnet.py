"""The arguments of a SegResNet, out of a configuration that is read and never run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...errors import ModelError
from ..card import BUNDLED_SEGRESNET, Network
from .fields import Fields
from .weights import fit

if TYPE_CHECKING:
    from torch import Tensor

#: What a bundle may call the one network that is built for it.
TARGETS = (
    "SegResNet",
    "monai.networks.nets.SegResNet",
    "monai.networks.nets.segresnet.SegResNet",
)

#: Before each of MONAI's names in the network that holds MONAI's.
_INSIDE = "network."

_MOST_CHANNELS = 64
_MOST_FILTERS = 128
_MOST_BLOCKS = 16
_UPSAMPLING = ("nontrainable", "deconv", "pixelshuffle")
_ARGUMENTS = {
    "_target_", "spatial_dims", "init_filters", "in_channels", "out_channels", "dropout_prob",
    "blocks_down", "blocks_up", "upsample_mode", "num_groups", "norm_name", "use_conv_final",
}  # fmt: skip


def read_segresnet(definition: Fields) -> Network:
    """The network that a bundle's `network_def` describes, defaults as in MONAI.

    Raises
    ------
    ModelError
        When it is another network, has an argument that is not known or one that is no plain
        value.
    """
    target = definition.text("_target_")
    if target not in TARGETS:
        raise ModelError(
            f"{definition.where} asks for {target!r}: of MONAI's networks only SegResNet is built "
            "here (export the model as ONNX and write a manifest for it)"
        )
    unknown = [key for key in definition.keys() if key not in _ARGUMENTS]  # noqa: SIM118
    if unknown:
        raise ModelError(
            f"{definition.where} gives SegResNet {', '.join(unknown)}, which is not known here: "
            "export the model as ONNX and write a manifest for it"
        )
    if definition.whole("spatial_dims", 3, most=3) != 3:
        raise ModelError(f"{definition.where} is of a flat network: only 3D ones run here")
    if not definition.flag("use_conv_final", True):
        raise ModelError(f"{definition.where} leaves out the output layer: no regions come of it")
    options: dict[str, Any] = {
        "init_filters": definition.whole("init_filters", 8, most=_MOST_FILTERS),
        "blocks_down": definition.wholes("blocks_down", (1, 2, 2, 4), most=_MOST_BLOCKS),
        "blocks_up": definition.wholes("blocks_up", (1, 1, 1), most=_MOST_BLOCKS),
        "upsample_mode": definition.text("upsample_mode", "nontrainable").lower(),
    }
    if options["upsample_mode"] not in _UPSAMPLING:
        raise ModelError(
            f"upsample_mode in {definition.where} is {options['upsample_mode']!r}, "
            f"not one of {', '.join(_UPSAMPLING)}"
        )
    levels = len(options["blocks_down"])
    if not 2 <= levels <= 6 or len(options["blocks_up"]) != levels - 1:
        raise ModelError(
            f"blocks_down and blocks_up in {definition.where} do not make 2 to 6 levels: "
            "download the model again"
        )
    if "num_groups" in definition or "norm_name" in definition:
        groups = definition.whole("num_groups", 8, most=_MOST_FILTERS)
        if definition.text("norm_name", "group").lower() != "group":
            raise ModelError(f"norm_name in {definition.where} is not group, as SegResNet's is")
        options |= {"norm": ("GROUP", {"num_groups": groups})}
    return Network(
        kind=BUNDLED_SEGRESNET,
        base=options["init_filters"],
        levels=levels,
        inputs=definition.whole("in_channels", 1, most=_MOST_CHANNELS),
        outputs=definition.whole("out_channels", 2, most=_MOST_CHANNELS),
        options=options,
    )


def bundled_weights(
    network: Network, tensors: Mapping[str, Tensor], where: str
) -> dict[str, Tensor]:
    """MONAI's own tensors under the names that `BundledSegResNet` gives them, all checked.

    Raises
    ------
    ModelError
        When they are of another network, or MONAI is not installed.
    """
    from ..networks.bundled_segresnet import BundledSegResNet

    def make() -> BundledSegResNet:
        return BundledSegResNet(network.inputs, network.outputs, network.options)

    state = fit(make, tensors, where, inside=_INSIDE).state_dict()
    return {name: value.contiguous() for name, value in state.items()}
