"""The simulator on a device: its tensors live there, and the seed tells what comes out."""

from __future__ import annotations

import pytest
import torch
from elsewhere import DEVICE, Away, elsewhere

from napari_mmseg.training.simulate.anatomy import TISSUE_MASK, procedural_head
from napari_mmseg.training.simulate.background import make_background, simulate_on_background
from napari_mmseg.training.simulate.case import Geometry, simulate_geometry
from napari_mmseg.training.simulate.chance import Chance
from napari_mmseg.training.simulate.render import Box, draw_recipe, render

HEAD = procedural_head(0, 48)


def whole(case: Geometry) -> Box:
    i, p, left = case.shape
    return slice(0, i), slice(0, p), slice(0, left)


def away(*seed: int) -> Chance:
    """Draws on the device that is not there, from a generator that is."""
    chance = Chance(*seed)
    chance.device = DEVICE
    return chance


def on_scan(chance: Chance) -> Geometry:
    tissue = HEAD & TISSUE_MASK
    images = (tissue[None] * [[[[1.0]]], [[[1.2]]], [[[0.8]]], [[[1.5]]]]).astype("float32") * 40
    return simulate_on_background(make_background(images, tissue > 0), chance, healthy=False)


def from_labels(chance: Chance) -> Geometry:
    return simulate_geometry(HEAD, chance, healthy=False)


def test_the_stand_in_refuses_what_a_graphics_card_would() -> None:
    with elsewhere():
        there = torch.ones(3, device=DEVICE)
        assert isinstance(there, Away)
        assert (there + 1).sum().item() == 6.0
        with pytest.raises(AssertionError, match="two devices"):
            there + torch.ones(3)
        with pytest.raises(AssertionError, match="two devices"):
            torch.ones(3)[torch.zeros(3, dtype=torch.long, device=DEVICE)]
        assert torch.equal(there.cpu(), torch.ones(3))


@pytest.mark.parametrize("simulate", [from_labels, on_scan])
@pytest.mark.parametrize("seed", range(4))
def test_a_case_made_on_a_device_stays_there_and_is_that_of_the_seed(simulate, seed) -> None:
    here = Chance(7, seed)
    case = simulate(here)
    images = render(case, whole(case), draw_recipe(case, here), here)
    with elsewhere():
        there = away(7, seed)
        other = simulate(there)
        made = render(other, whole(other), draw_recipe(other, there), there)
        for tensor in (other.tissue, other.lesion, made):
            assert tensor.device == DEVICE
        assert torch.equal(other.tissue.cpu(), case.tissue)
        assert torch.equal(other.lesion.cpu(), case.lesion)
        assert torch.equal(made.cpu(), images)
        assert (other.depth() == case.depth()).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no graphics card")
def test_a_graphics_card_repeats_a_seed() -> None:
    pairs = []
    for _ in range(2):
        chance = Chance(7, 1, device="cuda")
        case = from_labels(chance)
        pairs.append((case, render(case, whole(case), draw_recipe(case, chance), chance)))
    (first, images), (second, again) = pairs
    assert images.is_cuda
    assert torch.equal(first.lesion, second.lesion)
    assert torch.allclose(images, again, atol=1e-4)
