"""A MONAI bundle: its network gives the same labels here, and nothing in it is executed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from foreign_models import (
    WINDOW,
    change,
    make_case,
    segresnet,
    write_bundle,
    zipped,
)

from napari_mmseg.errors import ModelError
from napari_mmseg.models import Card, available, load_card
from napari_mmseg.models.importers import open_source, read_foreign
from napari_mmseg.volume import Modality

pytest.importorskip("monai", reason="MONAI is an extra: pip install napari-mmseg[train]")

METADATA, INFERENCE = "configs/metadata.json", "configs/inference.json"
IMAGE = ("network_data_format", "inputs", "image")
PRED = ("network_data_format", "outputs", "pred")


@pytest.fixture(scope="module")
def network() -> Any:
    return segresnet()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, network: Any) -> Path:
    """A folder of models with the bundle imported into it, as `bundle`."""
    from napari_mmseg.inference.adopt import import_model

    place = tmp_path_factory.mktemp("imported")
    bundle = write_bundle(place / "download/brats_mri_segmentation", network)
    archive = zipped(bundle, place / "bundle.zip", top="brats_mri_segmentation")
    shown: list[str] = []
    import_model(
        archive,
        accept=lambda terms: bool(shown.append(terms)) or True,
        name="bundle",
        into=place / "models",
    )
    assert "Apache License, Version 2.0" in shown[0]
    assert "MONAI Consortium" in shown[0]
    return place / "models"


@pytest.fixture
def card(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Card:
    monkeypatch.setenv("NAPARI_MMSEG_MODELS", str(home))
    monkeypatch.setenv("NAPARI_MMSEG_CACHE", str(tmp_path))
    return load_card("bundle")


def monai_probabilities(network: Any) -> np.ndarray:
    """What MONAI makes of the case, in the bundle's own way; (TC WT ET, I, P, L)."""
    import torch
    from monai.inferers import sliding_window_inference
    from monai.transforms import NormalizeIntensity

    volumes = make_case().volumes
    order = (Modality.T1CE, Modality.T1, Modality.T2, Modality.FLAIR)
    # (I, P, L) as the files store it: towards left, posterior, superior.
    images = np.stack([volumes[m].array.transpose(2, 1, 0)[:, :, ::-1] for m in order])
    normal = NormalizeIntensity(nonzero=True, channel_wise=True)(images.copy())
    with torch.no_grad():
        batch = torch.as_tensor(np.asarray(normal))[None]
        logits = sliding_window_inference(batch, WINDOW, 1, network, overlap=0.5)
        found = torch.sigmoid(logits)[0].numpy()
    return found[:, :, :, ::-1].transpose(0, 3, 2, 1)


def test_the_labels_are_those_of_monai(card: Card, network: Any) -> None:
    from napari_mmseg.inference import predict

    tc, wt, et = monai_probabilities(network)
    brain = make_case().volumes[Modality.T1].array != 0
    for region in (tc, wt, et):
        assert 0.05 < (region[brain] >= 0.5).mean() < 0.95  # the comparison means something
    depth = np.cumprod([wt >= 0.5, tc >= 0.5, et >= 0.5], axis=0).sum(axis=0)
    annotation = predict(make_case(), model="bundle", device="cpu").annotation()
    apart = annotation.codes != depth
    # Arithmetic may differ where MONAI itself is undecided (bf16 moves a probability by 0.02).
    undecided = (np.abs(np.stack([tc, wt, et]) - 0.5) < 0.02).any(axis=0)
    assert not (apart & ~undecided).any()
    assert apart.mean() < 0.01
    assert annotation.author == "model:bundle"
    assert annotation.provenance.model == "bundle"
    assert annotation.provenance.weights_sha256 == card.weights_sha256


def test_both_engines_give_the_probabilities_of_monai(card: Card, network: Any) -> None:
    from napari_mmseg.inference.openvino import OpenVinoEngine
    from napari_mmseg.inference.prepare import prepare
    from napari_mmseg.inference.progress import Watch
    from napari_mmseg.inference.torch import TorchEngine

    prepared = prepare(make_case(), card, Watch())
    assert prepared.channels.shape == (4, *WINDOW)
    expected = monai_probabilities(network)
    for engine in (OpenVinoEngine(card, precision="fp32"), TorchEngine(card, device="cpu")):
        found = engine.run(prepared.channels, lambda: None)[(slice(None), *prepared.interior)]
        turned = found[:, :, :, ::-1].transpose(0, 3, 2, 1)
        np.testing.assert_allclose(turned, expected, atol=2e-3)


def test_what_the_card_says(card: Card) -> None:
    assert card.channels == (Modality.T1CE, Modality.T1, Modality.T2, Modality.FLAIR)
    assert card.regions == ("TC", "WT", "ET")
    assert card.normalisation == "zscore-nonzero"
    assert card.orientation == "LPS"
    assert card.window == WINDOW
    assert card.stride == 8
    assert card.details["imported"]["from"] == "MONAI bundle"
    assert "bundle" in [c.name for c in available()]


def test_nothing_pickled_stays(card: Card) -> None:
    assert sorted(p.name for p in card.folder.iterdir()) == sorted([*card.files, "card.json"])
    assert {p.suffix for p in card.folder.iterdir()} == {
        ".safetensors",
        ".xml",
        ".bin",
        ".txt",
        ".json",
    }
    assert [p.name for p in card.folder.parent.iterdir()] == ["bundle"]


DESCRIBED = [
    (METADATA, (*IMAGE, "channel_def", "0"), "CT", "input channel 'CT' in metadata.json"),
    (METADATA, (*IMAGE, "channel_def", "0"), "T1", "input channel T1 is named twice"),
    (METADATA, (*IMAGE, "num_channels"), 3, "but there are 3"),
    (METADATA, (*PRED, "channel_def", "2"), "Cyst", "output 'Cyst' in metadata.json"),
    (METADATA, (*PRED, "channel_def"), None, "lacks channel_def"),
    (METADATA, ("network_data_format",), None, "metadata.json lacks network_data_format"),
    (INFERENCE, ("network_def",), None, "inference.json lacks network_def"),
    (INFERENCE, ("network_def", "in_channels"), 2, "names 4 input channels"),
    (INFERENCE, ("network_def", "out_channels"), 4, "names 3 output channels"),
    (INFERENCE, ("network_def", "_target_"), "os.system", "only SegResNet is built"),
    (INFERENCE, ("network_def", "init_filters"), "$os.getpid()", "nothing .* is executed"),
    (INFERENCE, ("network_def", "init_filters"), 10**6, "lies between 1 and 128"),
    (INFERENCE, ("network_def", "blocks_up"), [1], "do not make 2 to 6 levels"),
    (INFERENCE, ("network_def", "act"), "relu", "gives SegResNet act"),
    (INFERENCE, ("preprocessing", "transforms"), "$@transforms", "nothing .* is executed"),
    (INFERENCE, ("preprocessing", "transforms", 1, "nonzero"), False, "over the background"),
    (INFERENCE, ("preprocessing", "transforms", 1), {"_target_": "Elasticd"}, "Elasticd, which"),
    (INFERENCE, ("preprocessing", "transforms", 1), None, "has no NormalizeIntensityd"),
    (INFERENCE, ("postprocessing", "transforms", 0, "sigmoid"), False, "sigmoid"),
    (INFERENCE, ("postprocessing", "transforms", 2, "threshold"), 4.0, "between 0 and 1"),
    (INFERENCE, ("inferer", "roi_size"), [32, 32], "three sides"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "keys", "value", "said"), DESCRIBED)
def test_a_description_that_cannot_be(
    file: str, keys: tuple[Any, ...], value: Any, said: str, tmp_path: Path
) -> None:
    bundle = write_bundle(tmp_path / "bundle")
    change(bundle / file, *keys, to=value)
    with pytest.raises(ModelError, match=said):
        read_foreign(bundle)


def test_a_file_that_is_missing_or_damaged(tmp_path: Path, network: Any) -> None:
    bundle = write_bundle(tmp_path / "bundle")
    with pytest.raises(ModelError, match=r"weights model\.pt are missing"):
        read_foreign(bundle)
    (bundle / "models/model.pt").write_bytes(b"not weights at all")
    with pytest.raises(ModelError, match=r"model\.pt .* (truncated|damaged)"):
        read_foreign(bundle)
    (bundle / INFERENCE).write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match=r"inference\.json cannot be read"):
        read_foreign(bundle)
    (bundle / INFERENCE).unlink()
    with pytest.raises(ModelError, match=r"inference\.json is missing"):
        read_foreign(bundle)


def test_truncated_weights(tmp_path: Path, network: Any) -> None:
    bundle = write_bundle(tmp_path / "bundle", network)
    weights = bundle / "models/model.pt"
    weights.write_bytes(weights.read_bytes()[:20_000])
    with pytest.raises(ModelError, match=r"model\.pt .*(truncated|damaged)"):
        read_foreign(bundle)


class Trap:
    """Runs a command when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


def test_a_pickle_that_carries_code_is_refused(tmp_path: Path) -> None:
    import torch

    bundle = write_bundle(tmp_path / "bundle")
    torch.save({"convInit.conv.weight": Trap(tmp_path / "trapped")}, bundle / "models/model.pt")
    with pytest.raises(ModelError, match="more than weights"):
        read_foreign(bundle)
    assert not (tmp_path / "trapped").exists()


def test_a_few_bytes_that_pose_as_terabytes(tmp_path: Path) -> None:
    import torch

    bundle = write_bundle(tmp_path / "bundle")
    torch.save({"w": torch.zeros(1).expand(10**12)}, bundle / "models/model.pt")
    with pytest.raises(ModelError, match="no plain array"):
        read_foreign(bundle)


def test_weights_of_another_network(tmp_path: Path, network: Any) -> None:
    import torch

    bundle = write_bundle(tmp_path / "bundle")
    state = dict(network.state_dict())
    name = next(iter(state))
    for weights, said in [
        ({**state, name: torch.zeros(2, 2)}, f"{name} is 2 x 2, the description"),
        ({k: v for k, v in state.items() if k != name}, f"lacks {name}"),
        ({**state, "more": torch.zeros(1)}, "nothing takes its more"),
        ({name: torch.tensor([float("nan")])}, "no numbers"),
        ({}, "no named tensors"),
        ({name: "text"}, "no tensor"),
    ]:
        torch.save(weights, bundle / "models/model.pt")
        with pytest.raises(ModelError, match=said):
            read_foreign(bundle)


def test_a_checkpoint_that_holds_the_weights_deeper(tmp_path: Path, network: Any) -> None:
    import torch

    bundle = write_bundle(tmp_path / "bundle")
    state = {f"module.{name}": value for name, value in network.state_dict().items()}
    torch.save({"epoch": 3, "state_dict": state}, bundle / "models/model.pt")
    with open_source(bundle) as folder:
        found = read_foreign(folder)
    for name, value in network.state_dict().items():
        assert isinstance(found.weights, dict)
        assert torch.equal(found.weights[f"network.{name}"], value)
