"""A network as an OpenVINO model that gives the probabilities of regions.

Whatever the file's own output is (logits or probabilities, of regions or of classes), the model
made here ends in one probability a region, so that the engines need to know nothing of it.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ModelError
from .quiet import load_openvino

if TYPE_CHECKING:
    from torch import nn

#: Voxels along each side of the example that a network is traced with, at least.
_EXAMPLE_SIDE = 32


def from_torch(network: nn.Module, channels: int, stride: int) -> Any:
    """Input (1, channels, any three sides), output the sigmoid of the network's region logits.

    Raises
    ------
    ModelError
        When OpenVINO cannot express the network.
    """
    import torch

    class Probabilities(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, volumes: torch.Tensor) -> torch.Tensor:
            return torch.sigmoid(self.network(volumes))

    example = torch.zeros(1, channels, *[example_side(stride)] * 3)
    openvino = load_openvino()
    with torch.no_grad(), warnings.catch_warnings():
        # Normalisation layers check their input's size in Python; the check is rightly frozen.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return openvino.convert_model(
                Probabilities().eval(), example_input=example, input=[(1, channels, -1, -1, -1)]
            )
        except RuntimeError as error:
            raise ModelError(f"OpenVINO cannot run this network: {_last_line(error)}") from error


def from_onnx(
    content: bytes, channels: int, outputs: int, form: str, membership: Sequence[Sequence[int]]
) -> Any:
    """Input (1, channels, any three sides), output (1, regions, the same sides), probabilities.

    Parameters
    ----------
    form
        What the file's output channels are: one of `models.importers.foreign.OUTPUT_FORMS`.
    membership
        For each region, the output channels that sum to it.

    Raises
    ------
    ModelError
        When the bytes are no ONNX network of this form, or need other files.
    """
    openvino = load_openvino()
    try:
        model = openvino.Core().read_model(content, b"")
    except RuntimeError as error:
        raise ModelError(
            f"the ONNX file is damaged or needs something that is not in it: {_last_line(error)}"
        ) from error
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ModelError(
            f"the ONNX file has {len(model.inputs)} inputs and {len(model.outputs)} outputs: "
            "export it with one of each"
        )
    given = model.inputs[0]
    if len(given.partial_shape) != 5 or given.element_type != openvino.Type.f32:
        raise ModelError(
            f"the ONNX file takes {given.partial_shape} of {given.element_type.type_name}, not "
            "batch, channels and three sides of f32: export the network so"
        )
    if given.partial_shape[1].is_static and given.partial_shape[1].get_length() != channels:
        raise ModelError(
            f"the ONNX file takes {given.partial_shape[1].get_length()} channels, its manifest "
            f"names {channels}: correct the manifest"
        )
    try:
        model.reshape({given: openvino.PartialShape([1, channels, -1, -1, -1])})
    except RuntimeError as error:
        raise ModelError(
            "the ONNX file takes images of one size only: export it with free sides (dynamic_axes)"
        ) from error
    found = model.outputs[0].partial_shape
    if len(found) != 5 or (found[1].is_static and found[1].get_length() != outputs):
        raise ModelError(
            f"the ONNX file gives {found}, its manifest names {outputs} outputs: correct the "
            "manifest"
        )
    return _with_probabilities(model, outputs, form, membership)


def _with_probabilities(
    model: Any, outputs: int, form: str, membership: Sequence[Sequence[int]]
) -> Any:
    openvino = load_openvino()
    from openvino import opset13 as layers

    result = model.outputs[0].get_node().input_value(0)
    if form == "logits":
        result = layers.sigmoid(result).output(0)
    elif form == "class-logits":
        result = layers.softmax(result, 1).output(0)
    matrix = np.zeros((len(membership), outputs), dtype=np.float32)
    for region, members in enumerate(membership):
        matrix[region, list(members)] = 1.0
    if not np.array_equal(matrix, np.eye(outputs)):
        # A convolution with one voxel sums the members of each region.
        none, ones = [0, 0, 0], [1, 1, 1]
        kernel = layers.constant(matrix[:, :, None, None, None])
        result = layers.convolution(result, kernel, ones, none, none, ones).output(0)
    return openvino.Model([result], model.get_parameters(), "regions")


def example_side(stride: int) -> int:
    """A small side that every network takes: a multiple of the stride, two of them at least."""
    return max(2 * stride, -(-_EXAMPLE_SIDE // stride) * stride)


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
