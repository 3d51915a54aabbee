"""Tensors from weight files, without ever running what a file says."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ...errors import ModelError
from .source import check_members

if TYPE_CHECKING:
    from torch import Tensor, nn

N = TypeVar("N", bound="nn.Module")

#: A weight file larger than this is of no network that this program can run (bytes).
MOST_BYTES = 4 * 2**30

#: Under which name training programs keep the network's tensors in a checkpoint.
_NESTED_UNDER = ("state_dict", "model", "network", "net")
#: What wrapping a network for several graphics cards puts before each name.
_WRAPPER_PREFIX = "module."


def read_torch_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a `torch.save` file, read with torch's restricted reader.

    Raises
    ------
    ModelError
        When it holds anything but tensors, or is damaged.
    """
    import torch

    _check_size(path)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            check_members(archive, path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, KeyError, ValueError, RuntimeError, AttributeError) as error:
        raise _damaged(path) from error
    except Exception as error:
        # The restricted reader refuses with the unpickler's own error, which nothing here imports.
        if type(error).__name__ != "UnpicklingError":
            raise
        raise ModelError(
            f"{path.name} holds more than weights, or is damaged: reading it could run code that "
            "it brings, so it is refused (ask for the weights alone, as safetensors)"
        ) from error
    return _tensors_of(content, path)


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file.

    Raises
    ------
    ModelError
        When it is not one, or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    _check_size(path)
    try:
        return _tensors_of(load(path.read_bytes()), path)
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"{path.name} is not a readable safetensors file: download it again"
        ) from error


def read_onnx(path: Path) -> bytes:
    """The bytes of an ONNX file; whether they are one is for the converter to say.

    Raises
    ------
    ModelError
        When it is missing or cannot be read.
    """
    _check_size(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path.name} cannot be read: {error.strerror}") from error


def fit(make: Callable[[], N], weights: Mapping[str, Tensor], where: str, inside: str = "") -> N:
    """The network that `make` builds with `weights`, all of them and nothing else.

    `inside` comes before each of the weights' names in that network. It is built without memory
    first: a description may ask for more than any machine has.

    Raises
    ------
    ModelError
        Naming the first tensor that is missing, left over or of another shape.
    """
    import torch

    with torch.device("meta"):
        expected = {n.removeprefix(inside): v for n, v in make().state_dict().items()}
    for name, tensor in expected.items():
        if name not in weights:
            raise ModelError(f"{where} is of another network than described: it lacks {name}")
        if weights[name].shape != tensor.shape:
            raise ModelError(
                f"{where} is of another network than described: {name} is "
                f"{_sides(weights[name])}, the description makes it {_sides(tensor)}"
            )
    extra = next((name for name in weights if name not in expected), None)
    if extra is not None:
        raise ModelError(f"{where} is of another network than described: nothing takes its {extra}")
    network = make()
    network.load_state_dict({inside + n: weights[n].to(v.dtype) for n, v in expected.items()})
    return network


def _tensors_of(content: Any, path: Path) -> dict[str, Tensor]:
    import torch

    for key in _NESTED_UNDER:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not content:
        raise ModelError(f"{path.name} holds no named tensors: name a file of weights")
    found: dict[str, Tensor] = {}
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise ModelError(
                f"{path.name} holds {name!r}, which is no tensor: ask for the weights alone"
            )
        if not _is_plain(value):
            raise ModelError(
                f"{path.name} holds {name} in a form that is no plain array: ask for the weights "
                "as safetensors"
            )
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise ModelError(
                f"{path.name} holds values in {name} that are no numbers: download it again"
            )
        found[name.removeprefix(_WRAPPER_PREFIX)] = value.contiguous()
    return found


def _is_plain(value: Tensor) -> bool:
    """Are all values really there? A few bytes can pose as terabytes by strides of zero."""
    import torch

    return (
        value.layout is torch.strided
        and not value.is_quantized
        and value.device.type == "cpu"
        and value.numel() * value.element_size() <= value.untyped_storage().nbytes()
    )


def _check_size(path: Path) -> None:
    try:
        size = path.stat().st_size
    except OSError:
        raise ModelError(f"the weights {path.name} are missing: download the model again") from None
    if size > MOST_BYTES:
        raise ModelError(
            f"{path.name} is larger than {MOST_BYTES / 2**30:g} GiB, more than any model here: "
            "it is refused"
        )


def _damaged(path: Path) -> ModelError:
    return ModelError(f"{path.name} is truncated or no file of torch weights: download it again")


def _sides(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "one value"
