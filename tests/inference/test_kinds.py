"""A network of another kind than the shipped one, from its files through both engines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from stand_ins import change_card

from napari_mmseg.errors import ModelError
from napari_mmseg.inference.openvino import OpenVinoEngine
from napari_mmseg.inference.torch import TorchEngine, load_network
from napari_mmseg.models import read_card
from napari_mmseg.models.networks import build
from napari_mmseg.training.export import base_card, export_model, network_of

SAME_PROBABILITY = 1e-3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(4)
    network = build("cmff", base=2, levels=3)
    folder = tmp_path_factory.mktemp("models") / "fused"
    export_model(network, folder, "fused", base_card("fused", network))
    return folder


def test_both_engines_run_it(folder: Path) -> None:
    card = read_card(folder)
    assert (card.network.kind, card.stride) == ("cmff", 4)
    given = np.random.default_rng(0).normal(size=(4, 16, 20, 24)).astype(np.float32)
    given[1] = 0
    ours = OpenVinoEngine(card, precision="fp32").run(given, lambda: None)
    reference = TorchEngine(card, device="cpu").run(given, lambda: None)
    assert ours.shape == (3, 16, 20, 24)
    np.testing.assert_allclose(ours, reference, atol=SAME_PROBABILITY)


def test_weights_of_another_kind_are_refused(folder: Path) -> None:
    card = folder / "card.json"
    told = card.read_text()
    change_card(folder, network={"kind": "layer", "base": 2, "levels": 3, "in": 4, "out": 3})
    try:
        with pytest.raises(ModelError, match="another network than the card says"):
            load_network(read_card(folder))
    finally:
        card.write_text(told)


def test_a_checkpoint_names_its_network_or_is_a_unet() -> None:
    for kind, told in (("layer", '"network": "layer", '), ("unet", "")):
        weights = build(kind, base=2, levels=3).state_dict()
        options = "{" + told + '"base": 2, "levels": 3}'
        network = network_of({"options": options, "ema": weights})
        assert network.kind == kind
        assert not network.training
