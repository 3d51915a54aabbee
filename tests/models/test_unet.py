"""The network: size, shapes, and one result whatever path computes it."""

from __future__ import annotations

import pytest
import torch

from napari_mmseg.models.networks.unet import UNet3d


def test_shipped_size() -> None:
    network = UNet3d()
    assert network.stride == 16
    count = sum(value.numel() for value in network.parameters())
    assert 5_600_000 < count < 5_700_000


def test_logits_have_the_shape_of_the_input() -> None:
    network = UNet3d(base=4).eval()
    with torch.no_grad():
        assert network(torch.randn(2, 4, 32, 48, 32)).shape == (2, 3, 32, 48, 32)


def test_a_missing_modality_as_zeros_gives_finite_logits() -> None:
    network = UNet3d(base=4).eval()
    volumes = torch.randn(1, 4, 32, 32, 32)
    volumes[:, 1] = 0
    with torch.no_grad():
        assert torch.isfinite(network(volumes)).all()


def test_compiled_normalisation_equals_the_built_in(monkeypatch: pytest.MonkeyPatch) -> None:
    network = UNet3d(base=4, levels=3).eval()
    for value in network.parameters():
        torch.nn.init.normal_(value, std=0.3)
    volumes = torch.randn(1, 4, 16, 16, 16) * 3 + 1
    with torch.no_grad():
        built_in = network(volumes)
        monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
        plain = network(volumes)
    assert not torch.equal(built_in, plain)  # the other path really ran
    torch.testing.assert_close(plain, built_in, rtol=1e-3, atol=1e-3)


def test_one_level_is_no_u_net() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        UNet3d(levels=1)
