"""First weights: each way gives what it says, and the same for a seed."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from labelled_cases import Options
from torch import nn

from napari_mmseg.errors import InputError, ModelError
from napari_mmseg.models.networks import build
from napari_mmseg.training.export import base_card
from napari_mmseg.training.finetune import write_model
from napari_mmseg.training.initial import begin


def first_weights(options: Options, init: str | None) -> nn.Module:
    torch.manual_seed(1)
    network = build("unet", base=16, levels=3)
    begin(network, options(init=init))
    return network


def deepest(network: nn.Module) -> torch.Tensor:
    """The largest convolution's weights: enough of them to know their distribution."""
    return max(
        (layer.weight.detach() for layer in network.modules() if isinstance(layer, nn.Conv3d)),
        key=lambda weight: weight.numel(),
    )


def test_normal_weights_have_unit_variance(options: Options) -> None:
    weight = deepest(first_weights(options, "normal"))
    assert float(weight.std()) == pytest.approx(1.0, rel=0.02)
    assert abs(float(weight.mean())) < 0.02


def test_kaiming_weights_keep_the_variance_through_a_rectifier(options: Options) -> None:
    weight = deepest(first_weights(options, "kaiming"))
    fan_in = weight[0].numel()
    assert float(weight.std()) == pytest.approx(math.sqrt(2 / 1.0001 / fan_in), rel=0.02)


def test_without_a_word_torch_chooses_and_a_seed_repeats(options: Options) -> None:
    plain, again = (first_weights(options, None).state_dict() for _ in range(2))
    torch.manual_seed(1)
    bare = build("unet", base=16, levels=3).state_dict()
    for name, value in plain.items():
        assert torch.equal(value, again[name])
        assert torch.equal(value, bare[name])


def test_cmft_without_its_run_is_refused(options: Options) -> None:
    with pytest.raises(InputError, match="--stage cmft"):
        begin(build("cmff", base=2, levels=2), options(init="cmft"))


def known_unet(folder: Path) -> tuple[str, dict[str, torch.Tensor]]:
    """A model of a small U-Net in a folder, and its weights as stored."""
    torch.manual_seed(2)
    network = build("unet", base=4, levels=3)
    write_model(network, folder, base_card(folder.name, network))
    return str(folder), {name: w.half().float() for name, w in network.state_dict().items()}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # openvino's converter
def test_a_patch_unet_begins_with_the_inner_levels_of_a_unet(
    options: Options, tmp_path: Path
) -> None:
    model, known = known_unet(tmp_path / "known")
    network = build("unet-patch", base=8, levels=3)
    fresh = {name: value.clone() for name, value in network.state_dict().items()}
    begin(network, options(init=model))
    begun = network.state_dict()
    assert torch.equal(begun["encoders.0.3.weight"], known["encoders.1.3.weight"])
    assert torch.equal(begun["encoders.1.0.weight"], known["encoders.2.0.weight"])
    assert torch.equal(begun["decoders.0.0.weight"], known["decoders.0.0.weight"])
    own = {name for name, value in begun.items() if torch.equal(value, fresh[name])}
    assert {"embed.weight", "encoders.0.0.weight", "head.weight"} <= own


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # openvino's converter
def test_a_patch_unet_of_another_size_cannot_begin_with_a_unet(
    options: Options, tmp_path: Path
) -> None:
    model, _ = known_unet(tmp_path / "known")
    with pytest.raises(ModelError, match="of another size or kind"):
        begin(build("unet-patch", base=4, levels=3), options(init=model))
