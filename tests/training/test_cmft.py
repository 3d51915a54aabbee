"""CMFT: one step, a run that is stopped and resumed, and what is handed on."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from torch import Tensor

from napari_mmseg.errors import InputError, ModelError
from napari_mmseg.models.networks import build
from napari_mmseg.models.networks.cmff import Cmff
from napari_mmseg.models.networks.cmft import Transition, load_transition, split_pairs
from napari_mmseg.training import cmft_source
from napari_mmseg.training.cmft import GENERATORS, CmftOptions, train_cmft
from napari_mmseg.training.cmft_measure import closeness, ssim
from napari_mmseg.training.cmft_source import Source, from_folder, simulated
from napari_mmseg.training.cmft_step import CYCLE_WEIGHT, Cycle, ImagePool
from napari_mmseg.training.cmft_transfer import begin_with_cmft, transfer
from napari_mmseg.training.distil import Distiller, distil, listening
from napari_mmseg.training.export import network_of
from napari_mmseg.training.initial import begin
from napari_mmseg.training.loop import LOG, load_checkpoint, train
from napari_mmseg.training.options import TrainOptions
from napari_mmseg.training.simulate.case import Geometry
from napari_mmseg.training.simulate.chance import Chance
from napari_mmseg.training.simulate.render import Box, Recipe, render

CROP = (32, 32, 32)


def noise(step: int) -> Tensor:
    return torch.randn(1, 4, *CROP, generator=torch.Generator().manual_seed(step))


def cycle(**changes: float) -> Cycle:
    torch.manual_seed(0)
    return Cycle(**{"base": 2, "levels": 2, "bf16": False, **changes})  # type: ignore[arg-type]


def options(folder: Path, **changes: object) -> CmftOptions:
    small = CmftOptions(out=folder, steps=4, seed=3, base=2, levels=2, crop=CROP, bf16=False)
    return dataclasses.replace(small, **changes)  # type: ignore[arg-type]


# -- one step ------------------------------------------------------------------------------------


def test_the_losses_are_least_squares_and_ten_times_the_cycle() -> None:
    learner, volumes = cycle(), noise(0)
    first, second = split_pairs(volumes)
    forth, back = learner.transition.forth, learner.transition.back
    with torch.no_grad():
        made_second, made_first = forth(first), back(second)
        again = (back(made_second) - first).abs().mean() + (forth(made_first) - second).abs().mean()
        judge_first, judge_second = learner.judges
        fooling = ((judge_first(made_first) - 1) ** 2).mean()
        fooling = fooling + ((judge_second(made_second) - 1) ** 2).mean()
        judging = sum(
            (((judge(true) - 1) ** 2).mean() + (judge(made.half().float()) ** 2).mean()) / 2
            for judge, true, made in (
                (judge_first, first, made_first),
                (judge_second, second, made_second),
            )
        )
    found = learner.step(volumes, Chance(0))
    assert CYCLE_WEIGHT == 10
    assert found["cycle"] == pytest.approx(float(again), rel=1e-4)
    assert found["fooling"] == pytest.approx(float(fooling), rel=1e-4)
    assert found["loss"] == pytest.approx(float(fooling + 10 * again), rel=1e-4)
    assert found["judging"] == pytest.approx(float(judging), rel=1e-4)


def test_a_step_teaches_both_generators_and_both_discriminators() -> None:
    learner = cycle()
    before = {k: v.clone() for k, v in learner.transition.state_dict().items()}
    judged = {k: v.clone() for k, v in learner.judges.state_dict().items()}
    learner.step(noise(0), Chance(0))
    assert all(not torch.equal(before[k], v) for k, v in learner.transition.state_dict().items())
    assert all(not torch.equal(judged[k], v) for k, v in learner.judges.state_dict().items())


def test_the_pool_holds_ten_and_gives_old_ones_back() -> None:
    pool, chance = ImagePool(), Chance(1)
    assert pool.size == 10
    shown = [float(pool.exchange(torch.full((1,), float(n)), chance)) for n in range(200)]
    assert shown[:10] == list(range(10))
    assert len(pool.images) == 10
    fresh = sum(value == n for n, value in enumerate(shown[10:], start=10))
    assert 60 < fresh < 130  # about half
    assert all(value <= n for n, value in enumerate(shown))
    # What came back instead of a new one was older, and never twice.
    older = [value for n, value in enumerate(shown[10:], start=10) if value != n]
    assert len(set(older)) == len(older)
    assert not set(older) & {float(image) for image in pool.images}


#: Intensities (contrast, tissue) of the phantom: no contrast is another with a factor.
LOOKS = (
    (-1.5, -0.3, 0.5, 1.2),
    (-1.2, -0.4, 0.6, 1.5),
    (2.0, 0.5, -0.2, -1.0),
    (-1.0, 1.2, 0.3, -0.6),
)


def phantom() -> Tensor:
    """Two balls of four tissues in four contrasts. (Torch is slow with one so small.)"""
    generator = torch.Generator().manual_seed(4)
    coarse = torch.randn(2, 1, 6, 6, 6, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size=CROP, mode="trilinear")[:, 0]
    tissue = torch.bucketize(smooth, torch.tensor([-0.5, 0.0, 0.5]))
    images = torch.tensor(LOOKS)[:, tissue].transpose(0, 1)
    images = images + 0.1 * torch.randn(2, 4, *CROP, generator=generator)
    square = torch.linspace(-1, 1, CROP[0]) ** 2
    return images * (square[:, None, None] + square[:, None] + square < 1)


def test_translated_contrasts_come_closer_to_the_true_ones() -> None:
    """Closer than the input was, and than a blank image, which also beats a wrong contrast."""
    volumes = phantom()
    torch.manual_seed(0)
    learner = Cycle(base=4, levels=2, learning_rate=5e-3, bf16=False)
    untrained = closeness(learner.transition, volumes)
    for step in range(40):
        learner.step(volumes, Chance(1, step))
    learned = closeness(learner.transition, volumes)
    assert learned.l1_before == untrained.l1_before
    # Three seeds gave 0.39 to 0.45 of the L1 before, 0.64 to 0.72 of the blank image's.
    assert learned.l1_after < 0.6 * learned.l1_before
    assert learned.l1_after < 0.85 * learned.l1_blank < untrained.l1_after
    assert learned.ssim_after > untrained.ssim_after + 0.1


def test_ssim_equals_scikit_image() -> None:
    reference = pytest.importorskip("skimage.metrics").structural_similarity
    generator = np.random.default_rng(0)
    first = generator.normal(size=(12, 14, 13))
    second = first + 0.5 * generator.normal(size=first.shape)
    expected = reference(first, second, data_range=5.0)
    found = ssim(torch.from_numpy(first)[None, None], torch.from_numpy(second)[None, None], 5.0)
    assert float(found.mean()) == pytest.approx(expected, abs=1e-9)


# -- a run ---------------------------------------------------------------------------------------


def test_a_killed_run_resumes_to_the_weights_of_the_whole_one(tmp_path: Path) -> None:
    whole = train_cmft(options(tmp_path, name="whole"), source=noise)

    class Killed(Exception):
        """Stands for the machine that goes down."""

    def stop(line: dict[str, float]) -> None:
        if line["step"] == 3:
            raise Killed

    halves = options(tmp_path, name="halves", checkpoint_seconds=0.0)
    with pytest.raises(Killed):
        train_cmft(halves, stop, source=noise)
    assert load_checkpoint(tmp_path / "halves" / "checkpoint.pt")["step"] == 2
    resumed = train_cmft(dataclasses.replace(halves, resume=True), source=noise)
    first, second = (load_transition(run / GENERATORS).state_dict() for run in (whole, resumed))
    for name, value in first.items():
        assert torch.equal(second[name], value), name
    lines = [json.loads(line) for line in (whole / LOG).read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    assert all(line[name] >= 0 for line in lines for name in ("fooling", "cycle", "judging"))


def test_a_run_is_not_overwritten_nor_resumed_as_another(tmp_path: Path) -> None:
    train_cmft(options(tmp_path, steps=1), source=noise)
    with pytest.raises(InputError, match=r"--resume.*--name"):
        train_cmft(options(tmp_path, steps=1), source=noise)
    with pytest.raises(InputError, match="begun with base 2"):
        train_cmft(options(tmp_path, steps=2, base=4, resume=True), source=noise)


def test_crops_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="multiples of 2 from 32"):
        train_cmft(options(tmp_path, crop=(32, 16, 32)), source=noise)


def test_the_defaults_are_the_papers() -> None:
    paper = CmftOptions()
    assert (paper.steps, paper.crop, paper.learning_rate) == (10_000, (128, 128, 128), 1e-4)
    assert (paper.base, paper.levels) == (16, 5)


# -- volumes -------------------------------------------------------------------------------------


def test_simulated_volumes_are_complete_and_a_function_of_the_step() -> None:
    source, again = simulated(None, CROP, seed=1), simulated(None, CROP, seed=1)
    volumes = source(5)
    assert volumes.shape == (1, 4, *CROP)
    assert all(volumes[0, channel].any() for channel in range(4))
    assert torch.equal(again(5), volumes)
    assert not torch.equal(source(6), volumes)


def test_one_scanner_has_the_same_contrasts_in_every_case() -> None:
    for scanner in (1, 2):
        source = simulated(None, CROP, seed=1, scanner=scanner)
        assert torch.equal(source(3), simulated(None, CROP, seed=1, scanner=scanner)(3))
    other = simulated(None, CROP, seed=1, scanner=1)
    assert not torch.equal(other(3), source(3))
    drawn = [render_contrast(other, step) for step in range(3)]
    assert torch.equal(drawn[0], drawn[1])
    assert torch.equal(drawn[1], drawn[2])
    own = simulated(None, CROP, seed=1)
    assert not torch.equal(render_contrast(own, 0), render_contrast(own, 1))


def render_contrast(source: Source, step: int) -> Tensor:
    """The tissue intensities that a step's images were painted with."""
    seen: list[Tensor] = []

    def watch(case: Geometry, box: Box, recipe: Recipe, chance: Chance) -> Tensor:
        seen.append(recipe.contrast.tissue)
        return render(case, box, recipe, chance)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cmft_source, "render", watch)
        source(step)
    return seen[0]


def write_case(folder: Path, contrasts: tuple[str, ...] = ("t1", "t1ce", "t2", "flair")) -> None:
    folder.mkdir(parents=True)
    generator = np.random.default_rng(len(folder.name))
    for contrast in contrasts:
        image = np.zeros((40, 36, 38), dtype=np.float32)
        image[4:36, 4:32, 4:34] = generator.uniform(50, 150, size=(32, 28, 30))
        nibabel.save(nibabel.Nifti1Image(image, np.eye(4)), folder / f"{contrast}.nii.gz")


def test_an_unlabelled_folder_feeds_a_run_and_what_is_left_out_is_said(tmp_path: Path) -> None:
    write_case(tmp_path / "cases" / "one")
    write_case(tmp_path / "cases" / "no_flair", ("t1", "t1ce", "t2"))
    write_case(tmp_path / "cases" / "torn")
    (tmp_path / "cases" / "torn" / "t2.nii.gz").write_bytes(b"no image")
    said: list[str] = []
    chosen = options(tmp_path, data=tmp_path / "cases", steps=6)
    run = train_cmft(chosen, tell=said.append)
    assert (run / GENERATORS).is_file()
    assert len(said) == 2
    assert any("no_flair" in sentence and "lacks FLAIR" in sentence for sentence in said)
    assert any("torn" in sentence for sentence in said)
    source = from_folder(tmp_path / "cases", CROP, seed=3)
    volumes = source(2)
    assert volumes.shape == (1, 4, *CROP)
    assert torch.equal(from_folder(tmp_path / "cases", CROP, seed=3)(2), volumes)


def test_a_folder_without_a_usable_case_is_refused(tmp_path: Path) -> None:
    write_case(tmp_path / "cases" / "no_flair", ("t1", "t1ce", "t2"))
    with pytest.raises(InputError, match=r"no case of .* can be learned from"):
        from_folder(tmp_path / "cases", CROP, seed=0)(0)


# -- what is handed on ---------------------------------------------------------------------------


def test_transfer_changes_all_but_the_last_layers_and_nothing_else() -> None:
    torch.manual_seed(1)
    network, generators = Cmff(base=2, levels=3), Transition(base=2, levels=3)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    transfer(generators, network)
    sources = (generators.forth.state_dict(), generators.back.state_dict())
    changed = set()
    for name, value in network.state_dict().items():
        if torch.equal(value, before[name]):
            continue
        changed.add(name)
        _, branch, own = name.split(".", 2)
        assert torch.equal(value, sources[int(branch)][own]), name
    expected = {
        name
        for name in before
        if name.startswith("branches.") and not name.split(".", 2)[2].startswith("output.")
    }
    assert changed == expected
    assert len(changed) == 2 * (2 * 3 + 2 * 2)  # two convolutions a level, down and up, twice


def test_what_cannot_take_the_generators_over_is_refused() -> None:
    generators = Transition(base=2, levels=3)
    for kind in ("unet", "cmff-single"):
        with pytest.raises(ModelError, match=f"{kind} has no branch for each pair"):
            transfer(generators, build(kind, base=2, levels=3))
    other = Cmff(base=4, levels=3)
    before = {name: value.clone() for name, value in other.state_dict().items()}
    with pytest.raises(ModelError, match="another size"):
        transfer(generators, other)
    assert all(torch.equal(value, before[name]) for name, value in other.state_dict().items())


def test_a_runs_folder_begins_a_network(tmp_path: Path) -> None:
    run = train_cmft(options(tmp_path, steps=1), source=noise)
    network = Cmff(base=2, levels=2)
    begin_with_cmft(run, network)
    taught = load_transition(run / GENERATORS).forth.state_dict()["encoders.0.0.weight"]
    assert torch.equal(network.state_dict()["branches.0.encoders.0.0.weight"], taught)
    with pytest.raises(ModelError, match="there is no file"):
        begin_with_cmft(tmp_path, network)


def test_the_papers_way_from_generators_to_a_segmentation_network(tmp_path: Path) -> None:
    run = train_cmft(options(tmp_path, steps=1), source=noise)
    chosen = TrainOptions(
        anatomy=None, out=tmp_path, name="fused", network="cmff", loss="dice", init="cmft",
        cmft=run, steps=2, base=2, levels=2, patch=CROP, whole=CROP, worker=False, compile=False,
    )  # fmt: skip
    network = network_of(load_checkpoint(train(chosen)))
    assert network.kind == "cmff"
    with torch.no_grad():
        assert network(noise(0)).isfinite().all()
    # Two steps from the generators, not from another beginning.
    taught = load_transition(run / GENERATORS).forth.state_dict()["encoders.0.0.weight"]
    learned = network.state_dict()["branches.0.encoders.0.0.weight"]
    assert float((learned - taught).abs().max()) < 0.02


@pytest.mark.parametrize("kind", ["unet", "deeplab", "decision"])
def test_distillation_teaches_a_network_of_another_build(kind: str) -> None:
    torch.manual_seed(0)
    generators, student = Transition(base=2, levels=3), build(kind, base=2, levels=3)
    teacher = {name: value.clone() for name, value in generators.state_dict().items()}
    before = {name: value.clone() for name, value in student.state_dict().items()}
    volumes = torch.randn(1, 4, 16, 16, 16)
    losses: list[float] = []
    distil(
        generators, student, lambda _: volumes, steps=12, learning_rate=1e-2, bf16=False,
        report=lambda line: losses.append(line["loss"]),
    )  # fmt: skip
    assert losses[-1] < 0.8 * losses[0]
    changed = {name for name, v in student.state_dict().items() if not torch.equal(before[name], v)}
    assert not any(name.split(".")[-2] == "head" for name in changed)
    assert any("encoders" in name or "stages" in name for name in changed)
    assert all(torch.equal(teacher[name], v) for name, v in generators.state_dict().items())
    assert generators.training
    assert not any(module._forward_hooks for module in student.modules())


def test_a_run_of_any_network_begins_with_what_the_generators_teach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_mmseg.training.distil.BEGINNING_STEPS", 2)
    run = train_cmft(options(tmp_path, steps=1), source=noise)
    chosen = TrainOptions(
        anatomy=None, out=tmp_path, name="taught", base=2, levels=2, patch=CROP, init="distil",
        cmft=run,
    )  # fmt: skip
    torch.manual_seed(0)
    network = build("unet", base=2, levels=2)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    begin(network, chosen)
    changed = {name for name, v in network.state_dict().items() if not torch.equal(before[name], v)}
    assert "encoders.0.0.weight" in changed
    assert not changed & {"head.weight", "head.bias"}
    with pytest.raises(InputError, match="needs the folder of a CMFT run"):
        begin(network, dataclasses.replace(chosen, cmft=None))


def test_the_teacher_is_matched_in_its_last_two_levels() -> None:
    generators = Transition(base=2, levels=3).eval()
    distiller = Distiller(generators, build("unet", base=3, levels=3))
    assert [adapter.out_channels for adapter in distiller.adapters] == [4, 2, 4, 2]
    assert {adapter.kernel_size for adapter in distiller.adapters} == {(1, 1, 1)}
    # A student that already feels what the teacher feels has nothing to learn.
    volumes = torch.randn(1, 4, 16, 16, 16)
    with listening(distiller.student, distiller.layers) as heard:
        distiller.student(volumes)
    assert [heard[name].shape[-1] for name in distiller.layers] == [8, 16]
