"""The network to compare with: the SegResNet of MONAI's brain-tumour bundle, untrained.

Network: MONAI model zoo, `brats_mri_segmentation` (spatial_dims 3, init_filters 16, 4 in, 3 out,
blocks_down 1-2-2-4, blocks_up 1-1-1, dropout 0.2). The bundle runs one window of 240x240x160 with
overlap 0.5; 128^3 windows with overlap 0.5 are what its users choose where memory is short.
Time does not depend on weights, so none are downloaded.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_mmseg.inference.quiet import load_openvino

SINGLE_WINDOW = (240, 240, 160)
SLIDING_WINDOW = (128, 128, 128)
SLIDING_OVERLAP = 0.5


def seconds_by_scheme(volume: NDArray[np.float32]) -> dict[str, float]:
    """Wall time of the peer on `volume` (4, 240, 240, 155), by how it is run."""
    from monai.inferers import sliding_window_inference

    network = _network()
    given = torch.from_numpy(volume)[None]
    padded = torch.zeros(1, 4, *SINGLE_WINDOW)
    padded[..., : volume.shape[-1]] = given
    run_openvino = _openvino(network)
    with torch.inference_mode():
        network(torch.zeros(1, 4, 64, 64, 64))  # torch chooses its kernels
        return {
            "single_window": _timed(lambda: network(padded)),
            "sliding_window": _timed(
                lambda: sliding_window_inference(
                    given, SLIDING_WINDOW, 1, network, overlap=SLIDING_OVERLAP
                )
            ),
            "single_window_openvino_fp32": run_openvino(padded.numpy(), "f32"),
            "single_window_openvino_bf16": run_openvino(padded.numpy(), "bf16"),
        }


def _network() -> torch.nn.Module:
    from monai.networks.nets import SegResNet

    network: torch.nn.Module = SegResNet(
        spatial_dims=3,
        init_filters=16,
        in_channels=4,
        out_channels=3,
        blocks_down=(1, 2, 2, 4),
        blocks_up=(1, 1, 1),
        dropout_prob=0.2,
    )
    return network.eval()


def _openvino(network: torch.nn.Module) -> Callable[[NDArray[np.float32], str], float]:
    """The peer through OpenVINO: second pass, as for our own network."""
    openvino = load_openvino()
    with torch.no_grad():
        model = openvino.convert_model(
            network,
            example_input=torch.zeros(1, 4, 64, 64, 64),
            input=[(1, 4, -1, -1, -1)],
        )

    def run(volume: NDArray[np.float32], hint: str) -> float:
        compiled: Any = openvino.Core().compile_model(
            model, "CPU", {"INFERENCE_PRECISION_HINT": hint}
        )
        request = compiled.create_infer_request()
        return min(_timed(lambda: request.infer([volume])) for _ in range(2))

    return run


def _timed(job: Callable[[], Any]) -> float:
    start = time.perf_counter()
    job()
    return time.perf_counter() - start
