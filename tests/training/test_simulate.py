"""The simulator: reproducible, nested, and ordered as MRI is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_mmseg.training.simulate import tissues as t
from napari_mmseg.training.simulate.anatomy import (
    TISSUE_MASK,
    deform,
    fold_cerebellum,
    procedural_head,
    swap_sides,
)
from napari_mmseg.training.simulate.artefacts import bias_field, draw_spoiling, ghosted
from napari_mmseg.training.simulate.case import Geometry, simulate_geometry
from napari_mmseg.training.simulate.chance import Chance
from napari_mmseg.training.simulate.contrast import FLAIR, T1, T1CE, T2, draw_contrast
from napari_mmseg.training.simulate.render import FLOOD, Box, draw_recipe, lay_over, render
from napari_mmseg.training.simulate.tumour import Plan, plan_satellites

HEAD = procedural_head(0, 64)
DRAWS = 200


def whole(case: Geometry) -> Box:
    i, p, left = case.shape
    return slice(0, i), slice(0, p), slice(0, left)


@pytest.fixture(scope="module")
def ill() -> list[Geometry]:
    return [simulate_geometry(HEAD, Chance(1, k), healthy=False) for k in range(6)]


def test_a_seed_gives_the_same_case_and_images() -> None:
    images = []
    for _ in range(2):
        chance = Chance(5, 7)
        case = simulate_geometry(HEAD, chance)
        images.append(render(case, whole(case), draw_recipe(case, chance), chance))
    assert torch.equal(images[0], images[1])


def test_another_seed_gives_another_case() -> None:
    first = simulate_geometry(HEAD, Chance(1, 1))
    second = simulate_geometry(HEAD, Chance(1, 2))
    assert first.shape != second.shape or not torch.equal(first.tissue, second.tissue)


def test_each_rendering_has_its_own_contrast(ill: list[Geometry]) -> None:
    case = ill[0]
    first, second = (
        render(case, whole(case), draw_recipe(case, Chance(k)), Chance(k)) for k in (1, 2)
    )
    assert not torch.allclose(first, second, atol=0.1)


def test_tumours_lie_inside_the_brain(ill: list[Geometry]) -> None:
    for case in ill:
        assert not case.lesion[case.tissue == t.OUTSIDE].any()
    assert sum(bool((case.depth() > 0).any()) for case in ill) >= 5


def test_all_depths_occur_over_cases(ill: list[Geometry]) -> None:
    depths = np.concatenate([np.unique(case.depth()) for case in ill])
    assert set(depths.tolist()) == {0, 1, 2, 3}


def test_a_healthy_brain_has_no_label_and_still_images() -> None:
    chance = Chance(3)
    case = simulate_geometry(HEAD, chance, healthy=True)
    assert not case.depth().any()
    images = render(case, whole(case), draw_recipe(case, chance), chance)
    assert torch.isfinite(images).all()
    assert images.std() > 0.1


def test_images_are_zero_outside_the_brain_and_centred_inside(ill: list[Geometry]) -> None:
    for number, case in enumerate(ill):
        chance = Chance(number)
        recipe = draw_recipe(case, chance)
        # A ghost takes its light from the image, which the coarse overview does not see.
        still = tuple(replace(spoiling, ghost=None) for spoiling in recipe.spoiling)
        images = render(case, whole(case), replace(recipe, spoiling=still), chance)
        outside = case.tissue == t.OUTSIDE
        assert not images[:, outside].any()
        middle = images[:, ~outside].median(dim=1).values
        assert float(middle.abs().max()) < 1.0


def test_a_crop_has_the_scale_of_the_whole(ill: list[Geometry]) -> None:
    case = ill[1]
    recipe = draw_recipe(case, Chance(4))
    box = (slice(8, 40), slice(8, 40), slice(8, 40))
    all_of_it = render(case, whole(case), recipe, Chance(9))[:, 8:40, 8:40, 8:40]
    part = render(case, box, recipe, Chance(9))
    inside = (case.tissue[box] != t.OUTSIDE)[None].expand_as(part)
    # Noise differs, contrast does not: the two agree but for that.
    correlation = torch.corrcoef(torch.stack([part[inside], all_of_it[inside]]))[0, 1]
    assert float(correlation) > 0.6
    assert abs(float((part[inside] - all_of_it[inside]).mean())) < 0.2


@pytest.fixture(scope="module")
def contrasts() -> tuple[torch.Tensor, torch.Tensor]:
    drawn = [draw_contrast(Chance(11, k)) for k in range(DRAWS)]
    return torch.stack([c.tissue for c in drawn]), torch.stack([c.lesions.mean for c in drawn])


def test_enhancement_is_bright_on_t1ce_always_and_on_t1_seldom(
    contrasts: tuple[torch.Tensor, torch.Tensor],
) -> None:
    tissue, lesion = contrasts
    brightest = torch.maximum(tissue[:, T1CE, t.WHITE], tissue[:, T1CE, t.CORTEX])
    assert (lesion[:, T1CE, t.ENHANCING] > brightest).all()
    assert (lesion[:, T1, t.ENHANCING] <= tissue[:, T1, t.WHITE] + 0.03).float().mean() > 0.8
    assert (lesion[:, T1, t.ENHANCING] < lesion[:, T1CE, t.ENHANCING]).all()


def test_oedema_is_bright_on_flair_and_t2_and_not_on_t1(
    contrasts: tuple[torch.Tensor, torch.Tensor],
) -> None:
    tissue, lesion = contrasts
    for channel in (T2, FLAIR):
        brain = torch.maximum(tissue[:, channel, t.WHITE], tissue[:, channel, t.CORTEX])
        assert (lesion[:, channel, t.OEDEMA] > brain).all()
    assert (lesion[:, T1, t.OEDEMA] <= tissue[:, T1, t.WHITE]).all()


def test_necrosis_is_darker_than_enhancement_on_t1ce(
    contrasts: tuple[torch.Tensor, torch.Tensor],
) -> None:
    tissue, lesion = contrasts
    assert (lesion[:, T1CE, t.NECROSIS] < lesion[:, T1CE, t.ENHANCING]).all()
    # Never brighter than white matter, and mostly darker.
    assert (lesion[:, T1CE, t.NECROSIS] <= tissue[:, T1CE, t.WHITE]).all()
    darker = lesion[:, T1CE, t.NECROSIS] < tissue[:, T1CE, t.WHITE] - 0.05
    assert darker.float().mean() > 0.6


def test_fluid_is_dark_on_flair_and_t1_and_bright_on_t2(
    contrasts: tuple[torch.Tensor, torch.Tensor],
) -> None:
    tissue, _ = contrasts
    for channel in (T1, FLAIR):
        assert (tissue[:, channel, t.VENTRICLE] < tissue[:, channel, t.WHITE]).all()
    assert (tissue[:, T2, t.VENTRICLE] > tissue[:, T2, t.CORTEX]).all()


def test_flair_grey_against_white_goes_from_reversed_to_strong(
    contrasts: tuple[torch.Tensor, torch.Tensor],
) -> None:
    tissue, _ = contrasts
    ratio = tissue[:, FLAIR, t.CORTEX] / tissue[:, FLAIR, t.WHITE]
    assert ratio.min() < 0.97
    assert ratio.max() > 1.25


def test_deforming_keeps_the_classes_and_about_the_amounts() -> None:
    moved = deform(HEAD, Chance(2))
    assert set(torch.unique(moved).tolist()) <= set(np.unique(HEAD).tolist())
    white = [int(((v & TISSUE_MASK) == t.WHITE).sum()) for v in (torch.from_numpy(HEAD), moved)]
    assert 0.4 < white[1] / white[0] < 2.5


def test_swapping_sides_twice_is_nothing() -> None:
    head = torch.from_numpy(HEAD)
    assert not torch.equal(swap_sides(head), head)
    assert torch.equal(swap_sides(swap_sides(head)), head)


def test_ghosts_are_faint_copies_along_one_axis() -> None:
    volume = torch.zeros(8, 16, 8)
    volume[4, 8, 4] = 1.0
    ghosted_volume = ghosted(volume, (1, 4, 0.2))
    assert float(ghosted_volume[4, 8, 4]) == pytest.approx(0.8)
    assert float(ghosted_volume[4, 12, 4]) == pytest.approx(0.1)
    assert float(ghosted_volume[4, 4, 4]) == pytest.approx(0.1)
    assert int((ghosted_volume > 0).sum()) == 3


def test_satellites_lie_in_tissue_outside_their_parent() -> None:
    head = torch.from_numpy(HEAD)
    parent = Plan("ring", (32, 32, 20), 8.0, 4.0, False)
    found = [p for seed in range(60) for p in plan_satellites(head, parent, Chance(7, seed))]
    assert found
    for plan in found:
        distance = sum((a - b) ** 2 for a, b in zip(plan.centre, parent.centre, strict=True)) ** 0.5
        assert distance > parent.radius
        assert plan.radius <= 6
        assert int(head[plan.centre]) & TISSUE_MASK != t.OUTSIDE


def test_calcium_is_part_of_the_core_and_dark_on_t2(
    contrasts: tuple[torch.Tensor, torch.Tensor],
) -> None:
    assert t.DEPTH_OF_LESION[t.CALCIUM] == 2
    _, lesion = contrasts
    assert (lesion[:, T2, t.CALCIUM] < lesion[:, T2, t.SOLID]).all()


def test_folia_cut_into_the_cerebellar_cortex_and_nothing_else() -> None:
    head = torch.full((40, 40, 40), t.WHITE + (t.LEFT << t.SIDE_SHIFT), dtype=torch.uint8)
    head[18:22, 2:6, 18:22] = t.BRAINSTEM
    cerebellum = t.CEREBELLAR_CORTEX + (t.RIGHT << t.SIDE_SHIFT)
    head[10:30, 12:36, 8:32] = cerebellum
    folded = fold_cerebellum(head, Chance(1))
    cortex = head == cerebellum
    assert torch.equal(folded[~cortex], head[~cortex])
    white = t.CEREBELLAR_WHITE + (t.RIGHT << t.SIDE_SHIFT)
    assert set(folded[cortex].unique().tolist()) == {cerebellum, white, t.CSF}
    assert 0.4 < float((folded == cerebellum)[cortex].float().mean()) < 0.95


def test_a_head_without_cerebellum_has_nothing_to_fold() -> None:
    head = torch.from_numpy(HEAD)
    assert torch.equal(fold_cerebellum(head, Chance(1)), head)


def test_water_thins_out_in_oedema_in_all_contrasts_and_nowhere_else() -> None:
    look = draw_contrast(Chance(3)).lesions
    lesion = torch.zeros(4, 4, 8, dtype=torch.uint8)
    lesion[..., :4], lesion[..., 4:] = t.OEDEMA, t.SOLID
    base, texture = torch.ones(4, 4, 4, 8), torch.zeros(4, 4, 4, 8)
    little, much = (
        lay_over(base, lesion, look, texture, torch.full((4, 4, 8), water), edge_mm=0.0)
        for water in FLOOD
    )
    oedema = lesion == t.OEDEMA
    away = (little - 1).abs()[:, oedema], (much - 1).abs()[:, oedema]
    assert (away[0] < away[1]).all(), "less water, less of a difference from white matter"
    assert torch.equal(little[:, ~oedema], much[:, ~oedema])


def test_some_coils_make_one_side_of_the_head_darker() -> None:
    shape = (60, 60, 60)
    places = tuple(torch.tensor([5, 54]) for _ in shape)
    ratios = []
    for k in range(DRAWS):
        for spoiling in draw_spoiling(shape, Chance(k)):
            near = bias_field(spoiling, shape, (places[0], places[1], places[2]))
            front, back = near[:, 0].mean(), near[:, 1].mean()
            ratios.append(float(torch.log(back / front).abs()))
    strong = np.mean(np.array(ratios) > 0.2)
    assert 0.02 < strong < 0.2


def test_in_some_scans_the_middle_shines() -> None:
    shape = (60, 60, 60)
    index = torch.tensor([2, 30, 57])
    ratios = []
    for k in range(DRAWS):
        for spoiling in draw_spoiling(shape, Chance(k)):
            profile = torch.log(bias_field(spoiling, shape, (index, index, index)))
            ratios.append(float(profile[1, 1, 1] - profile[::2, ::2, ::2].mean()))
    assert 0.03 < np.mean(np.array(ratios) > 0.15) < 0.3
