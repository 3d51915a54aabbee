"""The networks, by the name of their kind. Nothing here imports torch until one is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from ...errors import ModelError

if TYPE_CHECKING:
    from .region import RegionNetwork

#: Module and factory of each kind; the factory takes (in_channels, out_channels, base, levels).
_FACTORIES: Mapping[str, tuple[str, str]] = {
    "unet": ("unet", "UNet3d"),  # fusion at the input
    "unet-patch": ("unet_patch", "PatchUNet"),
    "cmff": ("cmff", "Cmff"),
    "cmff-single": ("cmff", "CmffSingle"),
    "layer": ("layer", "LayerFusion"),
    "decision": ("decision", "DecisionFusion"),
    "decision-learned": ("decision", "LearnedDecisionFusion"),
    "deeplab": ("deeplab", "DeepLab"),
    "deeplab-unet": ("deeplab", "DeepLabUNet"),
    "segresnet": ("monai_networks", "SegResNet"),
    "dynunet": ("monai_networks", "DynUNet"),
}

KINDS = tuple(_FACTORIES)

#: Features that a pass holds at its peak, relative to the U-Net of the same base (counted on
#: tensors without contents at base 8 and 5 levels; the U-Net's are 22 bytes a voxel and channel).
RELATIVE_MEMORY: Mapping[str, float] = {
    "unet-patch": 0.13,
    "cmff": 2.8,
    "cmff-single": 3.4,
    "layer": 2.6,
    "decision": 1.7,
    "decision-learned": 1.9,
    "deeplab": 0.2,
    "deeplab-unet": 1.2,
}


def build(
    kind: str, in_channels: int = 4, out_channels: int = 3, base: int = 16, levels: int = 5
) -> RegionNetwork:
    """A network of `kind` with random weights, in training mode.

    Its `forward` takes volumes (N, in_channels, I, P, L) to logits of nested regions
    (N, out_channels, I, P, L); see `RegionNetwork`.

    Raises
    ------
    ModelError
        When there is no such kind, it cannot be built so, or it needs a package that is not
        installed.
    """
    if kind not in _FACTORIES:
        raise ModelError(f"there is no network {kind!r}: choose one of {', '.join(KINDS)}")
    module, name = _FACTORIES[kind]
    factory: Callable[[int, int, int, int], RegionNetwork] = getattr(
        import_module(f"{__name__}.{module}"), name
    )
    try:
        return factory(in_channels, out_channels, base, levels)
    except ValueError as error:
        raise ModelError(
            f"a network {kind} with {levels} levels of base {base} cannot be made: {error}"
        ) from error


def __getattr__(name: str) -> object:
    if name == "RegionNetwork":
        from .region import RegionNetwork

        return RegionNetwork
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["KINDS", "RELATIVE_MEMORY", "RegionNetwork", "build"]
