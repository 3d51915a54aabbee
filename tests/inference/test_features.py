"""Looking inside: the maps shown are the layer's own values, in the right places."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from stand_ins import change_card, make_case

from napari_mmseg.errors import Cancelled, InputError, ModelError
from napari_mmseg.inference import features
from napari_mmseg.inference.features import GUIDANCE, layer_names, look_inside
from napari_mmseg.inference.prepare import prepare
from napari_mmseg.inference.progress import Watch
from napari_mmseg.inference.torch import load_network
from napari_mmseg.models import read_card
from napari_mmseg.models.networks import build


def test_the_layers_are_named_from_the_input_to_the_output(tiny_model: Path) -> None:
    names = layer_names(tiny_model)
    assert names == ("encoders.0", "encoders.1", "encoders.2", "decoders.0", "decoders.1")


def test_the_maps_are_what_the_layer_gives(tiny_model: Path) -> None:
    card = read_card(tiny_model)
    case = make_case()
    prepared = prepare(case, card, Watch())
    network = load_network(card).eval()
    with torch.no_grad():
        expected = network.encoders[0](torch.from_numpy(prepared.channels[None]))[0].numpy()
    found = look_inside(case, "encoders.0", model=tiny_model)
    assert found.available == 4
    assert found.coarseness == 1
    assert sorted(found.channels) == [0, 1, 2, 3]
    assert found.box == prepared.box
    for channel, values in zip(found.channels, found.maps, strict=True):
        np.testing.assert_allclose(values, expected[channel][prepared.interior], atol=1e-5)


def test_a_deep_layer_is_shown_as_coarse_as_it_is(tiny_model: Path) -> None:
    case = make_case()
    blocks = look_inside(case, "encoders.2", model=tiny_model, most=2)
    smooth = look_inside(case, "encoders.2", model=tiny_model, most=2, smooth=True)
    assert blocks.coarseness == smooth.coarseness == 4
    assert blocks.available == 16
    assert blocks.channels == smooth.channels
    assert blocks.maps.shape == (2, 18, 22, 17)
    # Padding is one voxel before each side (20, 24, 20 around 18, 22, 17): blocks start at 3.
    cube = blocks.maps[:, 3:7, 3:7, 3:7]
    assert (cube == cube[:, :1, :1, :1]).all()
    assert not np.array_equal(blocks.maps, smooth.maps)
    assert np.corrcoef(blocks.maps[0].ravel(), smooth.maps[0].ravel())[0, 1] > 0.7


def test_the_most_active_come_first(tiny_model: Path) -> None:
    found = look_inside(make_case(), "decoders.1", model=tiny_model)
    brain = make_case().volumes["T1"].array[found.box] != 0
    spread = [values[brain].std() for values in found.maps]
    assert spread == pytest.approx(sorted(spread, reverse=True), rel=0.15)
    assert (
        look_inside(make_case(), "decoders.1", model=tiny_model, most=1).channels
        == (found.channels[:1])
    )


def test_maps_return_to_a_case_in_another_orientation(tiny_model: Path) -> None:
    upright = make_case(("T1",))
    flipped_affine = upright.grid.affine @ np.array(
        [[-1.0, 0, 0, 21], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    )
    flipped = make_case(
        ("T1",), {"T1": upright.volumes["T1"].array[::-1].copy()}, affine=flipped_affine
    )
    one = look_inside(upright, "encoders.1", model=tiny_model, most=1)
    other = look_inside(flipped, "encoders.1", model=tiny_model, most=1)
    np.testing.assert_allclose(other.maps[0], one.maps[0][::-1], atol=1e-5)


def test_the_guidance_of_cmff(tiny_model: Path, tmp_path: Path) -> None:
    network = build("cmff", base=4, levels=3)
    save_file(network.state_dict(), tmp_path / "cmff.safetensors")
    digest = hashlib.sha256((tmp_path / "cmff.safetensors").read_bytes()).hexdigest()
    shutil.copy(tiny_model / "card.json", tmp_path)
    change_card(
        tmp_path,
        name="cmff",
        network={"kind": "cmff", "base": 4, "levels": 3, "in": 4, "out": 3},
        stride=network.stride,
        files={"cmff.safetensors": digest},
    )
    assert layer_names(tmp_path)[-1] == GUIDANCE
    found = look_inside(make_case(), GUIDANCE, model=tmp_path)
    assert found.channels == (0, 1, 2, 3)  # classes keep their order
    assert found.coarseness == 1
    # A softmax of each of the two branches, summed.
    np.testing.assert_allclose(found.maps.sum(axis=0), 2.0, atol=1e-5)


def test_what_cannot_be_looked_at(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelError, match=r"no layer 'head\.0': it has encoders\.0"):
        look_inside(make_case(), "head.0", model=tiny_model)
    with pytest.raises(Cancelled):
        look_inside(make_case(), "encoders.0", model=tiny_model, cancelled=lambda: True)
    with monkeypatch.context() as context:
        context.setattr(features, "free_bytes", lambda: 1000)
        with pytest.raises(InputError, match="close other programs"):
            look_inside(make_case(), "encoders.0", model=tiny_model)
    card = json.loads((tiny_model / "card.json").read_text(encoding="utf-8"))
    (tmp_path / "card.json").write_text(json.dumps(card), encoding="utf-8")
    change_card(tmp_path, network={**card["network"], "kind": "onnx"})
    with pytest.raises(ModelError, match="ONNX file, whose layers"):
        layer_names(tmp_path)
