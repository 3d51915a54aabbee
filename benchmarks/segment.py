"""How fast a whole case is segmented on the processor, against a peer and against the floor.

`seconds` and `peak_rss_mb` are of a process of its own, from start to verified file (second run:
the first one settles the disk cache and whether bf16 may be used). `speedup_vs_...` are wall times
of MONAI's SegResNet, network alone, over our whole prediction in memory (preparation, network,
probabilities on the case's grid). `over_floor` is our prediction over the time that the network's
arithmetic would take at this machine's matrix-multiplication rate. `dice_vs_fp32` is the lowest
region's Dice between the labels of the arithmetic in use and those of fp32.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._peer import seconds_by_scheme
from napari_mmseg.case import Case
from napari_mmseg.errors import ModelError
from napari_mmseg.inference import predict
from napari_mmseg.inference.openvino import OpenVinoEngine
from napari_mmseg.inference.precision import region_dice
from napari_mmseg.inference.prepare import Prepared, prepare
from napari_mmseg.inference.progress import Watch
from napari_mmseg.io import open_case
from napari_mmseg.models import Card, load_card

_ROOT = Path(__file__).parent.parent
REAL_CASE = _ROOT.parent / "shared/data/brats2021/BraTS2021_01659"
SHAPE = (240, 240, 155)  # as in BraTS files
PREDICTIONS = 3
MATRIX_SIDES = (1024, 2048, 4096)
MATRIX_PRODUCTS = 10


def run() -> dict[str, Any]:
    card = load_card()
    with tempfile.TemporaryDirectory() as scratch:
        folder, data = _case_folder(Path(scratch))
        command = _command_line(folder, Path(scratch) / "segmentation.nii.gz")
        case = open_case(folder)
        whole = [_timed(lambda: predict(case, device="cpu")) for _ in range(PREDICTIONS)]
        seconds = statistics.median(whole)
        prediction = predict(case, device="cpu")
        prepared = prepare(case, card, Watch())
        precision = str(prediction.engine).split()[-1]
        network, dice, differing = _against_fp32(card, prepared, precision)
        peer = seconds_by_scheme(_peer_input(case))
    flop = _flop(card, prepared.channels.shape[1:])
    rate = _matrix_rate(precision)
    return {
        "speedup_vs_sliding_window": peer["sliding_window"] / seconds,
        "speedup_vs_single_window": peer["single_window"] / seconds,
        "over_floor": seconds / (flop / rate),
        "dice_vs_fp32": dice,
        "seconds": command["seconds"],
        "peak_rss_mb": command["peak_rss_mb"],
        "stages": command["stages"],
        "predict_seconds": seconds,
        "network_seconds": network,
        "network_over_floor": network / (flop / rate),
        "network_gflop": flop / 1e9,
        "matrix_gflop_per_second": rate / 1e9,
        "network_input": "x".join(map(str, prepared.channels.shape[1:])),
        "engine": prediction.engine,
        "voxels_differing_from_fp32": differing,
        "segresnet_seconds": peer,
        "data": data,
    }


def _command_line(folder: Path, out: Path) -> dict[str, Any]:
    """The second of two runs of `napari-mmseg segment` in processes of their own."""
    command = [sys.executable, "-m", "napari_mmseg.cli", "segment", str(folder), "--json"]
    command += ["--device", "cpu", "--out", str(out)]
    for _ in range(2):
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - start
        if done.returncode != 0:
            raise ModelError(f"`napari-mmseg segment` failed: {done.stderr.strip()}")
    said = json.loads(done.stdout)
    return {"seconds": seconds, "peak_rss_mb": said["peak_rss_mb"], "stages": said["seconds"]}


def _against_fp32(
    card: Card, prepared: Prepared, precision: str
) -> tuple[float, float, dict[str, int]]:
    """Seconds of a pass in `precision`, the lowest region's Dice to fp32, voxels that differ."""
    check = Watch().check
    engine = OpenVinoEngine(card, precision)
    fast = engine.run(prepared.channels, check)
    seconds = min(_timed(lambda: engine.run(prepared.channels, check)) for _ in range(PREDICTIONS))
    exact = OpenVinoEngine(card, "fp32").run(prepared.channels, check)
    compared = {
        region: region_dice(fast[i] >= card.thresholds[region], exact[i] >= card.thresholds[region])
        for i, region in enumerate(card.regions)
    }
    lowest = min(dice for dice, _, _ in compared.values())
    return seconds, lowest, {region: differ for region, (_, differ, _) in compared.items()}


def _flop(card: Card, shape: tuple[int, ...]) -> float:
    """Floating-point operations of one pass (a multiplication and an addition are two)."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from napari_mmseg.models.networks.unet import UNet3d

    with torch.device("meta"):
        network = UNet3d(
            card.network.inputs, card.network.outputs, card.network.base, card.network.levels
        ).eval()
        given = torch.zeros(1, card.network.inputs, *shape)
    counter = FlopCounterMode(display=False)
    with counter, torch.inference_mode():
        network(given)
    return float(counter.get_total_flops())


def _matrix_rate(precision: str) -> float:
    """The best rate of a square matrix product, over sizes and repetitions (operations a second).

    The best, not the median: it is to be a ceiling, and other work on the machine only lowers it.
    """
    import torch

    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
    rates = []
    for side in MATRIX_SIDES:
        a, b = (torch.rand(side, side).to(dtype) for _ in range(2))
        best = min(_timed(lambda a=a, b=b: a @ b) for _ in range(MATRIX_PRODUCTS))
        rates.append(2.0 * side**3 / best)
    return max(rates)


def _case_folder(scratch: Path) -> tuple[Path, str]:
    """A whole four-modality case: a real one, or a made-up head where that is not at hand."""
    if REAL_CASE.is_dir():
        return REAL_CASE, "BraTS2021_01659, 240x240x155, four modalities (real)"
    import nibabel as nib

    axes = [np.linspace(-n / 2, n / 2, n) for n in SHAPE]
    radii = zip(np.meshgrid(*axes, indexing="ij"), (70, 86, 70), strict=True)
    distance = sum((axis / radius) ** 2 for axis, radius in radii)
    generator = np.random.default_rng(0)
    folder = scratch / "head"
    folder.mkdir()
    for name in ("t1", "t1ce", "t2", "flair"):
        texture = generator.normal(400, 60, SHAPE)
        image = np.where(distance <= 1, texture, 0).clip(min=0).astype(np.int16)
        path = folder / f"head_{name}.nii.gz"
        nib.save(nib.Nifti1Image(image, np.diag([-1.0, -1.0, 1.0, 1.0])), path)
    return folder, "a textured ellipsoid, 240x240x155, four modalities (made up)"


def _peer_input(case: Case) -> NDArray[np.float32]:
    """The whole case in the peer's axis order and length (4, 240, 240, 155)."""
    arrays = [volume.array.transpose(2, 1, 0) for volume in case.volumes.values()]
    return np.ascontiguousarray(np.stack(arrays), dtype=np.float32)


def _timed(job: Callable[[], Any]) -> float:
    start = time.perf_counter()
    job()
    return time.perf_counter() - start
