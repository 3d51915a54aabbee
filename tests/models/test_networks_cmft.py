"""The CMFT networks: sizes of the paper, files, and contrasts made for viewing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from napari_mmseg.errors import ModelError
from napari_mmseg.models.networks.cmft import (
    Discriminator,
    Generator,
    Transition,
    load_transition,
    save_transition,
    synthesise,
)


def transition() -> Transition:
    torch.manual_seed(2)
    return Transition(base=2, levels=3).eval()


def test_the_discriminator_is_the_papers() -> None:
    judge = Discriminator()
    convolutions = [m for m in judge.modules() if isinstance(m, nn.Conv3d)]
    assert [m.in_channels for m in convolutions] == [2, 16, 32, 64, 128]
    assert convolutions[-1].out_channels == 1
    assert [m.kernel_size for m in convolutions] == [(4, 4, 4)] * 5
    assert [m.stride[0] for m in convolutions] == [2, 2, 2, 2, 1]
    order = [type(m).__name__ for m in judge.layers]
    layer = ["Conv3d", "InstanceNorm", "LeakyReLU"]
    assert order == ["Conv3d", "LeakyReLU", *layer, *layer, *layer, "Conv3d"]
    leaks = {m.negative_slope for m in judge.modules() if isinstance(m, nn.LeakyReLU)}
    assert leaks == {0.2}
    assert not any(m.affine for m in judge.modules() if isinstance(m, nn.InstanceNorm3d))


def test_the_discriminator_judges_patch_by_patch() -> None:
    judge = Discriminator(base=2).eval()
    with torch.no_grad():
        assert judge(torch.randn(1, 2, 32, 32, 32)).shape == (1, 1, 1, 1, 1)
        assert judge(torch.randn(1, 2, 64, 32, 48)).shape == (1, 1, 3, 1, 2)


def test_a_generator_makes_two_linear_contrasts_of_two() -> None:
    generator = Generator(base=2, levels=3)
    assert generator(torch.randn(1, 2, 16, 16, 16)).shape == (1, 2, 16, 16, 16)
    assert isinstance(generator.output, nn.Conv3d)
    assert (generator.output.in_channels, generator.output.out_channels) == (2, 2)


@pytest.mark.parametrize("missing", [(0, 1), (1,), (2, 3), (3,)])
def test_missing_contrasts_are_made_of_the_other_pair(missing: tuple[int, ...]) -> None:
    generators = transition()
    volumes = torch.randn(1, 4, 13, 18, 11)
    volumes[..., :3] = 0  # outside the brain
    volumes[:, list(missing)] = 0
    filled, made = synthesise(generators, volumes)
    assert made == missing
    kept = [number for number in range(4) if number not in missing]
    assert torch.equal(filled[:, kept], volumes[:, kept])
    assert not filled[..., :3].any()
    padded = torch.zeros(1, 4, 16, 20, 12)
    padded[:, :, :13, :18, :11] = volumes
    with torch.no_grad():
        if missing[0] < 2:
            expected = generators.back(padded[:, 2:])
        else:
            expected = generators.forth(padded[:, :2])
    for number in missing:
        torch.testing.assert_close(
            filled[:, number, :, :, 3:], expected[:, number % 2, :13, :18, 3:11]
        )


def test_nothing_is_made_of_an_incomplete_pair_or_without_need() -> None:
    volumes = torch.randn(1, 4, 16, 16, 16)
    with pytest.raises(ModelError, match="nothing to make"):
        synthesise(transition(), volumes)
    volumes[:, [0, 2]] = 0
    with pytest.raises(ModelError, match="other pair"):
        synthesise(transition(), volumes)


def test_generators_read_back_as_written(tmp_path: Path) -> None:
    generators = transition()
    save_transition(generators, tmp_path / "g.safetensors")
    assert [file.name for file in tmp_path.iterdir()] == ["g.safetensors"]
    again = load_transition(tmp_path / "g.safetensors")
    assert not again.training
    assert again.stride == 4
    for name, value in generators.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name


def test_files_that_hold_no_generators_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no file"):
        load_transition(tmp_path / "none.safetensors")
    other = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(2)}, other, metadata={"network": "unet"})
    with pytest.raises(ModelError, match="holds no generators"):
        load_transition(other)
    whole = tmp_path / "whole.safetensors"
    save_transition(transition(), whole)
    torn = tmp_path / "torn.safetensors"
    torn.write_bytes(whole.read_bytes()[:-100])
    with pytest.raises(ModelError, match="damaged"):
        load_transition(torn)
