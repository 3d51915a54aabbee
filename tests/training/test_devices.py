"""Lightning Fabric with one process on a processor: the same step as the plain way."""

from __future__ import annotations

import sys

import pytest
import torch
from labelled_cases import Options

from napari_mmseg.errors import ModelError
from napari_mmseg.models.networks import build
from napari_mmseg.training import devices


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    depth = torch.zeros(2, 16, 16, 16, dtype=torch.uint8)
    depth[:, 4:10, 4:10, 4:10] = 2
    return torch.randn(2, 4, 16, 16, 16, generator=generator) + depth[:, None], depth


@pytest.mark.filterwarnings("ignore")  # Fabric's own, on whatever it finds here
def test_a_step_through_fabric_is_the_plain_step(options: Options) -> None:
    pytest.importorskip("lightning_fabric")
    chosen = options(learning_rate=1e-2, precision="bf16")  # as Fabric does it
    results = []
    for place in (devices.Processor(), devices.Cards("cpu", 1)):
        torch.manual_seed(0)
        network = build("unet", base=2, levels=2)
        stepper = place.stepper(network, chosen)
        losses = [stepper.step(*batch(), 1e-2) for _ in range(3)]
        assert place.rank == 0
        assert place.agree(True)
        assert stepper.optimiser.state_dict()["state"]
        results.append((losses, network.state_dict()))
    (plain, weights), (through, others) = results
    assert through == pytest.approx(plain, rel=2e-2)
    assert plain[-1] < plain[0]
    assert weights.keys() == others.keys()
    for name, value in weights.items():
        torch.testing.assert_close(others[name], value, atol=2e-2, rtol=0)


def test_processes_draw_different_batches(options: Options) -> None:
    first, second = devices.Processor(), devices.Processor()
    second.rank = 1
    chosen = options()
    assert first.batches_of(chosen) == chosen
    assert second.batches_of(chosen).seed != chosen.seed


def test_only_the_first_process_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in devices.RANK_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert devices.is_first_process()
    for name in devices.RANK_VARIABLES:
        monkeypatch.setenv(name, "1")
        assert not devices.is_first_process()
        monkeypatch.setenv(name, "0")
    assert devices.is_first_process()


def test_the_plain_way_is_taken_without_a_card(
    options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert type(devices.open_devices(options(device="auto"))) is devices.Processor
    with pytest.raises(ModelError, match="--device cpu"):
        devices.open_devices(options(device="cuda"))


def test_without_fabric_it_is_said_how_to_get_it(
    options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lightning_fabric", None)
    with pytest.raises(ModelError, match=r"pip install 'napari-mmseg\[train\]'"):
        devices.open_devices(options(devices=2))
