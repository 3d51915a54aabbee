"""Training: a few steps on made-up heads, stopped and resumed to the same weights."""

from __future__ import annotations

import dataclasses
import json
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from labelled_cases import write_case
from safetensors.torch import save_file

from napari_mmseg.errors import InputError, MmsegError, ModelError
from napari_mmseg.models.networks import build
from napari_mmseg.models.networks.cmft import Transition, save_transition
from napari_mmseg.models.networks.unet import UNet3d
from napari_mmseg.training import batches, distil, stepper
from napari_mmseg.training.batches import Batches, crop_size, stream
from napari_mmseg.training.cmft import GENERATORS
from napari_mmseg.training.export import base_card, half_weights, network_of
from napari_mmseg.training.initial import begin_with
from napari_mmseg.training.loop import LOG, load_checkpoint, train
from napari_mmseg.training.losses import region_loss, region_targets
from napari_mmseg.training.options import TrainOptions
from napari_mmseg.training.plot import PAGE


def options(folder: Path, **changes: object) -> TrainOptions:
    small = TrainOptions(
        anatomy=None, out=folder, steps=4, seed=3, base=2, levels=3, patch=(32, 32, 32),
        whole=(48, 48, 48), steps_per_case=2, worker=False, compile=False,
    )  # fmt: skip
    return dataclasses.replace(small, **changes)  # type: ignore[arg-type]


def test_three_steps_change_the_weights_and_are_logged(tmp_path: Path) -> None:
    state = load_checkpoint(train(options(tmp_path, steps=3)))
    assert state["step"] == 3
    lines = [json.loads(line) for line in (tmp_path / "run" / LOG).read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3]
    assert all(0 < line["loss"] < 5 for line in lines)
    assert not all(torch.equal(state["ema"][k], v) for k, v in state["network"].items())


def test_a_run_may_learn_the_scales_of_normalisation_alone(tmp_path: Path) -> None:
    run = options(tmp_path, steps=3, learn="scales")
    torch.manual_seed(run.seed)
    begun = build(run.network, run.inputs, run.outputs, run.base, run.levels).state_dict()
    after = load_checkpoint(train(run))["network"]
    changed = {name for name, value in after.items() if not torch.equal(value, begun[name])}
    # Of a convolution, a normalisation and a rectifier, twice over: the second and the fifth.
    scales = {name for name in begun if name.startswith(("encoders", "decoders"))}
    scales = {name for name in scales if name.split(".")[2] in "14"}
    assert changed == scales


def test_a_network_without_such_scales_cannot_learn_them_alone(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cmff has normalisation layers without weights"):
        train(options(tmp_path, network="cmff", learn="scales"))


def test_resuming_gives_the_weights_of_the_uninterrupted_run(tmp_path: Path) -> None:
    whole = load_checkpoint(train(options(tmp_path, name="whole")))

    class Killed(Exception):
        """Stands for the machine that goes down."""

    def stop_after_two(line: dict[str, float]) -> None:
        if line["step"] == 3:
            raise Killed

    halves = options(tmp_path, name="halves", checkpoint_seconds=0.0)
    with pytest.raises(Killed):
        train(halves, stop_after_two)
    assert load_checkpoint(tmp_path / "halves" / "checkpoint.pt")["step"] == 2
    resumed = load_checkpoint(train(dataclasses.replace(halves, resume=True)))
    for part in ("network", "ema"):
        for name, value in whole[part].items():
            assert torch.equal(value, resumed[part][name]), name


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_a_killed_process_is_resumed_from_its_last_checkpoint(tmp_path: Path) -> None:
    """Killed by the system in the midst of a step, not by an exception that could be caught."""
    chosen = options(tmp_path, name="killed", steps=6, checkpoint_seconds=0.0)
    program = (
        "import sys, os, signal\n"
        "from pathlib import Path\n"
        "from napari_mmseg.training.loop import train\n"
        "from napari_mmseg.training.options import TrainOptions\n"
        "def report(line):\n"
        "    if line['step'] == 4: os.kill(os.getpid(), signal.SIGKILL)\n"
        "train(TrainOptions(anatomy=None, name='killed', out=Path(sys.argv[1]), steps=6, seed=3,\n"
        "    base=2, levels=3, patch=(32,)*3, whole=(48,)*3, steps_per_case=2, worker=False,\n"
        "    compile=False, checkpoint_seconds=0.0), report)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert load_checkpoint(chosen.folder / "checkpoint.pt")["step"] == 3
    resumed = load_checkpoint(train(dataclasses.replace(chosen, resume=True)))
    whole = load_checkpoint(train(options(tmp_path, name="whole", steps=6)))
    assert resumed["step"] == 6
    for part in ("network", "ema"):
        for name, value in whole[part].items():
            assert torch.equal(value, resumed[part][name]), name


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="asks Linux which processes there are")
def test_the_worker_does_not_outlive_a_killed_training(tmp_path: Path) -> None:
    program = (
        "import os, signal\n"
        "from multiprocessing import active_children\n"
        "from napari_mmseg.training import batches\n"
        "from napari_mmseg.training.options import TrainOptions\n"
        "if __name__ == '__main__':\n"
        "    batches.PARENT_CHECK_SECONDS = 0.2\n"
        "    options = TrainOptions(anatomy=None, steps=100, patch=(32,)*3, whole=(32,)*3)\n"
        "    stream = batches.stream(options, 0)\n"
        "    next(stream)\n"
        "    print(active_children()[0].pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    script = tmp_path / "training.py"
    script.write_text(program)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        worker = Path("/proc") / run.stdout.readline().strip()
    assert worker.name.isdigit()
    deadline = time.monotonic() + 120
    while _is_alive(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _is_alive(worker)


def _is_alive(process: Path) -> bool:
    try:
        return "State:\tZ" not in (process / "status").read_text()
    except OSError:
        return False


def test_a_network_of_several_heads_resumes_exactly_on_a_users_cases(tmp_path: Path) -> None:
    for number in range(2):
        write_case(tmp_path / "cases", number)
    chosen = options(
        tmp_path, steps=3, network="cmff", data=tmp_path / "cases", patch=(16, 16, 16),
        whole=(16, 16, 16), levels=2, loss="region+0.1*smooth", checkpoint_seconds=0.0,
    )  # fmt: skip
    whole = load_checkpoint(train(dataclasses.replace(chosen, name="whole")))

    class Killed(Exception):
        """Stands for the machine that goes down."""

    def stop(line: dict[str, float]) -> None:
        if line["step"] == 3:
            raise Killed

    halves = dataclasses.replace(chosen, name="halves")
    with pytest.raises(Killed):
        train(halves, stop)
    resumed = load_checkpoint(train(dataclasses.replace(halves, resume=True)))
    for name, value in whole["network"].items():
        assert torch.equal(value, resumed["network"][name]), name
    assert "step 3 of 3" in (tmp_path / "halves" / PAGE).read_text()
    with pytest.raises(InputError, match="begun with the network cmff"):
        train(dataclasses.replace(halves, resume=True, network="unet"))


def test_distillation_comes_before_the_first_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the run's own cases; the last layer is not taught."""
    for number in range(2):
        write_case(tmp_path / "cases", number)
    save_transition(Transition(base=2, levels=2), tmp_path / GENERATORS)
    monkeypatch.setattr(distil, "BEGINNING_STEPS", 2)
    begun: list[dict[str, torch.Tensor]] = []
    taught = distil.distil

    def teach(transition: Transition, network: torch.nn.Module, *rest: object) -> None:
        begun.append({name: value.clone() for name, value in network.state_dict().items()})
        taught(transition, network, *rest)  # type: ignore[arg-type]
        begun.append({name: value.clone() for name, value in network.state_dict().items()})

    monkeypatch.setattr(distil, "distil", teach)
    chosen = options(
        tmp_path, steps=1, data=tmp_path / "cases", patch=(16, 16, 16), whole=(16, 16, 16),
        levels=2, init="distil", cmft=tmp_path,
    )  # fmt: skip
    train(chosen)
    before, after = begun
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert any(name.startswith("encoders") for name in changed)
    assert not any(name.startswith("head") for name in changed)


def test_a_worker_that_dies_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "PARENT_CHECK_SECONDS", 0.05)
    broken = options(tmp_path, worker=True, data=tmp_path / "nowhere")
    with pytest.raises(MmsegError, match=r"ended early.*--resume"):
        next(stream(broken, 0))


def test_only_networks_that_compile_rightly_are_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = options(tmp_path, compile=True)
    monkeypatch.setattr(stepper.shutil, "which", lambda _: "/usr/bin/g++")
    assert stepper.may_compile(asked)
    assert not stepper.may_compile(dataclasses.replace(asked, network="deeplab"))
    assert not stepper.may_compile(options(tmp_path))
    monkeypatch.setattr(stepper.shutil, "which", lambda _: None)
    assert not stepper.may_compile(asked)


def test_minutes_stop_the_run(tmp_path: Path) -> None:
    assert load_checkpoint(train(options(tmp_path, minutes=0.0)))["step"] == 1


def test_a_run_is_not_overwritten_by_another_of_its_name(tmp_path: Path) -> None:
    path = train(options(tmp_path, steps=1))
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"--resume.*--name"):
        train(options(tmp_path, steps=1))
    assert path.read_bytes() == before


def test_a_run_begins_with_the_weights_of_a_model(tmp_path: Path) -> None:
    state = load_checkpoint(train(options(tmp_path, steps=1)))
    trained = network_of(state)
    folder = tmp_path / "first"
    folder.mkdir()
    save_file(half_weights(trained), folder / "first.safetensors")
    told = base_card("first", trained) | {
        "files": {
            "first.safetensors": sha256((folder / "first.safetensors").read_bytes()).hexdigest()
        }
    }
    (folder / "card.json").write_text(json.dumps(told))
    fresh = UNet3d(base=2, levels=3)
    begin_with(str(folder), fresh)
    for name, value in fresh.state_dict().items():
        assert torch.equal(value, trained.state_dict()[name].half().float()), name
    with pytest.raises(ModelError, match="another size"):
        begin_with(str(folder), UNet3d(base=4, levels=3))


def test_the_worker_makes_the_batches_of_the_main_process(tmp_path: Path) -> None:
    chosen = options(tmp_path, steps=2)
    here = [batch for _, batch in stream(chosen, 0)]
    there = [batch for _, batch in stream(dataclasses.replace(chosen, worker=True), 0)]
    for (images, depths), (other, labels) in zip(here, there, strict=True):
        torch.testing.assert_close(images, other, atol=1e-2, rtol=1e-2)
        assert torch.equal(depths, labels)


def test_a_batch_depends_on_seed_and_step_alone(tmp_path: Path) -> None:
    first, second = Batches(options(tmp_path)), Batches(options(tmp_path))
    _ = second[0]
    images, depths = first[2]
    again, labels = second[2]
    assert torch.equal(images, again)
    assert torch.equal(depths, labels)


def test_crops_grow_to_whole_brains_at_the_end(tmp_path: Path) -> None:
    chosen = options(tmp_path, steps=100, whole_share=0.2)
    sizes = [crop_size(step, chosen) for step in range(100)]
    assert sizes[0] == chosen.patch
    assert set(sizes[80:]) == {chosen.whole}
    # Now and then one before: false alarms far from a tumour are only seen there.
    assert 15 <= sizes[:80].count(chosen.whole) <= 40


def test_targets_are_nested() -> None:
    depth = torch.tensor([0, 1, 2, 3], dtype=torch.uint8).view(1, 1, 2, 2)
    targets = region_targets(depth)
    assert (targets[:, 0] >= targets[:, 1]).all()
    assert (targets[:, 1] >= targets[:, 2]).all()
    assert targets.sum(dim=(0, 2, 3, 4)).tolist() == [3, 2, 1]


def test_loss_is_small_when_right_and_also_for_a_healthy_brain() -> None:
    depth = torch.randint(0, 4, (1, 8, 8, 8), dtype=torch.uint8)
    for truth in (depth, torch.zeros_like(depth)):
        right = region_targets(truth) * 40 - 20
        assert float(region_loss(right, truth)) < 0.01
        assert float(region_loss(-right, truth)) > 1.0


def test_a_folder_without_label_maps_is_refused_at_once(tmp_path: Path) -> None:
    asked = options(tmp_path / "runs", anatomy=tmp_path)
    with pytest.raises(InputError, match="holds no anatomical label map"):
        train(asked)
    assert not (tmp_path / "runs").exists()
