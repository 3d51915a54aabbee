"""The fusion networks do what they are named for; CMFF follows its paper."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_mmseg.models.networks import build
from napari_mmseg.models.networks.cmff import PAIRS, Branch, Cmff, CmffSingle
from napari_mmseg.models.networks.decision import DecisionFusion


def volumes(*missing: int, side: int = 16) -> Tensor:
    given = torch.randn(1, 4, side, side, side, generator=torch.Generator().manual_seed(5))
    given[:, list(missing)] = 0
    return given


def cmff() -> Cmff:
    torch.manual_seed(0)
    network = Cmff(base=2, levels=3).eval()
    with torch.no_grad():  # spread the masks: untrained ones are nearly even
        for branch in network.branches:
            branch.output.weight.mul_(5)  # type: ignore[union-attr, operator]
    return network


# -- CMFF ---------------------------------------------------------------------------------------


def test_the_paper_pairs_t1_with_t1ce_and_t2_with_flair() -> None:
    assert PAIRS == ((0, 1), (2, 3))
    network = cmff()
    with torch.no_grad():
        whole = network.heads(volumes())
        without_flair = network.heads(volumes(3))
    assert torch.equal(whole[0], without_flair[0])  # branch A sees T1 and T1ce alone
    assert not torch.equal(whole[1], without_flair[1])


def test_the_base_form_has_a_branch_for_each_modality() -> None:
    network = CmffSingle(base=2, levels=3).eval()
    assert network.groups == ((0,), (1,), (2,), (3,))
    with torch.no_grad():
        assert len(network.heads(volumes())) == 5


def test_any_grouping_can_be_made_but_each_modality_in_one_group() -> None:
    network = Cmff(base=2, levels=2, groups=((0, 3), (1,), (2,)))
    assert network(volumes()).shape == (1, 3, 16, 16, 16)
    with pytest.raises(ValueError, match="share out"):
        Cmff(base=2, levels=2, groups=((0, 1), (1, 2)))


def test_a_branch_is_the_papers_single_network() -> None:
    with torch.device("meta"):
        branch = Branch(2, 4)
    convolutions = [m for m in branch.modules() if isinstance(m, nn.Conv3d)]
    widths = [16, 32, 64, 128, 256]
    down = [(m.in_channels, m.out_channels) for m in convolutions[:10]]
    above = [2, *widths[:-1]]
    assert down == [pair for a, w in zip(above, widths, strict=True) for pair in ((a, w), (w, w))]
    up = [(m.in_channels, m.out_channels) for m in convolutions[10:18]]
    # 2 w channels from below, w from across.
    assert up == [pair for w in reversed(widths[:-1]) for pair in ((3 * w, w), (w, w))]
    assert [m.kernel_size for m in convolutions] == [(3, 3, 3)] * 18 + [(1, 1, 1)]
    norms = [m for m in branch.modules() if isinstance(m, nn.InstanceNorm3d)]
    assert len(norms) == 18
    assert not any(m.affine or m.track_running_stats for m in norms)
    assert not any(isinstance(m, nn.ConvTranspose3d) for m in branch.modules())


def test_no_normalisation_in_cmff_has_scale_or_shift() -> None:
    norms = [m for m in Cmff(base=2, levels=2).modules() if isinstance(m, nn.InstanceNorm3d)]
    assert norms
    assert not any(m.affine for m in norms)


def test_guidance_is_the_sum_of_the_branches_softmaxes() -> None:
    network, given = cmff(), volumes()
    with torch.no_grad():
        expected = sum(
            torch.softmax(branch(given[:, a : a + 2]), dim=1)
            for branch, a in zip(network.branches, (0, 2), strict=True)
        )
        found = network.guidance(given)
    assert found.shape == (1, 4, 16, 16, 16)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(found.sum(1), torch.full((1, 16, 16, 16), 2.0))


def test_the_output_is_a_convolution_of_the_features_times_each_mask() -> None:
    network, given = cmff(), volumes()
    seen: dict[str, Tensor] = {}
    network.merge.register_forward_hook(lambda _, __, out: seen.update(shared=out))
    network.lower.register_forward_hook(lambda _, given, out: seen.update(low=given[0], up=out))
    with torch.no_grad():
        result = network(given)
        guidance = network.guidance(given)
    # Each mask's products through that mask's share of the 1^3 convolution.
    products = sum(
        functional.conv3d(seen["shared"] * guidance[:, i : i + 1], part)
        for i, part in enumerate(network.output.weight.split(network.base, dim=1))
    )
    classes = products + network.output.bias.view(1, -1, 1, 1, 1)  # type: ignore[union-attr]
    odds = torch.softmax(classes, dim=1)
    expected = torch.stack([odds[:, k:].sum(1) for k in (1, 2, 3)], dim=1)
    torch.testing.assert_close(torch.sigmoid(result), expected)
    assert seen["low"].shape == (1, 2 * 2 * network.base, 8, 8, 8)  # both branches, half the size
    assert seen["up"].shape[1] == seen["shared"].shape[1] == network.base


def test_three_outputs_are_trained_two_branches_and_the_fusion() -> None:
    network, given = cmff(), volumes()
    heads = network.heads(given)
    assert len(heads) == 3
    for number, branch in enumerate(network.branches):
        classes = branch(given[:, 2 * number : 2 * number + 2])
        odds = torch.softmax(classes, dim=1)
        torch.testing.assert_close(torch.sigmoid(heads[number])[:, 2], odds[:, 3])


def test_a_missing_pair_has_no_say_in_the_guidance() -> None:
    network, given = cmff(), volumes(0, 1)
    with torch.no_grad():
        expected = 2 * torch.softmax(network.branches[1](given[:, 2:]), dim=1)
        torch.testing.assert_close(network.guidance(given), expected)
        half = network.guidance(volumes(0))  # T1ce is still there
    torch.testing.assert_close(half.sum(1), torch.full((1, 16, 16, 16), 2.0))
    assert not torch.equal(half, expected)


# -- layer-level and decision-level fusion -------------------------------------------------------


def test_a_missing_modality_adds_nothing_to_the_fused_features() -> None:
    torch.manual_seed(0)
    network = build("layer", base=2, levels=3).eval()
    with torch.no_grad():
        for name, value in network.named_parameters():
            if name.endswith("1.bias"):  # the normalisations' shifts: something out of nothing
                value.fill_(1.0)
    seen: list[Tensor] = []
    for fusion in network.fusions:  # type: ignore[union-attr]
        fusion.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    with torch.no_grad():
        network(volumes(2))
    assert len(seen) == 3
    for level, features in enumerate(seen):
        width = 2 * 2**level
        parts = features.split(width, dim=1)
        assert [bool(part.any()) for part in parts] == [True, True, False, True]


@pytest.mark.parametrize("missing", [(), (1,), (0, 1, 2)])
def test_the_average_counts_the_modalities_that_are_there(missing: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    network = DecisionFusion(base=2, levels=2).eval()
    given = volumes(*missing)
    there = [m for m in range(4) if m not in missing]
    with torch.no_grad():
        odds = [torch.softmax(network.members[m](given[:, m : m + 1]), dim=1) for m in there]
        mean = torch.stack(odds).mean(0)
        expected = torch.stack([mean[:, k:].sum(1) for k in (1, 2, 3)], dim=1)
        torch.testing.assert_close(torch.sigmoid(network(given)), expected)
        assert len(network.heads(given)) == 5


def test_learned_weights_begin_as_the_average_and_leave_a_missing_modality_out() -> None:
    torch.manual_seed(0)
    averaged = build("decision", base=2, levels=2).eval()
    learned = build("decision-learned", base=2, levels=2).eval()
    learned.load_state_dict(averaged.state_dict(), strict=False)
    with torch.no_grad():
        torch.testing.assert_close(learned(volumes(1)), averaged(volumes(1)))
        nn.init.normal_(learned.weigh[-1].weight)  # type: ignore[index, arg-type]
        weighed = learned(volumes(1))
        assert not torch.allclose(weighed, averaged(volumes(1)))
        votes = [torch.sigmoid(head) for head in learned.heads(volumes(1))]
    # A weighted mean lies between the votes that count.
    counted = torch.stack([votes[0], votes[2], votes[3]])
    assert (votes[-1] <= counted.amax(0) + 1e-5).all()
    assert (votes[-1] >= counted.amin(0) - 1e-5).all()


# -- DeepLab -------------------------------------------------------------------------------------


def test_deeplab_dilates_instead_of_shrinking_beyond_an_eighth() -> None:
    network = build("deeplab", base=2, levels=5).eval()
    sides, dilations = [], []
    for stage in network.stages:  # type: ignore[union-attr]
        stage.register_forward_hook(lambda _, __, out: sides.append(out.shape[-1]))
        dilations.append(stage.body[3].dilation[0])
    with torch.no_grad():
        network(volumes(side=32))
    assert sides == [16, 8, 4, 4, 4]
    assert dilations == [1, 1, 1, 2, 4]


def test_only_the_variant_sees_single_voxels() -> None:
    """The plain decoder's logits are enlarged four times: affine between its samples."""
    for kind, smooth in (("deeplab", True), ("deeplab-unet", False)):
        torch.manual_seed(0)
        network = build(kind, base=2, levels=3).eval()
        with torch.no_grad():
            logits = network(volumes())
        # Four samples between two neighbours lie on a line: second differences vanish there.
        for axis, start in itertools.product((2, 3, 4), (2, 6, 10)):
            line = logits.narrow(axis, start, 4)
            bend = line.diff(n=2, dim=axis).abs().max()
            assert bool(bend < 1e-4) is smooth
