"""Cross-modality feature transition (CMFT): networks that make one pair of contrasts of the other.

Zhang et al., Pattern Recognition 110:107562, 2021, after CycleGAN (Zhu et al., ICCV 2017). They
learn from images without labels (`training.cmft`); what they learned begins a segmentation
network, and they can show a contrast that was not taken. Axes are (batch, channel, I, P, L).
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...errors import ModelError
from .blocks import InstanceNorm
from .cmff import PAIRS, Branch
from .region import present

#: Slope of the discriminators' rectifiers.
JUDGE_LEAK = 0.2

#: A discriminator's smallest input: its last convolution needs two voxels.
SMALLEST_SIDE = 32

_FILE_KIND = "cmft"


class Generator(Branch):
    """The single-branch network of CMFF as a translator: two contrasts in, two out, linear.

    Input and output (N, 2, I, P, L) in normalised units, sides multiples of `stride`.
    """

    def __init__(self, base: int = 16, levels: int = 5) -> None:
        super().__init__(2, 2, base, levels)


class Discriminator(nn.Module):
    """Tells true pairs from made ones, patch by patch: (N, 2, I, P, L) to (N, 1, ...) / 16.

    Five 4^3 convolutions, 2-16-32-64-128-1 channels at base 16, strides 2, 2, 2, 2, 1; the second
    to fourth with instance normalisation and leaky rectifiers, the first rectified alone (two
    linear layers in a row would be one). Sides of at least 32.
    """

    def __init__(self, base: int = 16) -> None:
        super().__init__()
        widths = [base, 2 * base, 4 * base, 8 * base]
        layers: list[nn.Module] = [
            nn.Conv3d(2, base, 4, 2, 1),
            nn.LeakyReLU(JUDGE_LEAK, inplace=True),
        ]
        for above, width in pairwise(widths):
            layers += [
                nn.Conv3d(above, width, 4, 2, 1, bias=False),
                InstanceNorm(width),
                nn.LeakyReLU(JUDGE_LEAK, inplace=True),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv3d(widths[-1], 1, 4, 1, 1))

    def forward(self, pair: Tensor) -> Tensor:
        verdict: Tensor = self.layers(pair)
        return verdict


class Transition(nn.Module):
    """The two generators: `forth` makes pair B of pair A, `back` makes A of B (see `PAIRS`).

    `normalisation` and `resize` say how the images were prepared, as in a model's card.
    """

    def __init__(
        self,
        base: int = 16,
        levels: int = 5,
        normalisation: str = "robust",
        resize: tuple[int, int, int] | None = None,
    ) -> None:
        super().__init__()
        self.normalisation, self.resize = normalisation, resize
        self.forth = Generator(base, levels)
        self.back = Generator(base, levels)

    @property
    def stride(self) -> int:
        return self.forth.stride


def split_pairs(volumes: Tensor) -> tuple[Tensor, Tensor]:
    """Pairs A = (T1, T1ce) and B = (T2, FLAIR) of volumes (N, 4, I, P, L)."""
    (first, _), (second, _) = PAIRS
    return volumes[:, first : first + 2], volumes[:, second : second + 2]


def synthesise(transition: Transition, volumes: Tensor) -> tuple[Tensor, tuple[int, ...]]:
    """Missing contrasts made from the pair that is there, for viewing only.

    `volumes` (1, 4, I, P, L) of any size, normalised, a missing contrast all zeros. Returns them
    with what could be made filled in, 0 outside the brain, and the numbers of the synthetic
    channels: whoever shows one has to say so.

    Raises
    ------
    ModelError
        When nothing is missing, or a missing contrast's opposite pair is not complete.
    """
    seen = present(volumes)[0] > 0
    missing = tuple(int(number) for number in torch.nonzero(~seen)[:, 0])
    if not missing:
        raise ModelError("no contrast is missing: there is nothing to make")
    filled = volumes.clone()
    pairs = split_pairs(volumes)
    for own, (channels, generator) in enumerate(
        zip(PAIRS, (transition.back, transition.forth), strict=True)
    ):
        wanted = [number for number in channels if number in missing]
        if not wanted:
            continue
        if any(number in missing for number in PAIRS[1 - own]):
            raise ModelError(
                "a contrast can only be made from the other pair (T1 with T1ce, or T2 with FLAIR), "
                "and that is not complete: open the missing images"
            )
        made = _translated(generator, pairs[1 - own])
        for number in wanted:
            filled[:, number] = made[:, channels.index(number)]
    return filled, missing


@torch.no_grad()
def _translated(generator: Generator, pair: Tensor) -> Tensor:
    """The other pair, at any size, 0 outside the brain."""
    size = pair.shape[2:]
    # Instance normalisation needs more than one voxel at the lowest level.
    step = generator.stride
    sides = [max(2, -(-n // step)) * step - n for n in reversed(size)]
    padded = functional.pad(pair, [pad for side in sides for pad in (0, side)])
    made = generator(padded)[..., : size[0], : size[1], : size[2]]
    result: Tensor = made * (pair != 0).any(dim=1, keepdim=True)
    return result


def save_transition(transition: Transition, path: Path) -> None:
    """Both generators' weights as safetensors, written beside and renamed."""
    from safetensors.torch import save_file

    weights = {
        name: value.detach().cpu().contiguous() for name, value in transition.state_dict().items()
    }
    told = {
        "network": _FILE_KIND,
        "base": str(transition.forth.base),
        "levels": str(transition.forth.levels),
        "normalisation": transition.normalisation,
        "resize": json.dumps(transition.resize),
    }
    temporary = path.with_suffix(".tmp")
    save_file(weights, temporary, metadata=told)
    temporary.replace(path)


def load_transition(path: Path) -> Transition:
    """The generators that `save_transition` wrote, in evaluation mode.

    Raises
    ------
    ModelError
        When the file is missing, damaged or holds something else.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            told = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if told.get("network") != _FILE_KIND:
            raise ModelError(f"{path} holds no generators: name one that a CMFT run wrote")
        resize = json.loads(told["resize"])
        transition = Transition(
            int(told["base"]),
            int(told["levels"]),
            told["normalisation"],
            None if resize is None else (int(resize[0]), int(resize[1]), int(resize[2])),
        )
        transition.load_state_dict(weights)
    except FileNotFoundError:
        raise ModelError(
            f'there is no file {path.name} in the run "{path.parent.name}": name a CMFT run '
            "that has saved its generators"
        ) from None
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"{path} is damaged or of another version of the program: train it again"
        ) from error
    return transition.eval()
