"""The weights that a run begins with."""

from __future__ import annotations

from torch import nn

from napari_mmseg.errors import InputError, ModelError
from napari_mmseg.inference.torch import load_network
from napari_mmseg.models import load_card
from napari_mmseg.models.networks.region import RegionNetwork
from napari_mmseg.models.networks.unet import UNet3d
from napari_mmseg.models.networks.unet_patch import PATCH, PatchUNet, inner_levels
from napari_mmseg.training.options import TrainOptions

#: What `TrainOptions.init` can be beside a model's name or folder.
FIRST_WEIGHTS = ("kaiming", "normal", "cmft", "distil")

LEAK = 0.01  # of the rectifiers that the scale is meant for

_CONVOLUTIONS = (nn.Conv3d, nn.ConvTranspose3d)


def begin(network: RegionNetwork, options: TrainOptions) -> None:
    """Give `network` its first weights: torch's own where `options.init` is None.

    `kaiming`: He et al., ICCV 2015, normal, for leaky rectifiers. `normal`: every convolution's
    weights from N(0, 1), as the founding paper's authors compare with. `cmft`: the generators of
    a CMFT run, copied into CMFF's branches. `distil`: the same generators teach a network of any
    build for a while. Anything else is a model's name or folder.

    Raises
    ------
    InputError
        When `cmft` or `distil` is asked for without the folder of the CMFT run.
    ModelError
        When the model to begin with is missing, damaged or of another size.
    """
    if options.init is None:
        return
    if options.init == "kaiming":
        for layer in network.modules():
            if isinstance(layer, _CONVOLUTIONS):
                nn.init.kaiming_normal_(layer.weight, a=LEAK)
                _no_bias(layer)
    elif options.init == "normal":
        for layer in network.modules():
            if isinstance(layer, _CONVOLUTIONS):
                nn.init.normal_(layer.weight)
                _no_bias(layer)
    elif options.init == "cmft":
        from napari_mmseg.training.cmft_transfer import begin_with_cmft

        if options.cmft is None:
            raise InputError(
                "beginning with CMFT needs the folder of a CMFT run: train one first "
                "(napari-mmseg train --stage cmft), or take --init kaiming"
            )
        begin_with_cmft(options.cmft, network)
    elif options.init == "distil":
        from napari_mmseg.training.distil import begin_by_distilling

        begin_by_distilling(network, options)
    else:
        begin_with(options.init, network)


def begin_with(model: str, network: nn.Module) -> None:
    """Copy the weights of a model (name or folder) into `network`.

    Of a U-Net a patch U-Net takes over the inner levels; its own first and last layer stay.
    """
    card = load_card(model)
    known = load_network(card)
    weights = known.state_dict()
    if (
        isinstance(known, UNet3d)
        and isinstance(network, PatchUNet)
        and (network.base, network.levels) == (PATCH * known.base, known.levels)
    ):
        fresh = network.state_dict()
        weights = fresh | inner_levels(weights, fresh)
    shapes = {name: value.shape for name, value in weights.items()}
    if shapes != {name: value.shape for name, value in network.state_dict().items()}:
        raise ModelError(
            f"the model {card.name} is a network of another size or kind than the run's: "
            "begin with another model"
        )
    network.load_state_dict(weights)


def _no_bias(layer: nn.Conv3d | nn.ConvTranspose3d) -> None:
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
