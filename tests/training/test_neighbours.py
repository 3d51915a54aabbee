"""Neighbourhoods and values between nodes, against torch's own (slower) ways."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from napari_mmseg.training.simulate.artefacts import gaussian
from napari_mmseg.training.simulate.between import stretched
from napari_mmseg.training.simulate.neighbours import dilated, eroded, over_faces


@pytest.fixture
def volume() -> torch.Tensor:
    return torch.randn((1, 1, 7, 5, 9), generator=torch.Generator().manual_seed(1))


def test_cubes_are_those_of_max_pooling(volume: torch.Tensor) -> None:
    assert torch.equal(dilated(volume), functional.max_pool3d(volume, 3, 1, 1))
    assert torch.equal(eroded(volume), -functional.max_pool3d(-volume, 3, 1, 1))


def test_faces_are_the_best_of_three_lines(volume: torch.Tensor) -> None:
    lines = [
        functional.max_pool3d(volume, kernel, 1, tuple(n // 2 for n in kernel))
        for kernel in ((3, 1, 1), (1, 3, 1), (1, 1, 3))
    ]
    assert torch.equal(over_faces(volume, torch.maximum), torch.stack(lines).amax(0))


def test_a_volume_of_one_plane_has_no_neighbours_there() -> None:
    flat = torch.rand(1, 4, 4)
    assert torch.equal(dilated(flat)[0], functional.max_pool2d(flat[None], 3, 1, 1)[0, 0])


@pytest.mark.parametrize("shape", [(9, 14, 6), (3, 5, 4), (1, 2, 8)])
def test_stretching_is_trilinear_corner_on_corner(shape: tuple[int, int, int]) -> None:
    grid = torch.randn((2, 3, 5, 4), generator=torch.Generator().manual_seed(2))
    expected = functional.interpolate(grid[None], size=shape, mode="trilinear", align_corners=True)[
        0
    ]
    assert torch.allclose(stretched(grid, shape), expected, atol=1e-5)


def test_blurring_in_pieces_is_a_gaussian_with_its_edges_repeated() -> None:
    from scipy.ndimage import gaussian_filter

    volume = torch.randn((2, 19, 8, 11), generator=torch.Generator().manual_seed(3))
    expected = [gaussian_filter(v.numpy(), 0.9, mode="nearest", radius=2) for v in volume]
    assert torch.allclose(
        gaussian(volume, 0.9), torch.stack([torch.from_numpy(e) for e in expected]), atol=1e-5
    )
