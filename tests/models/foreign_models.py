"""Other people's models as tests build them: a MONAI bundle, ONNX bytes, and a case to run on."""

from __future__ import annotations

import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from napari_mmseg.case import Case
from napari_mmseg.grid import Grid
from napari_mmseg.volume import Modality, SourceSpace, Volume

WINDOW = (32, 32, 24)

#: As in MONAI's model zoo, `brats_mri_segmentation` 0.3.0, with fewer filters and a small window.
METADATA: dict[str, Any] = {
    "version": "0.3.0",
    "monai_version": "1.0.1",
    "copyright": "Copyright (c) MONAI Consortium",
    "intended_use": "This is an example, not to be used for diagnostic purposes",
    "network_data_format": {
        "inputs": {
            "image": {
                "num_channels": 4,
                "spatial_shape": ["8*n", "8*n", "8*n"],
                "channel_def": {"0": "T1c", "1": "T1", "2": "T2", "3": "FLAIR"},
            }
        },
        "outputs": {
            "pred": {
                "num_channels": 3,
                "channel_def": {"0": "Tumor core", "1": "Whole tumor", "2": "Enhancing tumor"},
            }
        },
    },
}
INFERENCE: dict[str, Any] = {
    "imports": ["$import glob"],
    "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
    "network_def": {
        "_target_": "SegResNet",
        "blocks_down": [1, 2, 2, 4],
        "blocks_up": [1, 1, 1],
        "init_filters": 8,
        "in_channels": 4,
        "out_channels": 3,
        "dropout_prob": 0.2,
    },
    "network": "$@network_def.to(@device)",
    "preprocessing": {
        "_target_": "Compose",
        "transforms": [
            {"_target_": "LoadImaged", "keys": "image"},
            {
                "_target_": "NormalizeIntensityd",
                "keys": "image",
                "nonzero": True,
                "channel_wise": True,
            },
        ],
    },
    "inferer": {"_target_": "SlidingWindowInferer", "roi_size": list(WINDOW), "overlap": 0.5},
    "postprocessing": {
        "_target_": "Compose",
        "transforms": [
            {"_target_": "Activationsd", "keys": "pred", "sigmoid": True},
            {"_target_": "Invertd", "keys": "pred", "transform": "@preprocessing"},
            {"_target_": "AsDiscreted", "keys": "pred", "threshold": 0.5},
            {"_target_": "Lambdad", "keys": "pred", "func": "$lambda x: x"},
        ],
    },
}


def segresnet() -> Any:
    """MONAI's network, untrained, its outputs spread on both sides of a half."""
    import torch
    from monai.networks.nets import SegResNet

    torch.manual_seed(5)
    network = SegResNet(
        init_filters=8, in_channels=4, out_channels=3, dropout_prob=0.2, blocks_down=(1, 2, 2, 4)
    ).eval()
    with torch.no_grad():
        network.conv_final[2].conv.weight.mul_(12.0)
    return network


def write_bundle(folder: Path, network: Any = None) -> Path:
    """A bundle with the weights of `network`; without one, the descriptions alone."""
    (folder / "configs").mkdir(parents=True)
    (folder / "models").mkdir()
    (folder / "configs/metadata.json").write_text(json.dumps(METADATA), encoding="utf-8")
    (folder / "configs/inference.json").write_text(json.dumps(INFERENCE), encoding="utf-8")
    (folder / "LICENSE").write_text("Apache License, Version 2.0", encoding="utf-8")
    if network is not None:
        import torch

        torch.save(network.state_dict(), folder / "models/model.pt")
    return folder


def change(path: Path, *keys: Any, to: Any = None) -> None:
    """Another value in a JSON file, at the place that `keys` lead to; None takes it out."""
    content = json.loads(path.read_text(encoding="utf-8"))
    place = content
    for key in keys[:-1]:
        place = place[key]
    if to is None:
        del place[keys[-1]]
    else:
        place[keys[-1]] = to
    path.write_text(json.dumps(content), encoding="utf-8")


def zipped(folder: Path, path: Path, top: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, Path(top) / file.relative_to(folder))
    return path


def make_case(shape: tuple[int, int, int] = (22, 26, 21)) -> Case:
    """A textured block in each contrast, axes (I, P, L), 1 mm."""
    affine = np.array([[0.0, 0, -1, 90], [0, -1, 0, 80], [-1, 0, 0, 70], [0, 0, 0, 1]])
    grid = Grid(shape, affine)
    volumes = {}
    for number, modality in enumerate(Modality):
        random = np.random.default_rng(number)
        array = np.zeros(shape, np.float32)
        inside = tuple(slice(2 + number % 2, n - 2) for n in shape)
        coarse = random.gamma(4.0, 100.0, [n // 4 + 1 for n in shape])
        texture = coarse.repeat(4, 0).repeat(4, 1).repeat(4, 2)[tuple(slice(n) for n in shape)]
        array[inside] = texture[inside] + random.normal(0.0, 20.0, shape)[inside] + 200.0
        volumes[modality] = Volume(array, grid, modality, SourceSpace.of(grid))
    return Case("phantom", volumes, Modality.T1)


def onnx_bytes(
    weight: np.ndarray,
    bias: np.ndarray,
    sides: tuple[int | str, int | str, int | str] = ("a", "b", "c"),
    external: str = "",
) -> bytes:
    """An ONNX model of one 1x1x1 convolution, (1, C, sides) to (1, K, sides).

    Written byte by byte after onnx.proto, so that the tests need no package that writes ONNX.
    """
    outputs, inputs = weight.shape
    graph = _bytes(
        1, _text(1, "x") + _text(1, "w") + _text(1, "b") + _text(2, "y") + _text(4, "Conv")
    )
    graph += _text(2, "graph")
    graph += _bytes(5, _tensor("w", weight.reshape(outputs, inputs, 1, 1, 1), external))
    graph += _bytes(5, _tensor("b", bias, ""))
    graph += _bytes(11, _value("x", (1, inputs, *sides)))
    graph += _bytes(12, _value("y", (1, outputs, *sides)))
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _text(1, "") + _number(2, 13))


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _tensor(name: str, values: np.ndarray, external: str) -> bytes:
    floats = struct.pack(f"<{values.size}f", *values.ravel().tolist())
    head = b"".join(_number(1, side) for side in values.shape) + _number(2, 1) + _text(8, name)
    if external:
        return head + _bytes(13, _text(1, "location") + _text(2, external)) + _number(14, 1)
    return head + _bytes(9, floats)


def _value(name: str, shape: tuple[int | str, ...]) -> bytes:
    dims = b"".join(
        _bytes(1, _number(1, side) if isinstance(side, int) else _text(2, side)) for side in shape
    )
    return _text(1, name) + _bytes(2, _bytes(1, _number(1, 1) + _bytes(2, dims)))
