"""Export: two engines, one set of weights, one card, no network."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from napari_mmseg.models import read_card
from napari_mmseg.models.networks.unet import UNet3d
from napari_mmseg.training.export import base_card, export_model


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[UNet3d, Path]:
    torch.manual_seed(0)
    network = UNet3d(base=4, levels=3).eval()
    folder = tmp_path_factory.mktemp("model")
    export_model(network, folder, "tiny", base_card("tiny", network))
    return network, folder


def test_openvino_and_torch_label_alike(exported: tuple[UNet3d, Path]) -> None:
    import openvino

    network, folder = exported
    fp32 = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(folder / "tiny.xml", "CPU", fp32)
    for shape in ((16, 20, 24), (32, 16, 16)):
        volumes = np.random.default_rng(0).normal(size=(1, 4, *shape)).astype(np.float32)
        with torch.no_grad():
            expected = torch.sigmoid(network(torch.from_numpy(volumes))).numpy()
        found = compiled(volumes)[0]
        np.testing.assert_allclose(found, expected, atol=2e-3)
        sure = np.abs(expected - 0.5) > 2e-3
        assert sure.mean() > 0.9
        np.testing.assert_array_equal((found > 0.5)[sure], (expected > 0.5)[sure])


def test_the_card_reads_back_and_its_hashes_are_those_of_the_files(
    exported: tuple[UNet3d, Path],
) -> None:
    network, folder = exported
    card = read_card(folder)
    assert (card.name, card.network.base, card.network.levels) == ("tiny", 4, 3)
    assert card.stride == network.stride
    assert len(card.files) == 3
    for name, expected in card.files.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == expected


def test_weights_are_half_precision_and_those_of_the_network(
    exported: tuple[UNet3d, Path],
) -> None:
    network, folder = exported
    weights = load_file(folder / "tiny.safetensors")
    assert all(value.dtype == torch.float16 for value in weights.values())
    for name, value in network.state_dict().items():
        assert torch.equal(weights[name].float(), value)


def test_export_opens_no_socket(tmp_path: Path) -> None:
    """In a fresh process without CI in its environment: telemetry is off under CI anyway."""
    script = (
        "import os, socket\n"
        "def refuse(*a, **k): print('a socket was opened', flush=True); os._exit(3)\n"
        "socket.socket.connect = socket.socket.connect_ex = socket.create_connection = refuse\n"
        "socket.getaddrinfo = refuse\n"
        "import sys\n"
        "from pathlib import Path\n"
        "from napari_mmseg.models.networks.unet import UNet3d\n"
        "from napari_mmseg.training.export import base_card, export_model\n"
        "network = UNet3d(base=2, levels=2)\n"
        "export_model(network, Path(sys.argv[1]), 'm', base_card('m', network))\n"
        "import time; time.sleep(1)  # reports are posted from another thread\n"
        "print('exported')\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "CI"}
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True, text=True, env=environment, timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout.strip().endswith("exported"), done.stderr
