"""Stand-ins: a tiny untrained model on disk, synthetic heads, engines that fail on purpose."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mmseg.case import Case
from napari_mmseg.grid import Grid
from napari_mmseg.volume import Modality, SourceSpace, Volume

IPL_AFFINE = np.array(
    [[0.0, 0.0, -1.0, 90.0], [0.0, -1.0, 0.0, 80.0], [-1.0, 0.0, 0.0, 70.0], [0, 0, 0, 1]]
)


def build_model(folder: Path, seed: int, base: int = 4, levels: int = 3) -> Path:
    """The folder of an untrained U-Net, exported as a training run does."""
    import torch

    from napari_mmseg.models.networks.unet import UNet3d
    from napari_mmseg.training.export import base_card, export_model

    torch.manual_seed(seed)
    network = UNet3d(base=base, levels=levels).eval()
    with torch.no_grad():  # spread the probabilities: an untrained head hugs 0.5
        network.head.weight.mul_(8.0)
    export_model(network, folder, "tiny", base_card("tiny", network))
    return folder


def change_card(folder: Path, **changes: Any) -> None:
    """Other entries in the card of `folder`; None removes one."""
    path = folder / "card.json"
    card = json.loads(path.read_text(encoding="utf-8")) | changes
    kept = {key: value for key, value in card.items() if value is not None}
    path.write_text(json.dumps(kept), encoding="utf-8")


def head(shape: tuple[int, int, int] = (22, 26, 21), seed: int = 0) -> NDArray[np.int16]:
    """A textured, rounded box on zeros, with two voxels of background around it."""
    generator = np.random.default_rng(seed)
    axes = [np.linspace(-1.0, 1.0, n - 4) for n in shape]
    inside = sum(a**4 for a in np.meshgrid(*axes, indexing="ij")) <= 1.2
    coarse = generator.normal(size=[n // 4 + 1 for n in inside.shape])
    texture = coarse.repeat(4, 0).repeat(4, 1).repeat(4, 2)
    texture = texture[tuple(slice(n) for n in inside.shape)]
    noise = generator.normal(size=inside.shape)
    values = np.where(inside, 400 + 120 * texture + 30 * noise, 0).clip(min=0)
    return np.pad(np.where(inside & (values < 1), 1, values).astype(np.int16), 2)


def make_case(
    modalities: Sequence[str] = ("T1", "T1ce", "T2", "FLAIR"),
    arrays: dict[str, NDArray[Any]] | None = None,
    affine: NDArray[np.float64] = IPL_AFFINE,
    shape: tuple[int, int, int] = (22, 26, 21),
) -> Case:
    """A case in memory; the images differ by modality unless `arrays` gives them."""
    volumes = {}
    for name in modalities:
        modality = Modality(name)
        number = list(Modality).index(modality)
        array = (arrays or {}).get(name)
        array = head(shape, seed=number) if array is None else array
        grid = Grid(array.shape, affine)
        volumes[modality] = Volume(
            array, grid, modality, SourceSpace.of(grid), sha256=f"{number:064d}"
        )
    return Case("phantom", volumes, next(iter(volumes)))


class FakeEngine:
    """An engine in Python: returns what `answer` makes of the channels."""

    name = "fake"
    precision = "fp32"

    def __init__(
        self,
        answer: Callable[[NDArray[np.float32]], NDArray[np.float32]],
        device: str = "cuda",
        largest: int = 10**9,
    ) -> None:
        self.device = device
        self.passes: list[tuple[int, ...]] = []
        self.closed = False
        self._answer = answer
        self._largest = largest

    def run(self, channels: NDArray[np.float32], check: Callable[[], None]) -> NDArray[np.float32]:
        self.passes.append(channels.shape)
        check()
        return self._answer(channels)

    def largest_pass(self) -> int:
        return self._largest

    def close(self) -> None:
        self.closed = True


def first_channel_thrice(channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities that show where things went: each region is the squashed first channel."""
    squashed = 1.0 / (1.0 + np.exp(-channels[0]))
    return np.stack([squashed] * 3).astype(np.float32)
