"""Every kind of network: one contract, whatever is inside."""

from __future__ import annotations

import itertools
import subprocess
import sys
import weakref
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from napari_mmseg.errors import ModelError
from napari_mmseg.inference.convert import from_torch
from napari_mmseg.inference.quiet import load_openvino
from napari_mmseg.models.networks import KINDS, RELATIVE_MEMORY, RegionNetwork, build
from napari_mmseg.models.networks.region import region_logits
from napari_mmseg.training.losses import region_loss

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning:monai.*"),
    pytest.mark.filterwarnings("ignore::UserWarning:monai.*"),
]

each_kind = pytest.mark.parametrize("kind", KINDS)

#: Every choice of at least one of the four modalities.
SUBSETS = [kept for kept in itertools.product((0.0, 1.0), repeat=4) if any(kept)]

#: Sums in another order move a probability by less than this.
SAME_PROBABILITY = 1e-3


def tiny(kind: str, base: int = 2) -> RegionNetwork:
    if kind in ("segresnet", "dynunet"):
        pytest.importorskip("monai", reason="MONAI is an optional package")
    torch.manual_seed(1)
    return build(kind, base=base, levels=3)


def padded(volumes: Tensor, stride: int) -> Tensor:
    """Zeros after the end of each spatial axis, as callers add them."""
    sides = [(-n % stride) for n in reversed(volumes.shape[2:])]
    return functional.pad(volumes, [pad for side in sides for pad in (0, side)])


@each_kind
def test_odd_sizes_go_forward_and_backward(kind: str) -> None:
    network = tiny(kind)
    volumes = torch.randn(2, 4, 15, 17, 21)
    given = padded(volumes, network.stride)
    assert all(n % network.stride == 0 for n in given.shape[2:])
    heads = network.heads(given)
    assert all(head.shape == (2, 3, *given.shape[2:]) for head in heads)
    cropped = heads[-1][..., :15, :17, :21]
    assert cropped.shape == (2, 3, 15, 17, 21)
    sum((head[..., :15, :17, :21] ** 2).mean() for head in heads).backward()
    silent = [
        name
        for name, value in network.named_parameters()
        if value.grad is None or not torch.isfinite(value.grad).all() or not value.grad.any()
    ]
    # What weighs the votes begins at zero, so nothing before it has a gradient yet.
    assert silent == (["weigh.0.weight", "weigh.0.bias"] if kind == "decision-learned" else [])


@each_kind
def test_it_learns_nested_blocks_by_heart(kind: str) -> None:
    network = tiny(kind, base=4)
    depth = torch.zeros(1, 16, 16, 16, dtype=torch.uint8)
    for level in (1, 2, 3):
        inside = slice(1 + level, 15 - level)
        depth[:, inside, inside, inside] = level
    noise = torch.randn(1, 4, 16, 16, 16, generator=torch.Generator().manual_seed(0))
    volumes = depth[:, None].float() - 1 + 0.3 * noise
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-2)
    losses = []
    for _ in range(30):
        heads = network.heads(volumes)
        loss = torch.stack([region_loss(head, depth) for head in heads]).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(region_loss(heads[-1].detach(), depth)))
    assert losses[-1] < 0.6 * losses[0]


@each_kind
def test_every_subset_of_modalities_gives_finite_nested_regions(kind: str) -> None:
    network = tiny(kind).eval()
    kept = torch.tensor(SUBSETS)
    assert len(kept) == 15
    volumes = torch.randn(1, 4, 16, 16, 16) * kept[:, :, None, None, None]
    with torch.no_grad():
        logits = network(volumes)
    assert torch.isfinite(logits).all()
    probabilities = torch.sigmoid(logits)
    wt, tc, et = probabilities.cummin(dim=1).values.unbind(1)
    assert ((wt >= tc) & (tc >= et)).all()
    if kind.startswith(("cmff", "decision")):  # a softmax needs no minimum
        torch.testing.assert_close(probabilities, probabilities.cummin(dim=1).values)
    # The subsets differ, so each modality is really read.
    assert all((logits[a] != logits[-1]).any() for a in range(14))


@each_kind
def test_the_result_is_the_last_head_and_a_batch_is_its_cases(kind: str) -> None:
    network = tiny(kind).eval()
    volumes = torch.randn(2, 4, 16, 16, 24)
    volumes[1, 0] = 0
    with torch.no_grad():
        whole = network(volumes)
        torch.testing.assert_close(whole, network.heads(volumes)[-1])
        torch.testing.assert_close(whole[1:], network(volumes[1:]), atol=1e-4, rtol=1e-4)


@each_kind
def test_openvino_labels_as_torch_does(kind: str) -> None:
    network = tiny(kind).eval()
    with torch.no_grad():  # spread the answers: untrained ones hug each other
        for value in network.parameters():
            value.mul_(1.5)
    model = from_torch(network, network.inputs, network.stride)
    core = load_openvino().Core()
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for shape, missing in (((16, 24, 16), []), ((24, 16, 32), [0, 1]), ((16, 16, 16), [3])):
        volumes = torch.randn(1, 4, *shape)
        volumes[:, missing] = 0
        with torch.no_grad():
            expected = torch.sigmoid(network(volumes)).numpy()
        found = compiled(volumes.numpy())[0]
        np.testing.assert_allclose(found, expected, atol=SAME_PROBABILITY)
        sure = np.abs(expected - 0.5) > SAME_PROBABILITY
        assert sure.mean() > 0.9
        np.testing.assert_array_equal((found > 0.5)[sure], (expected > 0.5)[sure])


@pytest.mark.parametrize("kind", ["cmff", "decision-learned", "deeplab-unet"])
def test_training_can_compile_all_heads_in_one_piece(kind: str) -> None:
    network = tiny(kind).eval()
    volumes = torch.randn(1, 4, 16, 16, 16)
    volumes[:, 1] = 0
    compiled = torch.compile(network.heads, backend="eager", fullgraph=True, dynamic=False)
    with torch.no_grad():
        for found, expected in zip(compiled(volumes), network.heads(volumes), strict=True):
            torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


@each_kind
def test_named_features_are_modules_that_run(kind: str) -> None:
    network = tiny(kind).eval()
    shapes: dict[str, torch.Size] = {}
    for name in network.feature_layers:

        def keep(_: nn.Module, __: object, output: Tensor, name: str = name) -> None:
            shapes[name] = output.shape

        network.get_submodule(name).register_forward_hook(keep)
    with torch.no_grad():
        network(torch.randn(1, 4, 16, 16, 16))
    assert shapes
    assert set(shapes) == set(network.feature_layers)
    assert all(len(shape) == 5 for shape in shapes.values())


def test_parameters_of_the_full_size() -> None:
    """In millions, at base 16 and 5 levels; what the documentation's table says."""
    with torch.device("meta"):
        millions = {
            kind: sum(p.numel() for p in build(kind).parameters()) / 1e6
            for kind in KINDS
            if kind not in ("segresnet", "dynunet")
        }
    assert millions["unet"] == pytest.approx(5.648, abs=0.001)
    # Two single-branch networks and little beside; trilinear interpolation has no weights.
    assert millions["cmff"] == pytest.approx(2 * millions["cmff-single"] / 4, rel=0.05)
    assert millions["decision"] == pytest.approx(4 * millions["unet"], rel=0.01)
    assert millions["unet"] < millions["layer"] < millions["decision"]
    assert 0 < millions["deeplab-unet"] - millions["deeplab"] < 0.5


class Held(TorchDispatchMode):
    """Counts the bytes of the tensors that are alive, and their most."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: dict[int, int] = {}
        self.peak = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        for tensor in tree_flatten(result)[0]:
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                if storage._cdata not in self.sizes:
                    self.sizes[storage._cdata] = storage.nbytes()
                    weakref.finalize(storage, self.sizes.pop, storage._cdata, None)
        self.peak = max(self.peak, sum(self.sizes.values()))
        return result


@each_kind
def test_a_pass_holds_as_much_memory_as_the_engines_reckon_with(kind: str) -> None:
    held = []
    for each in ("unet", kind):
        if each in ("segresnet", "dynunet"):
            pytest.importorskip("monai", reason="MONAI is an optional package")
        network = build(each, base=8).eval().to("meta")
        volumes = torch.empty(1, 4, 64, 64, 64, device="meta")
        with torch.no_grad(), Held() as count:
            network(volumes)
        held.append(count.peak)
    reckoned = RELATIVE_MEMORY.get(kind, 1.0)
    assert held[1] / held[0] == pytest.approx(reckoned, rel=0.1, abs=0.25)


def test_classes_of_a_softmax_are_cumulative_sums() -> None:
    classes = torch.randn(2, 4, 3, 3, 3, dtype=torch.float64) * 5
    probability = torch.softmax(classes, dim=1)
    expected = torch.stack([probability[:, k:].sum(1) for k in (1, 2, 3)], dim=1)
    torch.testing.assert_close(torch.sigmoid(region_logits(classes)), expected)
    # Where a softmax is 1 to the last digit, the logit is still exact.
    sure = torch.tensor([60.0, 0.0, 0.0, 0.0]).view(1, 4, 1, 1, 1)
    assert region_logits(sure).flatten()[2] == pytest.approx(-60.0, abs=1e-4)


def test_an_unknown_kind_is_refused_with_the_choices() -> None:
    with pytest.raises(ModelError, match=r"'vnet'.*unet, unet-patch, cmff"):
        build("vnet")


def test_a_size_that_cannot_be_is_refused() -> None:
    with pytest.raises(ModelError, match=r"deeplab with 2 levels.*at least 3"):
        build("deeplab", levels=2)


@pytest.mark.parametrize("kind", ["segresnet", "dynunet"])
def test_without_monai_the_message_says_what_to_install(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "monai.networks.nets", None)
    with pytest.raises(ModelError, match=r"needs MONAI.*napari-mmseg\[train\]"):
        build(kind, base=2, levels=3)


def test_the_names_of_the_kinds_cost_no_torch() -> None:
    program = "import sys; from napari_mmseg.models.networks import KINDS; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "napari_mmseg.models.networks" in done.stdout.split()
    assert not {"torch", "monai"} & set(done.stdout.split())
