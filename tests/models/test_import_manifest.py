"""ONNX and safetensors files with a manifest: what they give, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w
from foreign_models import make_case, onnx_bytes

from napari_mmseg.errors import ModelError
from napari_mmseg.inference.adopt import import_model
from napari_mmseg.models import Card, load_card
from napari_mmseg.models.importers import read_foreign
from napari_mmseg.volume import Modality

MANIFEST: dict[str, Any] = {
    "name": "My network",
    "channels": ["FLAIR", "T1ce"],
    "outputs": ["ET", "WT"],
    "normalisation": "zscore",
    "orientation": "RAS",
    "spacing_mm": 1.0,
    "stride": 4,
    "licence": "CC BY 4.0",
}
WEIGHT = np.array([[0.5, 2.0], [2.0, -0.5]], np.float32)
BIAS = np.array([0.3, -0.2], np.float32)


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NAPARI_MMSEG_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("NAPARI_MMSEG_CACHE", str(tmp_path / "cache"))
    return tmp_path / "models"


def describe(folder: Path, **changes: Any) -> Path:
    folder.mkdir(exist_ok=True)
    fields = {k: v for k, v in (MANIFEST | changes).items() if v is not None}
    (folder / "manifest.toml").write_text(tomli_w.dumps(fields), encoding="utf-8")
    return folder


def with_onnx(folder: Path, content: bytes | None = None, **changes: Any) -> Path:
    describe(folder, **changes)
    (folder / "net.onnx").write_bytes(onnx_bytes(WEIGHT, BIAS) if content is None else content)
    return folder


def accepted(source: Path) -> Card:
    return import_model(source, accept=lambda _: True)


def test_an_onnx_file_gives_its_regions(tmp_path: Path) -> None:
    from napari_mmseg.inference import predict

    card = accepted(with_onnx(tmp_path / "download"))
    assert card.name == "my-network"
    assert card.channels == (Modality.FLAIR, Modality.T1CE)
    assert card.details["licence"] == "CC BY 4.0"
    prediction = predict(make_case(), model="my-network", device="cpu")
    flair, t1ce = (_zscored(m) for m in card.channels)
    logits = np.tensordot(WEIGHT, np.stack([flair, t1ce]), 1) + BIAS[:, None, None, None]
    et, wt = 1 / (1 + np.exp(-logits))
    inside = np.zeros(wt.shape, bool)
    inside[prediction.box] = True
    np.testing.assert_allclose(prediction.probability("WT")[inside], wt[inside], atol=0.02)
    nested = np.minimum(et, wt)  # no region is more probable than its parent
    np.testing.assert_allclose(prediction.probability("ET")[inside], nested[inside], atol=0.02)
    assert prediction.weights_sha256 == card.files["my-network.onnx"]


def _zscored(modality: Modality) -> np.ndarray:
    volumes = make_case().volumes
    used = [volumes[m].array for m in (Modality.FLAIR, Modality.T1CE)]
    brain = (used[0] != 0) | (used[1] != 0)
    values = volumes[modality].array.astype(np.float64)
    normal: np.ndarray = np.where(brain, (values - values[brain].mean()) / values[brain].std(), 0)
    return normal


@pytest.mark.parametrize("form", ["logits", "probabilities"])
def test_classes_become_nested_regions(form: str, tmp_path: Path) -> None:
    from napari_mmseg.inference.openvino import OpenVinoEngine

    weight = np.random.default_rng(1).normal(size=(4, 2)).astype(np.float32)
    bias = np.array([0.4, -0.1, 0.2, 0.3], np.float32)
    if form == "probabilities":  # of a kind: shares that sum to one whatever comes in
        weight[:], bias[:] = 0, [0.4, 0.3, 0.2, 0.1]
    classes = ["ED", "background", "Enhancing tumour", "NCR"]
    content = onnx_bytes(weight, bias)
    source = with_onnx(tmp_path / "d", content, outputs=None, classes=classes, output_form=form)
    card = accepted(source)
    assert card.regions == ("WT", "TC", "ET")
    channels = np.random.default_rng(2).normal(size=(2, 8, 4, 8)).astype(np.float32)
    values = np.tensordot(weight, channels, 1) + bias[:, None, None, None]
    if form == "logits":
        values = np.exp(values) / np.exp(values).sum(axis=0)
    oedema, _, enhancing, necrosis = values
    expected = [oedema + necrosis + enhancing, necrosis + enhancing, enhancing]
    found = OpenVinoEngine(card, precision="fp32").run(channels, lambda: None)
    np.testing.assert_allclose(found, np.stack(expected), atol=1e-4)


def test_a_graphics_card_leaves_an_onnx_model_to_the_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_mmseg.inference import engine, predict

    accepted(with_onnx(tmp_path / "download"))
    monkeypatch.setattr(engine, "has_cuda", lambda: True)
    prediction = predict(make_case(), model="my-network")
    assert prediction.device == "cpu"
    assert any("ONNX" in warning for warning in prediction.warnings)


def test_safetensors_of_a_network_that_is_built_here(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    from napari_mmseg.inference.torch import load_network
    from napari_mmseg.models.networks.unet import UNet3d

    torch.manual_seed(0)
    network = UNet3d(in_channels=2, out_channels=2, base=4, levels=2).eval()
    definition = {"kind": "unet", "base": 4, "levels": 2}
    folder = describe(tmp_path / "d", network=definition, stride=None)
    save_file(network.state_dict(), folder / "net.safetensors")
    card = accepted(folder)
    assert card.stride == 2
    assert card.network.kind == "unet"
    volumes = torch.randn(1, 2, 8, 8, 8)
    with torch.no_grad():
        assert torch.equal(load_network(card).eval()(volumes), network(volumes))


def test_a_description_of_a_network_larger_than_any_machine(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    definition = {"kind": "unet", "base": 512, "levels": 8}  # 50 TB of weights
    folder = describe(tmp_path / "d", network=definition, stride=None)
    save_file({"head.weight": WEIGHT}, folder / "net.safetensors")
    with pytest.raises(ModelError, match="of another network than described"):
        read_foreign(folder)


@pytest.mark.parametrize(
    "field", ["name", "channels", "normalisation", "orientation", "spacing_mm", "stride"]
)
def test_a_field_that_is_missing(field: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=rf"manifest\.toml lacks {field}"):
        read_foreign(with_onnx(tmp_path / "d", **{field: None}))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"channels": ["FLAIR", "PET"]}, "'PET' in manifest.toml is not known"),
        ({"channels": "FLAIR"}, "not a list of texts"),
        ({"outputs": ["ET", "liver"]}, "output 'liver'"),
        ({"outputs": ["ET", "ET"]}, "named twice"),
        ({"outputs": None}, "either outputs"),
        ({"classes": ["background", "ET"]}, "either outputs"),
        ({"outputs": None, "classes": ["ED", "ET"]}, "no background"),
        ({"outputs": None, "classes": ["background", "liver"]}, "class 'liver'"),
        ({"output_form": "labels"}, "output_form"),
        ({"normalisation": "histogram"}, "not one of robust"),
        ({"spacing_mm": "one"}, "not a number"),
        ({"threshold": 2.0}, "between 0 and 1"),
        ({"window": [8, 8]}, "three sides"),
        ({"colour": "red"}, "unknown field 'colour'"),
        ({"weights": "../net.onnx"}, "beside the manifest"),
        ({"weights": "net.pt"}, "only .onnx and .safetensors"),
        ({"weights": "other.onnx"}, "other.onnx are missing"),
        ({"stride": True}, "not a whole number"),
    ],
)
def test_a_manifest_that_cannot_be(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=said):
        read_foreign(with_onnx(tmp_path / "d", **changes))


@pytest.mark.parametrize(
    ("content", "changes", "said"),
    [
        (b"not a network", {}, "ONNX file is damaged"),
        (onnx_bytes(WEIGHT, BIAS)[:60], {}, "ONNX file is damaged"),
        (onnx_bytes(WEIGHT, BIAS, external="../../etc/passwd"), {}, "not in it"),
        (None, {"channels": ["FLAIR", "T1ce", "T2"]}, "takes 2 channels, its manifest names 3"),
        (None, {"outputs": ["WT", "TC", "ET"]}, "its manifest names 3 outputs"),
        (None, {"output_form": "probabilities"}, "no probabilities"),
        (None, {"orientation": "RAR"}, "'RAR' is no orientation"),
        (None, {"spacing_mm": 0.0}, "positive"),
    ],
)
def test_a_network_that_is_not_what_its_manifest_says(
    content: bytes | None, changes: dict[str, Any], said: str, tmp_path: Path, own_folders: Path
) -> None:
    with pytest.raises(ModelError, match=said):
        accepted(with_onnx(tmp_path / "d", content, **changes))
    assert not own_folders.exists() or not list(own_folders.iterdir())  # nothing is left behind


def test_terms_that_are_not_accepted(tmp_path: Path, own_folders: Path) -> None:
    shown: list[str] = []
    source = with_onnx(tmp_path / "d", licence=None)
    with pytest.raises(ModelError, match="not accepted"):
        import_model(source, accept=lambda terms: bool(shown.append(terms)))
    assert "No licence" in shown[0]
    assert not own_folders.exists()


def test_a_name_that_is_taken_or_impossible(tmp_path: Path) -> None:
    source = with_onnx(tmp_path / "d")
    accepted(source)
    for name, said in [
        ("my-network", "already"),
        ("simulated", "already"),
        ("../up", "cannot name a model"),
        (".hidden", "cannot name a model"),
    ]:
        with pytest.raises(ModelError, match=said):
            import_model(source, accept=lambda _: True, name=name)
    assert import_model(source, accept=lambda _: True, name="second").name == "second"


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    card = accepted(with_onnx(tmp_path / "d"))
    shutil.copy(card.folder / "card.json", card.folder / "my-network.onnx")
    with pytest.raises(ModelError, match="SHA-256"):
        load_card("my-network").read_verified(".onnx")
